import { z } from "zod";
import { type Clock, MedcloudletError } from "../base/index.ts";
import { createRateLimiter } from "../http/index.ts";
import {
  type Account,
  type Accounts,
  type Devices,
  handleSchema,
  presentAccount,
  type Relation,
  type Routes,
} from "../identity/index.ts";
import { idSchema, reasonSchema, TRUSTEES_LEAST, TRUSTEES_MOST } from "../sealing/index.ts";
import type { Emergencies } from "./emergencies.ts";
import type { Emergency } from "./emergency-record.ts";
import { type EmergencyShares, TRUSTEE_ROLES } from "./emergency-shares.ts";
import { ownApproval, phaseOf } from "./emergency-state.ts";
import type { Epochs } from "./epochs.ts";
import type { OpenAccounts } from "./open-accounts.ts";
import type { Releases } from "./releases.ts";

const SHARES = z.strictObject({
  statements: z.array(z.string().max(8192)).min(TRUSTEES_LEAST).max(TRUSTEES_MOST),
});
const REQUEST = z.strictObject({ statement: z.string().max(8192) });
/** Sixty-four epochs take 130 kB. */
const APPROVAL = z.strictObject({ statement: z.string().max(200_000) });
const STOP = z.strictObject({ reason: reasonSchema });
const BY_ID = z.strictObject({ id: idSchema });
const BY_HANDLE = z.strictObject({ handle: handleSchema });
const TRUSTEE_QUERY = z.strictObject({ chosen: z.enum(["true", "false"]).default("false") });

/** Each request warns a patient: one doctor warns twenty times an hour at most. */
const REQUEST_LIMIT = { points: 20, seconds: 3600 };
const MEDICAL = "medical";

