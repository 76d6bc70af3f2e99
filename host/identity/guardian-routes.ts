import { z } from "zod";
import { MedcloudletError } from "../base/index.ts";
import { idSchema } from "../sealing/index.ts";
import type { AccountEvents } from "./account-events.ts";
import { type Accounts, NOBODY, presentAccount } from "./accounts.ts";
import type { GuardianSets } from "./guardian-sets.ts";
import type { RecoveryRequest, RecoveryRequests } from "./recovery-requests.ts";
import { ARMED } from "./recovery-routes.ts";
import type { Routes } from "./routes.ts";
import { codeSchema, type Reauthenticate } from "./session-routes.ts";
import { createThrottle } from "./throttle.ts";

const statementSchema = z.string().max(16_384);
// Eight sealed shares make a long statement.
const NAMING = z.strictObject({
  password: z.string().min(1).max(256),
  code: codeSchema.optional(),
  statement: z.string().max(32_768),
  ...ARMED,
});
// Strangers' words are kept for a week: not one byte more than an identity has.
const OPENING = z.strictObject({ handle: z.string().min(1).max(40), identity: z.string().max(3072) });
const WITHDRAWAL = z.strictObject({ password: z.string().min(1).max(256), code: codeSchema.optional() });
const ANSWER = z.strictObject({ statement: statementSchema });
const BY_ID = z.strictObject({ requestId: idSchema });

function presentRequest({ _id, fingerprint, createdAt, expiresAt, state, answered }: RecoveryRequest) {
  return { requestId: _id, fingerprint, createdAt, expiresAt, state, answers: answered.length };
}

function unknown(): MedcloudletError {
  return new MedcloudletError(
    "RECOVERY_REQUEST_UNKNOWN",
    "There is no such request of yours (any more): list them, or make a new one.",
    { status: 404 },
  );
}

/** Each request is a document and a message to the owner, made by anybody who knows a handle. */
const REQUEST_LIMITS = {
  single: { points: 10, seconds: 900 },
  ofHandle: { points: 20, seconds: 3600 },
};

