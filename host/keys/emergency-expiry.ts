import type { AuditEntry, AuditEvent } from "../audit/index.ts";
import type { Clock } from "../base/index.ts";
import type { Collection } from "../store/index.ts";
import type { Emergency } from "./emergency-record.ts";

/** As far as the audit's log is needed here. */
export interface ExpiryLog {
  append(event: AuditEvent): Promise<unknown>;
  entries(query: {
    readonly after: number;
    readonly limit: number;
    readonly owner: string;
  }): Promise<AuditEntry[]>;
}

const EXPIRED = "emergency.expire";
/** Whoever took an entry upon itself has so long for it, ms; then another process looks after it. */
const CLAIM_MS = 60_000;
const AT_ONCE = 50;
const PAGE = 1000;

/**
 * Writes of each emergency that ended by itself that it did, once. The log and the mark that it was written are two
 * writes: whoever finds a claim without a mark looks into the log before writing.
 * @returns how many entries were written
 */
export async function writeExpiries(
  emergencies: Collection<Emergency>,
  log: ExpiryLog,
  clock: Clock,
): Promise<number> {
  const now = clock.now();
  // Emergencies of before there were such entries have no mark at all, and get none.
  const over = await emergencies.find(
    { until: { $lte: now }, endedAt: { $eq: null }, expiryWritten: { $eq: false } },
    { sort: { until: 1, _id: 1 }, limit: AT_ONCE },
  );
  let written = 0;
  for (const emergency of over) {
    const claimedBefore = emergency.expiryClaimedAt ?? null;
    if (claimedBefore !== null && claimedBefore > now - CLAIM_MS) {
      continue;
    }
    const { matched } = await emergencies.updateOne(
      { _id: { $eq: emergency._id }, expiryWritten: { $eq: false }, expiryClaimedAt: { $eq: claimedBefore } },
      { $set: { expiryClaimedAt: now } },
    );
    if (matched === 0) {
      continue;
    }
    if (claimedBefore === null || !(await isInLog(log, emergency))) {
      await log.append(eventOf(emergency));
      written++;
    }
    await emergencies.updateOne({ _id: { $eq: emergency._id } }, { $set: { expiryWritten: true } });
  }
  return written;
}

async function isInLog(log: ExpiryLog, { _id, owner }: Emergency): Promise<boolean> {
  let after = 0;
  for (;;) {
    const page = await log.entries({ after, limit: PAGE, owner });
    if (page.some(({ action, object }) => action === EXPIRED && object === _id)) {
      return true;
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) {
      return false;
    }
    after = last.sequence;
  }
}

function eventOf({ _id, owner, requester, openedAt, until }: Emergency): AuditEvent {
  return {
    action: EXPIRED,
    actor: null,
    actorRole: "service",
    owner,
    object: _id,
    outcome: "success",
    code: null,
    requestId: null,
    details: { requester, opened: openedAt === null ? "no" : "yes", until },
  };
}
