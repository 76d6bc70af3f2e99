import { type Clock, MedcloudletError } from "../base/index.ts";
import type { Account, Accounts, Notices } from "../identity/index.ts";
import { EMERGENCY_APPROVAL, EMERGENCY_REQUEST, type Region, verifyStatement } from "../sealing/index.ts";
import { isDuplicate, type Store } from "../store/index.ts";
import { type ExpiryLog, writeExpiries } from "./emergency-expiry.ts";
import { createEmergencyNotices } from "./emergency-notices.ts";
import {
  CLOCK_SKEW_MS,
  checkApproval,
  type Emergency,
  isOpen,
  type KeptApproval,
  NEW_EMERGENCY,
  withoutApprovalsOf,
  withoutShares,
} from "./emergency-record.ts";
import type { EmergencyShares } from "./emergency-shares.ts";
import {
  approvalsNeeded,
  approve,
  checkDuration,
  type EmergencyState,
  end,
  ownApproval,
  phaseOf,
  releasable,
  withdraw,
} from "./emergency-state.ts";

/** Break-glass: requests, approvals, and what they open until when. */
export interface Emergencies {
  /**
   * Takes a request. The patient and the trustees are told before it stands.
   * @throws MedcloudletError `STATEMENT_INVALID`, `EMERGENCY_REQUESTER_MISMATCH`, `EMERGENCY_REQUEST_STALE`,
   *   `EMERGENCY_TIME_LIMIT`, `EMERGENCY_UNPREPARED`, `EMERGENCY_TRUSTEES_TOO_FEW`, `EMERGENCY_EXISTS`
   */
  request(requester: Account, statement: string, about: (owner: string) => void): Promise<Emergency>;
  /**
   * Takes a request that a device's call makes in the name of a doctor on duty; `createDeviceCalls` has checked it.
   * @throws MedcloudletError `EMERGENCY_EXISTS`
   */
  openByDevice(requester: Account, called: Omit<Emergency, keyof typeof NEW_EMERGENCY>): Promise<Emergency>;
  /** Writes into the log which emergencies have ended by themselves; gives how many. */
  writeExpiries(log: ExpiryLog): Promise<number>;
  /** @throws MedcloudletError `EMERGENCY_UNKNOWN` */
  find(emergencyId: string): Promise<Emergency>;
  /** What somebody has to do with: as patient for good, as requester and trustee while it lasts. Newest first. */
  of(account: Account): Promise<Emergency[]>;
  /**
   * Takes a trustee's signed approval.
   * @throws MedcloudletError `STATEMENT_INVALID`, `APPROVAL_MISMATCH`, `EMERGENCY_REQUESTER_CLOSED`,
   *   `EMERGENCY_SHARES_OUTDATED`, and the refusals of the state
   */
  approve(emergencyId: string, approver: Account, statement: string): Promise<Emergency>;
  withdraw(emergencyId: string, approver: Account): Promise<Emergency>;
  /** @throws MedcloudletError `EMERGENCY_ENDED` */
  end(emergencyId: string): Promise<Emergency>;
  /** Ends one that still waits, as its requester cannot be asked any more; one that is open stays so. */
  giveUp(emergencyId: string): Promise<Emergency>;
  /** Ends it for the patient's sake; patient and requester are told by whom and why. @throws MedcloudletError `EMERGENCY_ENDED` */
  stop(emergencyId: string, officer: Account, reason: string): Promise<Emergency>;
  /** All that wait or are open now, whosever they are; those that end first come first. */
  running(): Promise<Emergency[]>;
  /** Deletes what was handed on in emergencies that are over: whoever takes this store later finds none of it. */
  forget(): Promise<void>;
  /**
   * The approvals whose shares the requester may have now.
   * @throws MedcloudletError `EMERGENCY_PENDING`, `EMERGENCY_ENDED`
   */
  release(emergencyId: string): Promise<{ emergency: Emergency; approvals: [string, KeptApproval][] }>;
  /** Until when (ms since 1970 UTC) an open emergency lets somebody read a region; null when none does. */
  allowedUntil(owner: string, reader: string, region: Region): Promise<number | null>;
}

/** How old a signed request or approval may be when it arrives, beyond the clock skew. */
const FRESH_MS = 60_000;
const LIST_MOST = 100;
const RETRIES_MOST = 32;

