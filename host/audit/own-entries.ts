import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, fromHex, toHex } from "../base/index.ts";
import { type AuditEntry, type ChainEnd, entryHash, parseEntry } from "./chain.ts";

/** How far somebody saw the entries about themselves, to hold whoever shows them again to it. */
export interface SeenEntries {
  /** Sequence number of the last one. */
  readonly upTo: number;
  readonly count: number;
  /** SHA-256(digest before | entry's hash), one entry after the other, hex. */
  readonly digest: string;
}

/** What can be wrong with entries that are shown to whom they concern. */
export type OwnFaultKind =
  /** Not of the form that entries have. */
  | "malformed"
  /** Its contents do not fit its hash. */
  | "edited"
  /** Neither about the reader nor by them. */
  | "foreign"
  /** Not behind the one before. */
  | "order"
  /** Its neighbour in the log remembers another predecessor, or the signed head another last entry. */
  | "chain"
  /** Behind the end that the signed head tells of. */
  | "beyond"
  /** Entries that were seen before are missing, or are others now. */
  | "gone";

export interface OwnFault {
  readonly kind: OwnFaultKind;
  /** Null where it is no matter of a single entry. */
  readonly sequence: number | null;
}

export interface OwnReport {
  /** Those of the right form, oldest first; those with a fault of their own among them. */
  readonly entries: readonly AuditEntry[];
  readonly faults: readonly OwnFault[];
  /** Pairs of neighbours in the log that were both there and fitted, the signed head counted as one. */
  readonly links: number;
  /** To be kept for the next time; as it was where anything is wrong. */
  readonly seen: SeenEntries | null;
}

const NOTHING_SEEN: SeenEntries = { upTo: 0, count: 0, digest: "0".repeat(64) };

function withEntry({ count, digest }: SeenEntries, { sequence, hash }: AuditEntry): SeenEntries {
  return {
    upTo: sequence,
    count: count + 1,
    digest: toHex(sha256(concatBytes(fromHex(digest), fromHex(hash)))),
  };
}

/**
 * Checks the entries of a log that concern one account, as far as these can be checked without those of others: each by
 * its hash, neighbours by the chain, all against what was seen before and against a head whose signature the caller has
 * checked. That none was left out from the beginning can be seen by who reads the whole log alone.
 */
export function checkOwnEntries(
  raw: readonly unknown[],
  options: {
    readonly me: string;
    /** The end of the log when the entries were asked for, or later. */
    readonly head: ChainEnd;
    readonly seen: SeenEntries | null;
  },
): OwnReport {
  const { me, head, seen } = options;
  const entries: AuditEntry[] = [];
  const faults: OwnFault[] = [];
  let links = 0;
  let before: AuditEntry | null = null;
  let now = NOTHING_SEEN;
  let again = NOTHING_SEEN;
  for (const given of raw) {
    const entry = parseEntry(given);
    if (entry === null) {
      faults.push({ kind: "malformed", sequence: null });
      continue;
    }
    const { sequence, hash } = entry;
    entries.push(entry);
    const fault = (kind: OwnFaultKind) => faults.push({ kind, sequence });
    if (entryHash(entry) !== hash) {
      fault("edited");
    } else if (entry.owner !== me && entry.actor !== me) {
      fault("foreign");
    } else if (before !== null && sequence <= before.sequence) {
      fault("order");
    } else if (sequence > head.sequence) {
      fault("beyond");
    } else {
      const followed: AuditEntry | null = before?.sequence === sequence - 1 ? before : null;
      const fits =
        (followed === null || entry.previous === followed.hash) &&
        (sequence !== head.sequence || hash === head.hash);
      links += followed === null ? 0 : 1;
      links += sequence === head.sequence ? 1 : 0;
      if (!fits) {
        fault("chain");
      }
    }
    before = entry;
    now = withEntry(now, entry);
    if (seen !== null && sequence <= seen.upTo) {
      again = now;
    }
  }
  if (seen !== null && (again.count !== seen.count || again.digest !== seen.digest)) {
    faults.push({ kind: "gone", sequence: null });
  }
  return { entries, faults, links, seen: faults.length > 0 ? seen : now };
}
