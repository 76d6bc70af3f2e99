import { describe, expect, it } from "vitest";
import type { AuditEntry } from "../../../host/audit/chain.ts";
import { verifyLog } from "../../../host/audit/index.ts";
import { toBase64Url } from "../../../host/base/index.ts";
import {
  AUDIT_KEY,
  generateSigningSeed,
  importSigningKey,
  type SigningKey,
  signStatement,
} from "../../../host/sealing/index.ts";
import {
  at,
  type Evidence,
  edited,
  key,
  LOG,
  logOf,
  OTHER_LOG,
  otherKey,
  rehashed,
  replaced,
  verify,
} from "./evidence.ts";
import { chainOf, eventOf, headOf, rechain } from "./made-log.ts";

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
