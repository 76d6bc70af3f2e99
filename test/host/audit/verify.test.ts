import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { type AuditEntry, entryHash } from "../../../host/audit/chain.ts";
import { type AuditReport, verifyLog } from "../../../host/audit/index.ts";
import type { Bytes } from "../../../host/base/index.ts";
import { toBase64Url } from "../../../host/base/index.ts";
import {
  AUDIT_KEY,
  generateSigningSeed,
  importSigningKey,
  type SigningKey,
  signStatement,
} from "../../../host/sealing/index.ts";
import { chainOf, eventOf, headOf, idOf, rechain } from "./made-log.ts";

const LOG = idOf(1);
const OTHER_LOG = idOf(2);

let key: SigningKey;
let otherKey: SigningKey;

beforeAll(async () => {
  key = await importSigningKey(generateSigningSeed());
  otherKey = await importSigningKey(generateSigningSeed());
});

/** A log as an exporter finds it. */
interface Evidence {
  readonly entries: readonly unknown[];
  readonly heads: readonly string[];
}

function verify(
  { entries, heads }: Evidence,
  keys: readonly Bytes[] = [key.publicKey],
): Promise<AuditReport> {
  return verifyLog({ log: LOG, entries, heads, keys, keyStatements: [] });
}

/** A log of `length` entries with heads of some of them, the last among them. */
async function logOf(
  length: number,
  headsAt: readonly number[] = [],
): Promise<{ entries: AuditEntry[]; heads: string[] }> {
  const entries = chainOf(LOG, length);
  const vouched = [...new Set([...headsAt.filter((n) => n >= 1 && n < length), length])];
  const heads = await Promise.all(vouched.map((n) => headOf(LOG, key, entries[n - 1] as AuditEntry)));
  return { entries, heads };
}

const at = (entries: readonly AuditEntry[], n: number) => entries[n - 1] as AuditEntry;
const replaced = (entries: readonly AuditEntry[], n: number, entry: unknown) =>
  entries.map((old, i) => (i === n - 1 ? entry : old));
const edited = (entry: AuditEntry): AuditEntry => ({ ...entry, details: { ...entry.details, edited: 1 } });
const rehashed = (entry: AuditEntry): AuditEntry => ({ ...entry, hash: entryHash(entry) });

describe("a log that nobody touched", () => {
  it("is found whole, with what vouches for it", async () => {
    const log = await logOf(100, [10, 50]);
    expect(await verify(log)).toEqual({
      damage: null,
      log: LOG,
      entries: 100,
      end: { sequence: 100, hash: at(log.entries, 100).hash },
      heads: 3,
      vouchedUpTo: 100,
      keys: [toBase64Url(key.publicKey)],
    });
  });

  it("says how far its heads vouch for it", async () => {
    const { entries } = await logOf(20);
    const heads = [await headOf(LOG, key, at(entries, 15))];
    expect(await verify({ entries, heads })).toMatchObject({ damage: null, vouchedUpTo: 15 });
    expect(await verify({ entries, heads: [] })).toMatchObject({ damage: null, vouchedUpTo: 0 });
    expect(await verify({ entries: [], heads: [] })).toMatchObject({ damage: null, end: null });
  });

  it("takes the same head twice, and heads in any order", async () => {
    const { entries, heads } = await logOf(30, [3, 9]);
    expect(await verify({ entries, heads: [...heads, ...heads].reverse() })).toMatchObject({
      damage: null,
      heads: 3,
    });
  });
});

