import { z } from "zod";
import { MedcloudletError } from "../base/index.ts";
import { type Accounts, handleSchema, presentAccount, type Routes } from "../identity/index.ts";
import { idSchema, regionSchema } from "../sealing/index.ts";
import type { AccessRequest, AccessRequests } from "./access-requests.ts";
import { READERS_BY_PURPOSE } from "./purposes.ts";

const ASK = z.strictObject({
  handle: handleSchema,
  regions: z
    .array(regionSchema)
    .min(1)
    .max(3)
    .refine((regions) => new Set(regions).size === regions.length, "a region stands there twice"),
  purpose: z.enum(["treatment", "research"]),
  days: z.number().int().min(1).max(3650),
  /** One line: it is shown on terminals. */
  reason: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .regex(/^[^\p{C}\p{Zl}\p{Zp}]*$/u, "one line, without control characters"),
});
const BY_ID = z.strictObject({ requestId: idSchema });

function outline({ _id, regions, purpose, days, reason, createdAt, expiresAt }: AccessRequest) {
  return { requestId: _id, regions, purpose, days, reason, createdAt, expiresAt };
}

/** Asking patients for access, under `/v1` of the KDC. */
export function addAccessRequestRoutes(
  routes: Routes,
  rooms: { readonly accounts: Accounts; readonly requests: AccessRequests },
): void {
  const { accounts, requests } = rooms;

  // The entry in the log names no owner: the asker reads it too, and would learn by it whether the handle is a patient's.
  routes.session({
    method: "post",
    path: "/access-requests",
    action: "access.ask",
    body: ASK,
    async handle({ account, body: { handle, ...asked }, concerning }) {
      concerning({ details: { handle, regions: asked.regions.join(" "), purpose: asked.purpose } });
      if (!READERS_BY_PURPOSE[asked.purpose].includes(account.role)) {
        throw new MedcloudletError(
          "CONSENT_ROLE_MISMATCH",
          `A consent for ${asked.purpose} names a ${READERS_BY_PURPOSE[asked.purpose].join(" or ")}, not a ${account.role}.`,
          { status: 409 },
        );
      }
      const { _id: requestId, expiresAt } = await requests.ask(account, handle, asked);
      concerning({ object: requestId });
      return { status: 201, json: { requestId, expiresAt } };
    },
  });

  routes.session({
    method: "get",
    path: "/access-requests",
    action: "access.list",
    async handle({ account }) {
      const received = await requests.received(account._id);
      const shown = await Promise.all(
        received.map(async (request) => {
          const asker = await accounts.byId(request.asker);
          return asker === null || asker.suspendedAt !== null
            ? []
            : [{ ...outline(request), asker: presentAccount(asker) }];
        }),
      );
      const made = await requests.made(account._id);
      return {
        status: 200,
        json: {
          received: shown.flat(),
          made: made.map((request) => ({ ...outline(request), handle: request.handle })),
        },
      };
    },
  });

  const unknown = () =>
    new MedcloudletError(
      "ACCESS_REQUEST_UNKNOWN",
      "There is no open request of yours with this id: look it up in the list of requests.",
      { status: 404 },
    );

  routes.session({
    method: "delete",
    path: "/access-requests/:requestId",
    action: "access.end",
    params: BY_ID,
    relation: async ({ account, params: { requestId } }) =>
      (await requests.of(account._id, requestId)) === null ? "other" : "own",
    refusal: unknown,
    async handle({ account, params: { requestId }, concerning }) {
      const request = await requests.of(account._id, requestId);
      if (request === null) {
        throw unknown();
      }
      concerning({ object: requestId, ...(request.patient === account._id ? { owner: account._id } : {}) });
      await requests.end(request, account._id);
      return { status: 204, empty: true };
    },
  });
}
