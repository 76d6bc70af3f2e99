import { type Bytes, equalBytes, fromHex, toBase64Url } from "../base/index.ts";
import { auditKeysFrom, readAuditHead } from "../sealing/index.ts";
import { type AuditEntry, type ChainEnd, chainStart, entryHash, parseEntry } from "./chain.ts";

/** What can be wrong with a log. */
export type DamageKind =
  /** Not an entry at all. */
  | "malformed"
  /** Its contents do not fit its hash, or its hash was made anew and the next entry remembers the old one. */
  | "edited"
  | "deleted"
  /** Entries at the end are missing that a signed head has seen. */
  | "truncated"
  | "reordered"
  | "duplicated"
  /** A whole entry that was never in this place of this log. */
  | "foreign"
  /** The chain is whole but is not the one that a head was signed for. */
  | "rewritten"
  /** A head that no known key signed, or of another log. */
  | "head";

/** The first thing that is wrong. */
export interface Damage {
  readonly kind: DamageKind;
  /** The first sequence number that is wrong; of a rewritten log the first that may be. 0: a head that cannot be read. */
  readonly sequence: number;
  /** One sentence for people. */
  readonly message: string;
}

export interface AuditReport {
  readonly damage: Damage | null;
  /** Id of the log; null when nothing told it. */
  readonly log: string | null;
  /** Entries that were read. */
  readonly entries: number;
  /** The last entry up to which everything fits. */
  readonly end: ChainEnd | null;
  /** Heads that fit. */
  readonly heads: number;
  /** The newest entry that a fitting head vouches for; those behind it could be exchanged unseen. */
  readonly vouchedUpTo: number;
  /** Keys that signed fitting heads, base64url. */
  readonly keys: readonly string[];
}

/** Bytes of each hash that are kept, to tell a repeated entry from a foreign one. */
const PREFIX_BYTES = 8;

/**
 * Checks a whole log, entry by entry as they come: memory grows by eight bytes an entry and by the heads.
 *
 * Every single change below the newest head is found. The kind is a conclusion from what the neighbours remember: whoever
 * changes several things at once can make it say "deleted" of what was edited, but never nothing. Without a head, the
 * newest entries can be missing unseen.
 */
export async function verifyLog(options: {
  /** From the first, in the order of the chain; not trusted to have any form. */
  readonly entries: AsyncIterable<unknown> | Iterable<unknown>;
  /** Head statements from the log, from its witness file, from patients: in any order, also the same twice. */
  readonly heads: readonly string[];
  /** Statements by which keys handed over to the next. */
  readonly keyStatements: readonly string[];
  /** Public keys known to be the log's. */
  readonly keys: readonly Bytes[];
  /** Id of the log. Without it, that of the first good head. */
  readonly log?: string;
  /** Called after each entry. */
  readonly onEntry?: () => void;
}): Promise<AuditReport> {
  const heads = await readHeads(options);
  const walk = createWalk(heads.log, heads.bySequence);
  for await (const entry of options.entries) {
    walk.take(entry);
    options.onEntry?.();
  }
  const walked = walk.finish();
  const damage = [heads.damage, walked.damage]
    .filter((found) => found !== null)
    .sort((a, b) => a.sequence - b.sequence)[0];
  return {
    damage: damage ?? null,
    log: heads.log,
    entries: walked.entries,
    end: walked.end,
    heads: walked.heads,
    vouchedUpTo: walked.vouchedUpTo,
    keys: heads.keys,
  };
}

interface Heads {
  readonly log: string | null;
  /** Hashes that heads give for a sequence number: one, unless the log was forked. */
  readonly bySequence: ReadonlyMap<number, ReadonlySet<string>>;
  readonly keys: readonly string[];
  readonly damage: Damage | null;
}

