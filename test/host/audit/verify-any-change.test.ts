import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AuditEntry } from "../../../host/audit/chain.ts";
import { at, type Evidence, edited, LOG, logOf, OTHER_LOG, rehashed, replaced, verify } from "./evidence.ts";
import { chainOf, idOf, rechain } from "./made-log.ts";

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