/** Break-glass, under `/v1` of the KDC. */
export function addEmergencyRoutes(
  routes: Routes,
  rooms: {
    readonly accounts: Accounts;
    readonly devices: Devices;
    readonly epochs: Epochs;
    readonly shares: EmergencyShares;
    readonly emergencies: Emergencies;
    readonly releases: Releases;
    readonly open: OpenAccounts;
    readonly clock: Clock;
  },
): void {
  const { accounts, devices, epochs, shares, emergencies, releases, open, clock } = rooms;
  const requests = createRateLimiter(REQUEST_LIMIT);

  /** An account that something rests on; accounts are never deleted. */
  const accountOf = async (id: string): Promise<Account> => {
    const account = await accounts.byId(id);
    if (account === null) {
      throw new Error("an emergency names an account that is not there");
    }
    return account;
  };

  const present = async (emergency: Emergency) => {
    const approvers = [];
    for (const [id, { approvedAt, expiresAt }] of Object.entries(emergency.approvals)) {
      approvers.push({ accountId: id, handle: (await accountOf(id)).handle, approvedAt, expiresAt });
    }
    return {
      emergencyId: emergency._id,
      phase: phaseOf(emergency, clock.now()),
      patient: (await accountOf(emergency.owner)).handle,
      requester: presentAccount(await accountOf(emergency.requester)),
      request: emergency.statement,
      ...(emergency.call == null
        ? {}
        : { call: { owner: presentAccount(await accountOf(emergency.owner)), ...emergency.call } }),
      reason: emergency.reason,
      epochIds: emergency.epochIds,
      trustees: emergency.trustees.length,
      needed: emergency.needed,
      requestedAt: emergency.requestedAt,
      until: emergency.until,
      openedAt: emergency.openedAt,
      endedAt: emergency.endedAt,
      approvers,
    };
  };

  /** How somebody stands to one emergency. The requester is never their own trustee. */
  const relation = async ({
    account,
    params: { id },
    concerning,
  }: {
    readonly account: Account;
    readonly params: { readonly id: string };
    readonly concerning: (subject: { owner: string; object: string }) => void;
  }): Promise<Relation> => {
    const emergency = await emergencies.find(id);
    concerning({ owner: emergency.owner, object: id });
    if (account._id === emergency.owner || account._id === emergency.requester) {
      return "own";
    }
    return emergency.trustees.includes(account._id) ? "trustee" : "other";
  };
  const notTrustee = () =>
    new MedcloudletError(
      "EMERGENCY_NOT_TRUSTEE",
      "Only a trustee of this patient decides, and nobody over their own request.",
      { status: 403 },
    );
  const notYours = () =>
    new MedcloudletError("EMERGENCY_NOT_YOURS", "This emergency is between other people.", { status: 403 });

  // Patients can choose staff only, and learn of nobody else.
  routes.session({
    method: "get",
    path: "/trustees/:handle",
    action: "emergency.look-up-trustee",
    params: BY_HANDLE,
    query: TRUSTEE_QUERY,
    async handle({ account: patient, params: { handle }, query: { chosen } }) {
      const account = await accounts.byHandle(handle);
      // Whoever shares the next epoch among trustees of before finds those who have left since, too.
      const before = chosen === "true" ? await shares.preparation(patient._id) : null;
      const hidden = account?.suspendedAt != null && !before?.trustees.includes(account._id);
      if (account === null || hidden || !TRUSTEE_ROLES.includes(account.role)) {
        throw new MedcloudletError(
          "ACCOUNT_UNKNOWN",
          `No doctor or security officer here has the handle "${handle}".`,
          { status: 404 },
        );
      }
      return { status: 200, json: presentAccount(account) };
    },
  });

  routes.session({
    method: "post",
    path: "/emergency-shares",
    action: "emergency.prepare",
    body: SHARES,
    async handle({ account, body, concerning }) {
      concerning({ owner: account._id });
      const { signingKey } = await accounts.keysOf(account);
      const {
        epochId,
        setId,
        threshold,
        shares: count,
      } = await shares.put(account._id, signingKey, body.statements);
      concerning({ object: epochId, details: { setId, threshold, shares: count } });
      return { status: 201, json: { epochId, setId } };
    },
  });

  routes.session({
    method: "get",
    path: "/emergency-shares",
    action: "emergency.list-shares",
    async handle({ account }) {
      return { status: 200, json: { sets: await shares.ofOwner(account._id) } };
    },
  });

  routes.session({
    method: "post",
    path: "/emergencies",
    action: "emergency.request",
    body: REQUEST,
    async handle({ account, body, concerning }) {
      await requests.consume(account._id);
      const emergency = await emergencies.request(account, body.statement, (owner) => concerning({ owner }));
      const { _id, reason, until } = emergency;
      concerning({ object: _id, details: { reason, until } });
      return { status: 201, json: await present(emergency) };
    },
  });

  routes.session({
    method: "get",
    path: "/emergencies",
    action: "emergency.list",
    async handle({ account }) {
      const presented = [];
      for (const emergency of await emergencies.of(account)) {
        presented.push(await present(emergency));
      }
      return { status: 200, json: { emergencies: presented } };
    },
  });

  // A trustee's own sealed shares, and everything needed to judge to whom they would go.
  routes.session({
    method: "get",
    path: "/emergencies/:id/share",
    action: "emergency.fetch-share",
    params: BY_ID,
    relation,
    refusal: notTrustee,
    async handle({ account, response, params: { id } }) {
      await open.begin(account, response);
      const emergency = await emergencies.find(id);
      const { owner, setId, epochIds } = emergency;
      return {
        status: 200,
        json: {
          emergency: await present(emergency),
          owner: presentAccount(await accountOf(owner)),
          shares: await shares.ofTrustee({ owner, setId, trustee: account._id, epochIds }),
        },
      };
    },
  });

  routes.session({
    method: "post",
    path: "/emergencies/:id/approvals",
    action: "emergency.approve",
    params: BY_ID,
    body: APPROVAL,
    async relation(call) {
      const found = await relation(call);
      if (found === "own") {
        throw ownApproval();
      }
      return found;
    },
    refusal: notTrustee,
    async handle({ account, response, params: { id }, body, concerning }) {
      await open.begin(account, response);
      const emergency = await emergencies.approve(id, account, body.statement);
      const { requester, approvals } = emergency;
      concerning({ details: { requester, approvals: Object.keys(approvals).length } });
      return { status: 201, json: await present(emergency) };
    },
  });

  routes.session({
    method: "delete",
    path: "/emergencies/:id/approvals/own",
    action: "emergency.withdraw",
    params: BY_ID,
    relation,
    refusal: notTrustee,
    async handle({ account, params: { id } }) {
      return { status: 200, json: await present(await emergencies.withdraw(id, account)) };
    },
  });

  routes.session({
    method: "post",
    path: "/emergencies/:id/end",
    action: "emergency.end",
    params: BY_ID,
    relation,
    refusal: notYours,
    async handle({ params: { id } }) {
      const ended = await emergencies.end(id);
      // What was under way goes out first: after this answer nothing does.
      await releases.settled(ended.requester);
      return { status: 200, json: await present(ended) };
    },
  });

  routes.session({
    method: "get",
    path: "/emergencies/running",
    action: "emergency.list-running",
    async handle() {
      return {
        status: 200,
        json: { emergencies: await Promise.all((await emergencies.running()).map(present)) },
      };
    },
  });

  // A security officer's own task, whosever the emergency is: it takes access away and gives none.
  routes.session({
    method: "post",
    path: "/emergencies/:id/stop",
    action: "emergency.stop",
    params: BY_ID,
    body: STOP,
    async handle({ account, params: { id }, body: { reason }, concerning }) {
      const { owner } = await emergencies.find(id);
      concerning({ owner, object: id, details: { reason } });
      const stopped = await emergencies.stop(id, account, reason);
      await releases.settled(stopped.requester);
      return { status: 200, json: await present(stopped) };
    },
  });

  // The shares that were handed on, and all that the requester needs to check them: signed by the patient.
  routes.session({
    method: "get",
    path: "/emergencies/:id/keys",
    action: "emergency.release",
    params: BY_ID,
    relation,
    refusal: notYours,
    async handle({ account, response, params: { id }, concerning }) {
      await open.begin(account, response);
      const { emergency, approvals } = await emergencies.release(id);
      const released = [];
      for (const [approver, { statement, shares: statements }] of approvals) {
        released.push({
          approver: presentAccount(await accountOf(approver)),
          approval: statement,
          shares: statements,
        });
      }
      const opened = new Set(emergency.epochIds);
      const ownerEpochs = await epochs.ofOwner(emergency.owner);
      const ownerDevices = (await devices.ofOwner(emergency.owner)).filter(
        ({ enrolment }) => enrolment.region === MEDICAL,
      );
      concerning({ details: { approvals: released.length, epochs: opened.size } });
      return {
        status: 200,
        json: {
          emergency: await present(emergency),
          owner: presentAccount(await accountOf(emergency.owner)),
          epochs: ownerEpochs.filter(({ _id }) => opened.has(_id)).map(({ statement }) => statement),
          devices: ownerDevices.map(({ statement }) => statement),
          deviceRevocations: ownerDevices.flatMap(({ revocation }) => revocation ?? []),
          approvals: released,
        },
      };
    },
  });
}