describe("the verifier says what is wrong and where", () => {
  const cases: [
    string,
    { kind: string; sequence: number },
    (log: { entries: AuditEntry[]; heads: string[] }) => Evidence | Promise<Evidence>,
  ][] = [
    [
      "an edit",
      { kind: "edited", sequence: 7 },
      ({ entries, heads }) => ({ heads, entries: replaced(entries, 7, edited(at(entries, 7))) }),
    ],
    [
      "an edit with its hash made anew",
      { kind: "edited", sequence: 7 },
      ({ entries, heads }) => ({ heads, entries: replaced(entries, 7, rehashed(edited(at(entries, 7)))) }),
    ],
    [
      "an edit of a hash alone",
      { kind: "edited", sequence: 7 },
      ({ entries, heads }) => ({
        heads,
        entries: replaced(entries, 7, { ...at(entries, 7), hash: at(entries, 8).hash }),
      }),
    ],
    [
      "an edit of what an entry remembers",
      { kind: "edited", sequence: 7 },
      ({ entries, heads }) => ({
        heads,
        entries: replaced(entries, 7, { ...at(entries, 7), previous: at(entries, 8).hash }),
      }),
    ],
    [
      "an edit of the last entry with its hash made anew",
      { kind: "rewritten", sequence: 11 },
      ({ entries, heads }) => ({ heads, entries: replaced(entries, 20, rehashed(edited(at(entries, 20)))) }),
    ],
    [
      "an edit of the last but one with its hash made anew",
      { kind: "edited", sequence: 19 },
      ({ entries, heads }) => ({ heads, entries: replaced(entries, 19, rehashed(edited(at(entries, 19)))) }),
    ],
    [
      "a field more",
      { kind: "malformed", sequence: 7 },
      ({ entries, heads }) => ({ heads, entries: replaced(entries, 7, { ...at(entries, 7), extra: 1 }) }),
    ],
    [
      "something that is no entry",
      { kind: "malformed", sequence: 7 },
      ({ entries, heads }) => ({ heads, entries: replaced(entries, 7, null) }),
    ],
    [
      "a history written anew behind an edit",
      { kind: "rewritten", sequence: 11 },
      ({ entries, heads }) => ({
        heads,
        entries: rechain(LOG, replaced(entries, 14, edited(at(entries, 14))) as AuditEntry[]),
      }),
    ],
    [
      "a deletion",
      { kind: "deleted", sequence: 7 },
      ({ entries, heads }) => ({ heads, entries: entries.filter((_, i) => i !== 6) }),
    ],
    [
      "a deletion of the first",
      { kind: "deleted", sequence: 1 },
      ({ entries, heads }) => ({ heads, entries: entries.slice(1) }),
    ],
    [
      "a deletion of several",
      { kind: "deleted", sequence: 7 },
      ({ entries, heads }) => ({ heads, entries: entries.filter((_, i) => i < 6 || i > 9) }),
    ],
    [
      "a truncation",
      { kind: "truncated", sequence: 18 },
      ({ entries, heads }) => ({ heads, entries: entries.slice(0, 17) }),
    ],
    ["a log that is gone", { kind: "truncated", sequence: 1 }, ({ heads }) => ({ heads, entries: [] })],
    [
      "two entries exchanged",
      { kind: "reordered", sequence: 7 },
      ({ entries, heads }) => ({
        heads,
        entries: replaced(replaced(entries, 7, at(entries, 8)) as AuditEntry[], 8, at(entries, 7)),
      }),
    ],
    [
      "an entry moved forward",
      { kind: "reordered", sequence: 7 },
      ({ entries, heads }) => ({
        heads,
        entries: [...entries.slice(0, 6), ...entries.slice(7, 15), at(entries, 7), ...entries.slice(15)],
      }),
    ],
    [
      "an entry moved back",
      { kind: "reordered", sequence: 7 },
      ({ entries, heads }) => ({
        heads,
        entries: [...entries.slice(0, 6), at(entries, 15), ...entries.slice(6, 14), ...entries.slice(15)],
      }),
    ],
    [
      "an entry twice in a row",
      { kind: "duplicated", sequence: 8 },
      ({ entries, heads }) => ({
        heads,
        entries: [...entries.slice(0, 7), at(entries, 7), ...entries.slice(7)],
      }),
    ],
    [
      "an entry again later",
      { kind: "duplicated", sequence: 13 },
      ({ entries, heads }) => ({
        heads,
        entries: [...entries.slice(0, 12), at(entries, 7), ...entries.slice(12)],
      }),
    ],
    [
      "an entry again earlier",
      { kind: "duplicated", sequence: 7 },
      ({ entries, heads }) => ({
        heads,
        entries: [...entries.slice(0, 6), at(entries, 12), ...entries.slice(6)],
      }),
    ],
    [
      "an entry of another log in place of one",
      { kind: "foreign", sequence: 7 },
      ({ entries, heads }) => ({ heads, entries: replaced(entries, 7, at(chainOf(OTHER_LOG, 20), 7)) }),
    ],
    [
      "an entry of another log between two",
      { kind: "foreign", sequence: 7 },
      ({ entries, heads }) => ({
        heads,
        entries: [...entries.slice(0, 6), at(chainOf(OTHER_LOG, 20), 12), ...entries.slice(6)],
      }),
    ],
    [
      "another log's entry of an earlier number",
      { kind: "foreign", sequence: 7 },
      ({ entries, heads }) => ({
        heads,
        entries: [...entries.slice(0, 6), at(chainOf(OTHER_LOG, 20), 2), ...entries.slice(6)],
      }),
    ],
    [
      "another log altogether",
      { kind: "foreign", sequence: 1 },
      ({ heads }) => ({ heads, entries: chainOf(OTHER_LOG, 20) }),
    ],
    [
      "a head that another key signed",
      { kind: "head", sequence: 0 },
      async ({ entries, heads }) => ({
        entries,
        heads: [...heads, await headOf(LOG, otherKey, at(entries, 5))],
      }),
    ],
    [
      "a head of another log",
      { kind: "head", sequence: 5 },
      async ({ entries, heads }) => ({
        entries,
        heads: [...heads, await headOf(OTHER_LOG, key, at(entries, 5))],
      }),
    ],
    [
      "a head that does not fit",
      { kind: "rewritten", sequence: 1 },
      async ({ entries, heads }) => ({
        entries,
        heads: [...heads, await headOf(LOG, key, { ...at(entries, 5), hash: at(entries, 6).hash })],
      }),
    ],
    [
      "two heads of two histories",
      { kind: "rewritten", sequence: 11 },
      async ({ entries, heads }) => ({
        entries,
        heads: [...heads, await headOf(LOG, key, { ...at(entries, 20), hash: at(entries, 6).hash })],
      }),
    ],
  ];

  it.each(cases)("%s", async (_, expected, tamper) => {
    const log = await logOf(20, [10]);
    const { damage } = await verify(await tamper(log));
    expect(damage).toMatchObject(expected);
    expect(damage?.message).toMatch(/^.+\.$/);
  });
});