async function readHeads(options: {
  readonly heads: readonly string[];
  readonly keyStatements: readonly string[];
  readonly keys: readonly Bytes[];
  readonly log?: string;
}): Promise<Heads> {
  let log = options.log ?? null;
  const bySequence = new Map<number, Set<string>>();
  const signers: Bytes[] = [];
  let damage: Damage | null = null;
  const refuse = (sequence: number, message: string) => {
    if (damage === null || sequence < damage.sequence) {
      damage = { kind: "head", sequence, message };
    }
  };
  let keys: readonly Bytes[] = options.keys;
  let keysOf: string | null = null;
  for (const statement of new Set(options.heads)) {
    if (log !== null && keysOf !== log) {
      keys = await auditKeysFrom(log, options.keys, options.keyStatements);
      keysOf = log;
    }
    const signed = await readAuditHead(statement, keys);
    if (signed === null) {
      refuse(0, "A head is not signed by a key that is known to be the log's.");
      continue;
    }
    const { head, key } = signed;
    log ??= head.log;
    if (head.log !== log) {
      refuse(head.sequence, `A head for entry ${head.sequence} is of another log (${head.log}).`);
      continue;
    }
    const hashes = bySequence.get(head.sequence) ?? new Set();
    bySequence.set(head.sequence, hashes.add(head.hash));
    if (!signers.some((signer) => equalBytes(signer, key))) {
      signers.push(key);
    }
  }
  return { log, bySequence, keys: signers.map(toBase64Url), damage };
}

/** An entry whose contents fit its hash, at a place where it does not belong. */
interface Stray {
  readonly entry: AuditEntry;
  /** The number that belongs there. */
  readonly expected: number;
  /** What the entries behind it show. */
  expectedSeen: boolean;
  copySeen: "same" | "other" | null;
  linked: boolean;
}

interface Walk {
  take(raw: unknown): void;
  finish(): {
    readonly damage: Damage | null;
    readonly entries: number;
    readonly end: ChainEnd | null;
    readonly heads: number;
    readonly vouchedUpTo: number;
  };
}