export async function createEmergencies(
  store: Store,
  rooms: { readonly accounts: Accounts; readonly shares: EmergencyShares; readonly notices: Notices },
  clock: Clock,
): Promise<Emergencies> {
  const { accounts, shares } = rooms;
  const tell = createEmergencyNotices(rooms);
  const emergencies = await store.collection<Emergency>({
    name: "emergencies",
    indexes: [
      { fields: { owner: 1, requestedAt: 1 } },
      { fields: { requester: 1, until: 1 } },
      { fields: { until: 1 } },
      { fields: { holdsShares: 1, until: 1 } },
    ],
  });

  const find = async (id: string): Promise<Emergency> => {
    const emergency = await emergencies.findOne({ _id: { $eq: id } });
    if (emergency === null) {
      throw new MedcloudletError(
        "EMERGENCY_UNKNOWN",
        "There is no emergency with this id: look it up in the list of emergencies.",
        { status: 404 },
      );
    }
    return emergency;
  };

  /**
   * Decides on the state as it is and writes what came of it, all in one document and only if nobody else wrote in
   * between: two approvals at once can neither be lost nor count for one another.
   */
  const change = async (
    id: string,
    decide: (emergency: Emergency, now: number) => EmergencyState<KeptApproval>,
  ): Promise<Emergency> => {
    for (let attempt = 0; attempt < RETRIES_MOST; attempt++) {
      const before = await find(id);
      const { approvals, openedAt, endedAt } = decide(before, clock.now());
      const holdsShares = endedAt === null;
      const changes = {
        approvals: holdsShares ? approvals : withoutShares(approvals),
        openedAt,
        endedAt,
        version: before.version + 1,
        holdsShares,
      };
      const { matched } = await emergencies.updateOne(
        { _id: { $eq: id }, version: { $eq: before.version } },
        { $set: changes },
      );
      if (matched === 1) {
        return { ...before, ...changes };
      }
    }
    throw new MedcloudletError(
      "EMERGENCY_BUSY",
      "Too many people act on this emergency at once: try again.",
      { status: 503 },
    );
  };

  const forget = async (): Promise<void> => {
    const over = await emergencies.find({ holdsShares: { $eq: true }, until: { $lte: clock.now() } });
    for (const { _id, version, approvals } of over) {
      await emergencies.updateOne(
        { _id: { $eq: _id }, version: { $eq: version } },
        { $set: { approvals: withoutShares(approvals), version: version + 1, holdsShares: false } },
      );
    }
  };

  /** The notices first: a crash in between leaves a warning too many, never an emergency that nobody heard of. */
  const stand = async (emergency: Emergency, requester: Account): Promise<Emergency> => {
    await tell.requested(emergency, requester);
    try {
      await emergencies.insertOne(emergency);
    } catch (cause) {
      throw isDuplicate(cause) ? existing(cause) : cause;
    }
    await tell.willEnd(emergency);
    return emergency;
  };

  /** Those of some accounts that are closed now. */
  const closedAmong = async (ids: readonly string[]): Promise<ReadonlySet<string>> => {
    const found = await Promise.all(ids.map((id) => accounts.byId(id)));
    return new Set(found.flatMap((account) => (account === null || isOpen(account) ? [] : account._id)));
  };

  return {
    find,
    async request(requester, statement, about) {
      const { signingKey } = await accounts.keysOf(requester);
      const request = await verifyStatement(EMERGENCY_REQUEST, statement, signingKey);
      const { emergencyId, patient, reason, requestedAt, until } = request;
      await forget();
      const owner = await accounts.byHandle(patient);
      if (owner !== null && owner.role === "patient") {
        about(owner._id);
      }
      if (request.requester !== requester._id) {
        throw new MedcloudletError(
          "EMERGENCY_REQUESTER_MISMATCH",
          "A request is made by the one who signs it alone.",
          { status: 403 },
        );
      }
      const now = clock.now();
      if (requestedAt > now + CLOCK_SKEW_MS || requestedAt < now - FRESH_MS - CLOCK_SKEW_MS) {
        throw new MedcloudletError(
          "EMERGENCY_REQUEST_STALE",
          "The request's time is too far from the clock here: check both clocks and sign it anew.",
          { status: 403 },
        );
      }
      checkDuration(requestedAt, until);
      // Whether there is such a patient at all is not told to those who guess.
      const prepared = owner === null ? null : await shares.preparation(owner._id);
      if (owner === null || prepared === null) {
        throw new MedcloudletError(
          "EMERGENCY_UNPREPARED",
          `No patient "${patient}" has prepared for an emergency: only a consent can help.`,
          { status: 404 },
        );
      }
      const needed = approvalsNeeded(prepared.threshold);
      const others = prepared.trustees.filter((trustee) => trustee !== requester._id);
      if (others.length < needed) {
        throw new MedcloudletError(
          "EMERGENCY_TRUSTEES_TOO_FEW",
          "You are a trustee yourself, and without you there are too few: somebody else has to request.",
          { status: 409 },
        );
      }
      if ((await emergencies.findOne({ _id: { $eq: emergencyId } })) !== null) {
        throw existing();
      }
      const emergency: Emergency = {
        _id: emergencyId,
        owner: owner._id,
        requester: requester._id,
        statement,
        reason,
        setId: prepared.setId,
        epochIds: prepared.epochIds,
        trustees: prepared.trustees,
        needed,
        requestedAt,
        until,
        call: null,
        ...NEW_EMERGENCY,
      };
      return stand(emergency, requester);
    },
    openByDevice: (requester, called) => stand({ ...called, ...NEW_EMERGENCY }, requester),
    writeExpiries: (log) => writeExpiries(emergencies, log, clock),
    async of({ _id, role }) {
      const window = { sort: { requestedAt: -1, _id: 1 }, limit: LIST_MOST } as const;
      if (role === "patient") {
        return emergencies.find({ owner: { $eq: _id } }, window);
      }
      const live = { until: { $gt: clock.now() }, endedAt: { $eq: null } };
      return emergencies.find(
        { ...live, $or: [{ requester: { $eq: _id } }, { trustees: { $eq: _id } }] },
        window,
      );
    },
    async approve(id, approver, statement) {
      const { signingKey } = await accounts.keysOf(approver);
      const approval = await verifyStatement(EMERGENCY_APPROVAL, statement, signingKey);
      const before = await find(id);
      // A second account with the same key is the same person.
      const requester = await accounts.byId(before.requester);
      if (requester?.fingerprint === approver.fingerprint) {
        throw ownApproval();
      }
      const { approvedAt, expiresAt } = approval;
      const kept = { approvedAt, expiresAt, statement };
      // Who may not approve at all is told so before the approval itself is looked at.
      approve(before, approver._id, { ...kept, shares: [] }, clock.now());
      checkApproval(approval, { emergency: before, requester, approver, now: clock.now() });
      if (requester === null || !isOpen(requester)) {
        throw new MedcloudletError(
          "EMERGENCY_REQUESTER_CLOSED",
          "The requester's account is closed: somebody else has to request.",
          { status: 403 },
        );
      }
      const { owner, setId } = before;
      const epochIds = approval.epochs.map(({ epochId }) => epochId);
      const own = await shares.ofTrustee({ owner, setId, trustee: approver._id, epochIds });
      const closed = await closedAmong(Object.keys(before.approvals));
      const after = await change(id, (emergency, now) =>
        approve(withoutApprovalsOf(emergency, closed), approver._id, { ...kept, shares: own }, now),
      );
      await tell.approved(after, approver, approvedAt);
      await tell.opened(after);
      return after;
    },
    async withdraw(id, approver) {
      const after = await change(id, (emergency, now) => withdraw(emergency, approver._id, now));
      await tell.withdrawn(after, approver);
      return after;
    },
    async end(id) {
      const after = await change(id, end);
      await tell.ended(after);
      return after;
    },
    async giveUp(id) {
      const after = await change(id, (emergency, now) =>
        phaseOf(emergency, now) === "pending" ? end(emergency, now) : emergency,
      );
      if (after.endedAt !== null) {
        await tell.ended(after);
      }
      return after;
    },
    async stop(id, officer, reason) {
      const after = await change(id, end);
      await tell.stopped(after, officer, reason);
      await tell.ended(after);
      return after;
    },
    running: () =>
      emergencies.find(
        { until: { $gt: clock.now() }, endedAt: { $eq: null } },
        { sort: { until: 1, _id: 1 }, limit: LIST_MOST },
      ),
    forget,
    async release(id) {
      const emergency = await find(id);
      const approvals = releasable(emergency, clock.now()).map(
        ([approver, approval]): [string, KeptApproval] => [approver, approval],
      );
      await tell.opened(emergency);
      return { emergency, approvals };
    },
    async allowedUntil(owner, reader, region) {
      if (region !== "medical") {
        return null;
      }
      const now = clock.now();
      const fitting = await emergencies.find({
        requester: { $eq: reader },
        until: { $gt: now },
        owner: { $eq: owner },
        endedAt: { $eq: null },
      });
      const open = fitting.filter((emergency) => phaseOf(emergency, now) === "open");
      for (const emergency of open) {
        await tell.opened(emergency);
      }
      return open.length === 0 ? null : Math.max(...open.map(({ until }) => until));
    },
  };
}

function existing(cause?: unknown): MedcloudletError {
  return new MedcloudletError("EMERGENCY_EXISTS", "There is an emergency with this id already.", {
    status: 409,
    cause,
  });
}