/** One change of a log: what it does, and the entry that it concerns first. */
type Mutation = (log: { entries: AuditEntry[]; heads: string[] }, n: number, m: number) => Evidence | null;

/** Every text in an entry one character off, every number one more, every name another. */
function altered(value: unknown): unknown {
  if (typeof value === "string") {
    return value === "" ? "x" : `${value.slice(0, -1)}${value.endsWith("0") ? "1" : "0"}`;
  }
  return typeof value === "number" ? value + 1 : value === null ? idOf(77) : { edited: 1 };
}

const FIELDS = Object.keys(at(chainOf(LOG, 1), 1));
const mutations: Record<string, Mutation> = {
  ...Object.fromEntries(
    FIELDS.map((field): [string, Mutation] => [
      `edit ${field}`,
      ({ entries, heads }, n) => ({
        heads,
        entries: replaced(entries, n, {
          ...at(entries, n),
          [field]: altered(at(entries, n)[field as keyof AuditEntry]),
        }),
      }),
    ]),
  ),
  "edit and hash": ({ entries, heads }, n) => ({
    heads,
    entries: replaced(entries, n, rehashed(edited(at(entries, n)))),
  }),
  "edit and chain anew": ({ entries, heads }, n) => ({
    heads,
    entries: rechain(LOG, replaced(entries, n, edited(at(entries, n))) as AuditEntry[]),
  }),
  delete: ({ entries, heads }, n) => ({ heads, entries: entries.filter((_, i) => i !== n - 1) }),
  "delete and chain anew": ({ entries, heads }, n) => ({
    heads,
    entries: rechain(
      LOG,
      entries.filter((_, i) => i !== n - 1),
    ),
  }),
  truncate: ({ entries, heads }, n) => ({ heads, entries: entries.slice(0, n - 1) }),
  swap: ({ entries, heads }, n, m) =>
    n === m
      ? null
      : { heads, entries: replaced(replaced(entries, n, at(entries, m)) as AuditEntry[], m, at(entries, n)) },
  move: ({ entries, heads }, n, m) => {
    const rest = entries.filter((_, i) => i !== n - 1);
    return n === m
      ? null
      : { heads, entries: [...rest.slice(0, m - 1), at(entries, n), ...rest.slice(m - 1)] };
  },
  duplicate: ({ entries, heads }, n, m) => ({
    heads,
    entries: [...entries.slice(0, m), at(entries, n), ...entries.slice(m)],
  }),
  "replace by a foreign one": ({ entries, heads }, n) => ({
    heads,
    entries: replaced(entries, n, at(chainOf(OTHER_LOG, n), n)),
  }),
  "insert a foreign one": ({ entries, heads }, n, m) => ({
    heads,
    entries: [...entries.slice(0, m - 1), at(chainOf(OTHER_LOG, n), n), ...entries.slice(m - 1)],
  }),
  "insert a new one and chain anew": ({ entries, heads }, n) => {
    const added = { ...at(entries, n), requestId: "made-up" };
    return { heads, entries: rechain(LOG, [...entries.slice(0, n - 1), added, ...entries.slice(n - 1)]) };
  },
  "damage a head": ({ entries, heads }, n, m) => {
    const [head, ...rest] = heads as [string, ...string[]];
    const position = (n * 131 + m * 17) % head.length;
    const other = head[position] === "A" ? "B" : "A";
    return { entries, heads: [...rest, head.slice(0, position) + other + head.slice(position + 1)] };
  },
};

