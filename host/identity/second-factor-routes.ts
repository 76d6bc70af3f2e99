import { z } from "zod";
import { MedcloudletError } from "../base/index.ts";
import { idSchema } from "../sealing/index.ts";
import type { AccountEvents } from "./account-events.ts";
import { type Accounts, handleSchema } from "./accounts.ts";
import type { FactorReset, FactorResets } from "./factor-resets.ts";
import type { Routes } from "./routes.ts";
import type { SecondFactors } from "./second-factor.ts";
import { codeSchema, type Reauthenticate } from "./session-routes.ts";
import type { Sessions } from "./sessions.ts";
import { createThrottle } from "./throttle.ts";

const PROPOSAL = z.strictObject({ password: z.string().min(1).max(256), code: codeSchema.optional() });
const CONFIRMATION = z.strictObject({ code: codeSchema });
const RESET = z.strictObject({ handle: handleSchema });
const BY_ID = z.strictObject({ resetId: idSchema });

function presentReset({ _id, handle, requestedBy, requestedAt, expiresAt }: FactorReset) {
  return { resetId: _id, handle, requestedBy, requestedAt, expiresAt };
}

/** Enrolling a second factor, and taking away one that was lost. */
export function addSecondFactorRoutes(
  routes: Routes,
  rooms: {
    readonly accounts: Accounts;
    readonly sessions: Sessions;
    readonly factors: SecondFactors;
    readonly resets: FactorResets;
    readonly events: AccountEvents;
    readonly reauthenticate: Reauthenticate;
  },
): void {
  const { accounts, sessions, factors, resets, events, reauthenticate } = rooms;
  const throttle = createThrottle();

  // Also replaces a factor, with a code of the one in force: a stolen session must not bring its own telephone.
  routes.session({
    method: "post",
    path: "/second-factor",
    action: "second-factor.propose",
    body: PROPOSAL,
    async handle({ account, body, concerning }) {
      concerning({ owner: account._id });
      await reauthenticate(account, body);
      return { status: 201, json: await factors.propose(account) };
    },
  });

  routes.session({
    method: "post",
    path: "/second-factor/confirmation",
    action: "second-factor.confirm",
    body: CONFIRMATION,
    async handle({ account, token, body: { code }, concerning }) {
      concerning({ owner: account._id });
      await throttle.attempt({ handle: account._id, address: undefined });
      const confirmed = await factors.confirm(account, code);
      await sessions.carryOver(token, confirmed.account);
      await events.note(account._id, "second-factor-enrolled");
      return { status: 201, json: { backupCodes: confirmed.backupCodes } };
    },
  });

  routes.session({
    method: "post",
    path: "/second-factor-resets",
    action: "second-factor-reset.request",
    body: RESET,
    async handle({ account, body: { handle }, concerning }) {
      const subject = await accounts.byHandle(handle);
      if (subject === null) {
        throw new MedcloudletError(
          "ACCOUNT_UNKNOWN",
          `Nobody here has the handle "${handle}": ask them how they wrote it.`,
          { status: 404 },
        );
      }
      concerning({ owner: subject._id });
      const reset = await resets.request(subject, account);
      concerning({ object: reset._id });
      await events.note(subject._id, "second-factor-reset-requested");
      return { status: 201, json: presentReset(reset) };
    },
  });

  routes.session({
    method: "get",
    path: "/second-factor-resets",
    action: "second-factor-reset.list",
    handle: async () => ({ status: 200, json: { resets: (await resets.open()).map(presentReset) } }),
  });

  routes.session({
    method: "post",
    path: "/second-factor-resets/:resetId/confirmation",
    action: "second-factor-reset.confirm",
    params: BY_ID,
    async handle({ account, params: { resetId }, concerning }) {
      concerning({ object: resetId });
      const reset = await resets.confirm(resetId, account);
      concerning({ owner: reset.accountId });
      await events.note(reset.accountId, "second-factor-reset");
      return { status: 200, json: presentReset(reset) };
    },
  });
}