/** Naming guardians, asking them for their shares of a recovery code, and giving them. */
export function addGuardianRoutes(
  routes: Routes,
  rooms: {
    readonly accounts: Accounts;
    readonly sets: GuardianSets;
    readonly requests: RecoveryRequests;
    readonly events: AccountEvents;
    readonly reauthenticate: Reauthenticate;
  },
): void {
  const { accounts, sets, requests, events, reauthenticate } = rooms;
  const throttle = createThrottle(REQUEST_LIMITS);

  /** The owner's set, as far as it is the one that a request was made under. */
  const setOf = async ({ owner, setId }: RecoveryRequest) => {
    const kept = await sets.ofOwner(owner);
    return kept !== null && kept.set.setId === setId ? kept : null;
  };

  routes.session({
    method: "put",
    path: "/guardians",
    action: "guardians.name",
    body: NAMING,
    async handle({ account, body: { statement, verifier, locked, ...given }, concerning }) {
      concerning({ owner: account._id });
      await reauthenticate(account, given);
      const { signingKey } = await accounts.keysOf(account);
      const { setId, threshold, guardians } = await sets.name(account, signingKey, statement, {
        verifier,
        locked,
      });
      concerning({ object: setId, details: { threshold, guardians: guardians.length } });
      await events.note(account._id, "guardians-set");
      return { status: 200, json: { setId } };
    },
  });

  routes.session({
    method: "post",
    path: "/guardians/withdrawal",
    action: "guardians.withdraw",
    body: WITHDRAWAL,
    async handle({ account, body, concerning }) {
      concerning({ owner: account._id });
      await reauthenticate(account, body);
      // Whoever asks the guardians at the moment gets nothing by it any more: their set is gone.
      if (await sets.withdraw(account._id)) {
        await events.note(account._id, "guardians-withdrawn");
      }
      return { status: 204, empty: true };
    },
  });

  routes.session({
    method: "get",
    path: "/guardians",
    action: "guardians.show",
    async handle({ account }) {
      return { status: 200, json: { statement: (await sets.ofOwner(account._id))?.statement ?? null } };
    },
  });

  // The answer says nothing of whether the handle exists or has guardians.
  routes.open({
    method: "post",
    path: "/recovery-requests",
    action: "recovery-request.open",
    body: OPENING,
    async handle({ request, body: { handle, identity }, concerning }) {
      await throttle.attempt({ handle, address: request.ip });
      const owner = await accounts.byHandle(handle);
      const set = await sets.ofOwner(owner?._id ?? NOBODY);
      const opened = await requests.open(owner, set, identity);
      const asked = set === null ? null : owner;
      if (asked !== null) {
        concerning({ owner: asked._id, object: opened.requestId });
      }
      await events.note(asked?._id ?? NOBODY, "recovery-requested");
      return { status: 201, json: opened };
    },
  });

  routes.session({
    method: "get",
    path: "/recovery-requests",
    action: "recovery-request.list",
    async handle({ account }) {
      const toAnswer = [];
      for (const asked of await requests.ofGuardian(account._id)) {
        const owner = await accounts.byId(asked.owner);
        const set = await setOf(asked);
        if (owner !== null && set !== null) {
          toAnswer.push({
            ...presentRequest(asked),
            owner: presentAccount(owner),
            set: set.statement,
            identity: asked.identity,
          });
        }
      }
      const own = (await requests.ofOwner(account._id)).map(presentRequest);
      return { status: 200, json: { own, toAnswer } };
    },
  });

  routes.session({
    method: "delete",
    path: "/recovery-requests/:requestId",
    action: "recovery-request.veto",
    params: BY_ID,
    async relation({ account, params: { requestId }, concerning }) {
      const asked = await requests.byId(requestId);
      if (asked === null || asked.owner !== account._id) {
        return "other";
      }
      concerning({ owner: account._id, object: requestId });
      return "own";
    },
    refusal: unknown,
    async handle({ params: { requestId } }) {
      await requests.veto(requestId);
      return { status: 204, empty: true };
    },
  });

  routes.session({
    method: "post",
    path: "/recovery-requests/:requestId/shares",
    action: "recovery-request.answer",
    params: BY_ID,
    body: ANSWER,
    async relation({ account, params: { requestId }, concerning }) {
      const asked = await requests.byId(requestId);
      if (asked === null || !asked.guardians.includes(account._id)) {
        return "other";
      }
      concerning({ owner: asked.owner, object: requestId });
      return (await setOf(asked)) === null ? "other" : "granted";
    },
    refusal: unknown,
    async handle({ account, params: { requestId }, body: { statement } }) {
      const asked = await requests.byId(requestId);
      if (asked === null) {
        throw unknown();
      }
      const { signingKey } = await accounts.keysOf(account);
      await requests.answer(asked, account, signingKey, statement);
      await events.note(asked.owner, "recovery-share-given");
      return { status: 201, json: { requestId } };
    },
  });

  routes.proof({
    method: "get",
    path: "/recovery-requests/:requestId/shares",
    action: "recovery-request.collect",
    params: BY_ID,
    async relation({ key, params: { requestId }, actingAs, concerning }) {
      if (!requests.isOf(requestId, key.thumbprint)) {
        return "other";
      }
      const asked = await requests.byId(requestId);
      if (asked !== null) {
        concerning({ owner: asked.owner, object: requestId });
        actingAs({ id: requestId, role: "requester" });
      }
      return "own";
    },
    refusal: unknown,
    async handle({ params: { requestId } }) {
      const asked = await requests.byId(requestId);
      return { status: 200, json: { state: asked?.state ?? "open", shares: asked?.shares ?? [] } };
    },
  });
}