describe("any single change of any log", () => {
  it.each(Object.entries(mutations))("%s", async (_, mutate) => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 30 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 4 }),
        fc.nat(),
        fc.nat(),
        async (length, headsAt, a, b) => {
          const log = await logOf(length, headsAt);
          const changed = mutate(log, 1 + (a % length), 1 + (b % length));
          fc.pre(changed !== null);
          expect((await verify(log)).damage).toBeNull();
          expect((await verify(changed)).damage).not.toBeNull();
        },
      ),
      { numRuns: 60 },
    );
  });

  it("as far as one place can be told, names the first entry that is wrong", async () => {
    const exact = [
      "edit details",
      "edit at",
      "edit owner",
      "edit sequence",
      "edit hash",
      "delete",
      "truncate",
      "swap",
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...exact),
        fc.integer({ min: 2, max: 30 }),
        fc.nat(),
        fc.nat(),
        async (name, length, a, b) => {
          const log = await logOf(length, []);
          const [n, m] = [1 + (a % length), 1 + (b % length)];
          const changed = mutations[name]?.(log, n, m) ?? null;
          fc.pre(changed !== null);
          const { damage } = await verify(changed);
          expect(damage?.sequence).toBe(name === "swap" ? Math.min(n, m) : n);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe("a log whose key changed", () => {
  const handOver = (log: string, from: SigningKey, to: SigningKey) =>
    signStatement(AUDIT_KEY, { log, key: toBase64Url(to.publicKey), at: 1 }, from);

  it("is followed from the key that is known through the statements of each to the next", async () => {
    const third = await importSigningKey(generateSigningSeed());
    const entries = chainOf(LOG, 30);
    const heads = [
      await headOf(LOG, key, at(entries, 10)),
      await headOf(LOG, otherKey, at(entries, 20)),
      await headOf(LOG, third, at(entries, 30)),
    ];
    const keyStatements = [await handOver(LOG, otherKey, third), await handOver(LOG, key, otherKey)];
    const verifyWith = (trusted: SigningKey, statements: readonly string[]) =>
      verifyLog({ log: LOG, entries, heads, keys: [trusted.publicKey], keyStatements: statements });
    expect(await verifyWith(key, keyStatements)).toMatchObject({ damage: null, heads: 3 });
    expect((await verifyWith(key, keyStatements.slice(1))).damage).toMatchObject({ kind: "head" });
    // The last key does not speak for the ones before it.
    expect((await verifyWith(third, keyStatements)).damage).toMatchObject({ kind: "head" });
    const ofOtherLog = [await handOver(OTHER_LOG, key, otherKey), await handOver(LOG, otherKey, third)];
    expect((await verifyWith(key, ofOtherLog)).damage).toMatchObject({ kind: "head" });
  });
});

describe("a long log", () => {
  it("of 100,000 entries is walked to the end, and one flipped letter in it is found", async () => {
    const entries = chainOf(LOG, 100_000, eventOf);
    const heads = await Promise.all([1, 50_000, 100_000].map((n) => headOf(LOG, key, at(entries, n))));
    expect(await verify({ entries, heads })).toMatchObject({
      damage: null,
      entries: 100_000,
      vouchedUpTo: 100_000,
    });
    const changed = replaced(entries, 77_777, { ...at(entries, 77_777), requestId: "request-77778" });
    expect((await verify({ entries: changed, heads })).damage).toMatchObject({
      kind: "edited",
      sequence: 77_777,
    });
  });
});
