import { setImmediate } from "node:timers/promises";
import { type Clock, MedcloudletError, randomBytes, toHex } from "../base/index.ts";
import { type Collection, isDuplicate } from "../store/index.ts";
import {
  type AuditEntry,
  type AuditEvent,
  type ChainEnd,
  chainEntry,
  chainStart,
  parseEvent,
} from "./chain.ts";
import { createTurns, type StoredTurn } from "./turns.ts";

/** An entry as the store keeps it. */
export type StoredEntry = AuditEntry & {
  /** The sequence number, so that no two entries can have the same. */
  readonly _id: string;
  /** Which process wrote it: two may write the same thing in the same millisecond, which makes the same hash. */
  readonly writer: string;
};

/** Entries that one insert takes: about a quarter of a megabyte. */
const MAX_GROUP = 500;
/** How often others may be faster with the next number. Each time at least one of them got on. */
const MAX_ATTEMPTS = 100;
const ATTEMPTS_BEFORE_ASKING = 2;
const LEAST_TURN_MS = 20;
const SEQUENCE_DIGITS = 16;

/** A sequence number whose order as text is its order as a number. */
export function entryId(sequence: number): string {
  return String(sequence).padStart(SEQUENCE_DIGITS, "0");
}

interface Waiting {
  readonly event: AuditEvent;
  readonly at: number;
  resolve(entry: AuditEntry): void;
  reject(error: unknown): void;
}

/** The one place of a process that adds to the chain. */
export interface ChainWriter {
  /** Fulfils once the entry is on disk. Rejects when that is not known: the entry may be there all the same. */
  append(event: AuditEvent): Promise<AuditEntry>;
  /** The end of the chain as it is in the store, with everything that was acknowledged before. */
  end(): Promise<ChainEnd>;
}

/**
 * Appends by group commit: while one group of entries is being written, the next gathers, so that a hundred requests at
 * once wait for two writes and not for a hundred. A crash leaves a beginning of the group, which is a whole chain.
 *
 * Several processes may write to one database: a sequence number can be taken once, and who comes too late chains its
 * entries anew behind the other's. An entry that this process has seen must stay what it was: otherwise nothing more is
 * written, for it would bury the damage.
 */
export function createChainWriter(options: {
  readonly log: string;
  readonly collection: Collection<StoredEntry>;
  readonly turns: Collection<StoredTurn>;
  readonly clock: Clock;
  /** Called after each group. */
  readonly onCommitted: (end: ChainEnd) => void;
}): ChainWriter {
  const { log, collection, clock, onCommitted } = options;
  const writer = toHex(randomBytes(16));
  const turns = createTurns(writer, options.turns);
  const queue: Waiting[] = [];
  const asking: { resolve(end: ChainEnd): void; reject(error: unknown): void }[] = [];
  let draining = false;
  /** The last entry this process saw, and whether others may have written behind it since. */
  let seen: ChainEnd | null = null;
  let stale = true;

  async function readEnd(): Promise<ChainEnd> {
    const [last] = await collection.find({}, { sort: { _id: -1 }, limit: 1 });
    if (seen !== null && seen.sequence > 0) {
      const same =
        last?.sequence === seen.sequence ? last : await collection.findOne({ _id: entryId(seen.sequence) });
      if (same?.hash !== seen.hash) {
        throw new MedcloudletError(
          "AUDIT_LOG_DAMAGED",
          `Entry ${seen.sequence} of the audit log is not what was written: run \`medcloudlet audit verify\` and see ` +
            'OPERATIONS, "The audit log".',
        );
      }
    }
    seen = last === undefined ? chainStart(log) : { sequence: last.sequence, hash: last.hash };
    stale = false;
    return seen;
  }

  /** Takes those of `entries` that got into the store off `waiting`; they are its beginning. */
  async function settle(entries: readonly AuditEntry[], waiting: Waiting[]): Promise<void> {
    const ids = entries.map(({ sequence }) => entryId(sequence));
    const ours = await collection.find({ _id: { $in: ids }, writer });
    const hashes = new Set(ours.map(({ hash }) => hash));
    for (const entry of entries.filter(({ hash }) => hashes.has(hash))) {
      waiting.shift()?.resolve(entry);
    }
  }

  /** True when all of them were written, false when another process took a number first. */
  async function insert(entries: readonly AuditEntry[]): Promise<boolean> {
    try {
      await collection.insertMany(
        entries.map((entry) => ({ _id: entryId(entry.sequence), ...entry, writer })),
      );
      return true;
    } catch (error) {
      if (isDuplicate(error)) {
        return false;
      }
      throw error;
    }
  }

  async function commit(waiting: Waiting[]): Promise<void> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS && waiting.length > 0; attempt++) {
      const startedAt = performance.now();
      let end = stale || seen === null ? await readEnd() : seen;
      const entries = waiting.map(({ event, at }) => {
        const entry = chainEntry(end, event, at);
        end = entry;
        return entry;
      });
      if (await insert(entries)) {
        seen = { sequence: end.sequence, hash: end.hash };
        for (const entry of entries) {
          waiting.shift()?.resolve(entry);
        }
        onCommitted(seen);
        return;
      }
      stale = true;
      await settle(entries, waiting);
      if (attempt % ATTEMPTS_BEFORE_ASKING === ATTEMPTS_BEFORE_ASKING - 1) {
        await turns.ask(Math.ceil(2 * (performance.now() - startedAt)) + LEAST_TURN_MS);
      }
    }
    if (waiting.length > 0) {
      throw new MedcloudletError("AUDIT_LOG_BUSY", "Other processes kept the audit log busy: try again.", {
        status: 503,
      });
    }
  }

  async function drain(): Promise<void> {
    while (queue.length > 0 || asking.length > 0) {
      await setImmediate(); // what the requests of one turn of the event loop append goes into one group
      const group = queue.splice(0, MAX_GROUP);
      const askers = asking.splice(0);
      try {
        await commit(group);
        if (askers.length > 0) {
          const end = await readEnd();
          for (const { resolve } of askers) {
            resolve(end);
          }
        }
        await turns.giveWay();
      } catch (error) {
        stale = true;
        for (const { reject } of [...group, ...askers]) {
          reject(error);
        }
      }
    }
    draining = false;
  }

  /** The loop never ends while there is work, so whoever asks for the end of the chain stands in the same queue. */
  function work(): void {
    if (!draining) {
      draining = true;
      drain();
    }
  }

  return {
    append(event) {
      return new Promise((resolve, reject) => {
        queue.push({ event: parseEvent(event), at: clock.now(), resolve, reject });
        work();
      });
    },
    end() {
      return new Promise((resolve, reject) => {
        asking.push({ resolve, reject });
        work();
      });
    },
  };
}