function createWalk(log: string | null, heads: ReadonlyMap<number, ReadonlySet<string>>): Walk {
  const prefixes = createPrefixes();
  let end: ChainEnd | null = log === null ? null : chainStart(log);
  let entries = 0;
  let fitting = 0;
  let vouchedUpTo = 0;
  let damage: Damage | null = null;
  let stray: Stray | null = null;

  const report = (kind: DamageKind, sequence: number, message: string): void => {
    damage ??= { kind, sequence, message };
  };

  function take(raw: unknown): void {
    entries++;
    if (damage !== null) {
      return;
    }
    const entry = parseEntry(raw);
    if (stray !== null) {
      lookBehind(stray, entry);
      return;
    }
    const expected = (end?.sequence ?? 0) + 1;
    if (entry === null) {
      report("malformed", expected, `Entry ${expected} is not of the form that entries have.`);
    } else if (entryHash(entry) !== entry.hash) {
      report("edited", expected, `Entry ${expected} was edited: its contents do not fit its hash.`);
    } else if (entry.sequence < expected) {
      refuseEarlier(entry, expected);
    } else if (entry.sequence > expected || (end !== null && entry.previous !== end.hash)) {
      stray = { entry, expected, expectedSeen: false, copySeen: null, linked: false };
    } else {
      accept(entry);
    }
  }

  function accept(entry: AuditEntry): void {
    const { sequence, hash } = entry;
    const since = vouchedUpTo + 1;
    for (const vouched of heads.get(sequence) ?? []) {
      if (vouched !== hash) {
        const range = since === sequence ? `Entry ${sequence} is` : `Entries ${since} to ${sequence} are`;
        report("rewritten", since, `${range} not what the log's key signed: the chain was written anew.`);
        return;
      }
      fitting++;
      vouchedUpTo = sequence;
    }
    prefixes.push(hash);
    end = { sequence, hash };
  }

  function refuseEarlier({ sequence, hash }: AuditEntry, expected: number): void {
    if (prefixes.matches(sequence, hash)) {
      report("duplicated", expected, `Entry ${sequence} is there again where entry ${expected} belongs.`);
    } else {
      report(
        "foreign",
        expected,
        `Where entry ${expected} belongs is another entry ${sequence}, never in this log.`,
      );
    }
  }

  /** What the rest of the log tells about an entry that does not belong where it is. */
  function lookBehind(found: Stray, entry: AuditEntry | null): void {
    if (entry === null) {
      return;
    }
    if (entry.sequence === found.entry.sequence) {
      found.copySeen ??= entry.hash === found.entry.hash ? "same" : "other";
    } else if (entry.sequence === found.expected) {
      found.expectedSeen = true;
    }
    if (entry.sequence === found.entry.sequence - 1 && entry.hash === found.entry.previous) {
      found.linked = true;
    }
    if (entry.sequence === found.entry.sequence + 1 && entry.previous === found.entry.hash) {
      found.linked = true;
    }
  }

  function judge(found: Stray): void {
    const { entry, expected, expectedSeen, copySeen, linked } = found;
    if (entry.sequence === expected) {
      judgeBreak(found);
    } else if (copySeen === "same") {
      report(
        "duplicated",
        expected,
        `Entry ${entry.sequence} is there twice, once where entry ${expected} belongs.`,
      );
    } else if (copySeen === "other" || (expectedSeen && !linked)) {
      report("foreign", expected, `Where entry ${expected} belongs is an entry that was never in this log.`);
    } else if (expectedSeen) {
      report("reordered", expected, `Entry ${expected} is missing from its place and comes later.`);
    } else {
      const last = entry.sequence - 1;
      const range = expected === last ? `Entry ${expected} is` : `Entries ${expected} to ${last} are`;
      report("deleted", expected, `${range} missing.`);
    }
  }

  /** The entry has the right number and remembers another predecessor: one of the two is not what it was. */
  function judgeBreak({ entry, expected, linked, copySeen }: Stray): void {
    const vouched = heads.get(expected);
    const genuine = vouched === undefined ? linked && vouchedUpTo < expected - 1 : vouched.has(entry.hash);
    if (genuine && expected > 1 && copySeen === null) {
      report(
        "edited",
        expected - 1,
        `Entry ${expected - 1} was edited and its hash made anew: entry ${expected} remembers another.`,
      );
    } else {
      report(
        "foreign",
        expected,
        `Entry ${expected} does not follow entry ${expected - 1}: it is not of this log.`,
      );
    }
  }

  function finish(): ReturnType<Walk["finish"]> {
    if (stray !== null) {
      judge(stray);
    }
    const last = end?.sequence ?? 0;
    const missing = Math.max(0, ...heads.keys());
    if (damage === null && missing > last) {
      const range = missing === last + 1 ? `Entry ${missing} is` : `Entries ${last + 1} to ${missing} are`;
      report("truncated", last + 1, `${range} missing at the end: a signed head has seen them.`);
    }
    return { damage, entries, end: entries === 0 ? null : end, heads: fitting, vouchedUpTo };
  }

  return { take, finish };
}

/** The first bytes of each hash so far, by sequence number from 1. */
function createPrefixes(): { push(hash: string): void; matches(sequence: number, hash: string): boolean } {
  let bytes = new Uint8Array(PREFIX_BYTES * 1024);
  let length = 0;
  const prefixOf = (hash: string) => fromHex(hash.slice(0, 2 * PREFIX_BYTES));
  return {
    push(hash) {
      if (length === bytes.length) {
        const longer = new Uint8Array(2 * length);
        longer.set(bytes);
        bytes = longer;
      }
      bytes.set(prefixOf(hash), length);
      length += PREFIX_BYTES;
    },
    matches(sequence, hash) {
      const offset = (sequence - 1) * PREFIX_BYTES;
      return equalBytes(bytes.subarray(offset, offset + PREFIX_BYTES), prefixOf(hash));
    },
  };
}
