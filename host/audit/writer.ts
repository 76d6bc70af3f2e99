import { type Clock, MedcloudletError } from "../base/index.ts";
import { type Collection, isDuplicate } from "../store/index.ts";
import {
  type AuditEntry,
  type AuditEvent,
  type ChainEnd,
  chainEntry,
  chainStart,
  parseEvent,
} from "./chain.ts";

/** An entry as the store keeps it. `_id` is the sequence number, so that no two entries can have the same. */
export type StoredEntry = AuditEntry & { readonly _id: string };

/** Entries that one insert takes: about a quarter of a megabyte. */
const MAX_GROUP = 500;
/** How often others may be faster with the next number. Each time at least one of them got on. */
const MAX_ATTEMPTS = 100;
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
  /** The end of the chain as it is in the store, with everything that was appended before. */
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
  readonly clock: Clock;
  /** Called after each group. */
  readonly onCommitted: (end: ChainEnd) => void;
}): ChainWriter {
  const { log, collection, clock, onCommitted } = options;
  const queue: Waiting[] = [];
  let running: Promise<void> | null = null;
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

  /** Takes those of `entries` that are in the store off `waiting`; they are its beginning. */
  async function settle(entries: readonly AuditEntry[], waiting: Waiting[]): Promise<void> {
    const ids = entries.map(({ sequence }) => entryId(sequence));
    const hashes = new Set((await collection.find({ _id: { $in: ids } })).map(({ hash }) => hash));
    for (const entry of entries.filter(({ hash }) => hashes.has(hash))) {
      waiting.shift()?.resolve(entry);
    }
  }

  async function commit(waiting: Waiting[]): Promise<void> {
    for (let attempt = 0; waiting.length > 0; attempt++) {
      let end = stale || seen === null ? await readEnd() : seen;
      const entries = waiting.map(({ event, at }) => {
        const entry = chainEntry(end, event, at);
        end = entry;
        return entry;
      });
      try {
        await collection.insertMany(entries.map((entry) => ({ _id: entryId(entry.sequence), ...entry })));
      } catch (error) {
        stale = true;
        if (!isDuplicate(error) || attempt === MAX_ATTEMPTS) {
          throw error;
        }
        await settle(entries, waiting);
        continue;
      }
      seen = { sequence: end.sequence, hash: end.hash };
      for (const entry of entries) {
        waiting.shift()?.resolve(entry);
      }
      onCommitted(seen);
    }
  }

  async function drain(): Promise<void> {
    await null; // what is appended in this turn of the event loop goes into one group
    while (queue.length > 0) {
      const group = queue.splice(0, MAX_GROUP);
      await commit(group).catch((error: unknown) => {
        stale = true;
        for (const { reject } of group) {
          reject(error);
        }
      });
    }
    running = null;
  }

  return {
    append(event) {
      return new Promise((resolve, reject) => {
        queue.push({ event: parseEvent(event), at: clock.now(), resolve, reject });
        running ??= drain();
      });
    },
    async end() {
      while (running !== null) {
        await running;
      }
      return readEnd();
    },
  };
}
