import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  anonymize,
  createKeystream,
  type Guarantee,
  measure,
  parseSchema,
  releaseText,
  verifyRelease,
} from "../../../host/research/index.ts";
import { classesOf, releasedRows, tableOf, WARD, wardOf } from "./tables.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "research-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const guarantees = fc.record({
  k: fc.integer({ min: 2, max: 12 }),
  l: fc.constantFrom(1, 2, 3),
  t: fc.constantFrom(1, 0.6, 0.35),
  diversity: fc.constantFrom<Guarantee["diversity"]>("distinct", "entropy"),
});
const wards = fc
  .tuple(fc.integer({ min: 40, max: 300 }), fc.string())
  .map(([size, seed]) => wardOf(size, createKeystream(seed, "ward").below));

describe("strict Mondrian", () => {
  it("keeps every guarantee, by a check that shares no code with it, with and without suppression", async () => {
    const file = join(folder, "r");
    await fc.assert(
      fc.asyncProperty(wards, guarantees, fc.constantFrom(0, 0.1), async (rows, guarantee, suppression) => {
        const release = anonymize(tableOf(WARD, rows), { guarantee, suppression });
        expect(release.suppressed).toBeLessThanOrEqual(suppression * rows.length);
        for (const format of ["csv", "ndjson"] as const) {
          await writeFile(file, [...releaseText(release, { schema: WARD, format, seed: "x" })].join(""));
          const verification = await verifyRelease(file, { schema: WARD, guarantee, format });
          expect(verification.faults).toEqual([]);
          expect(verification.rows).toBe(rows.length - release.suppressed);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("says what is true of every row, and its classes do not overlap", () => {
    fc.assert(
      fc.property(wards, fc.integer({ min: 2, max: 10 }), (rows, k) => {
        const table = tableOf(WARD, rows);
        const release = anonymize(table, { guarantee: { k, l: 1, t: 1, diversity: "distinct" } });
        const classes = classesOf(release);
        expect(classes.flat().sort((a, b) => a - b)).toEqual(rows.map((_, i) => i));
        const combinations = new Map<string, number>();
        for (const [index, members] of classes.entries()) {
          for (const row of members) {
            const values = JSON.stringify((rows[row] as string[]).slice(1, 4));
            // Rows with the same values never part: that is what "strict" says.
            expect(combinations.get(values) ?? index).toBe(index);
            combinations.set(values, index);
          }
        }
        for (const released of releasedRows(release, WARD)) {
          const { age, sex, postcode, disease, cost } = released;
          const truth = rows.filter(
            ([, a, s, p, d, c]) =>
              d === disease &&
              Number(c) === cost &&
              (age === "*" || (age === null ? a === "" : inRange(a as string, age))) &&
              isIn(s as string, sex, { "*": ["f", "m"] }) &&
              isIn(p as string, postcode, GROUPS),
          );
          expect(truth.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 25 },
    );
  });

  it("cuts on while both sides hold k: no class of one column has two halves left", () => {
    const schema = parseSchema({
      columns: [{ name: "age", role: "quasi-identifier", type: "numeric" }],
    });
    const table = tableOf(
      schema,
      Array.from({ length: 1000 }, (_, i) => [String(i)]),
    );
    const release = anonymize(table, { guarantee: { k: 7, l: 1, t: 1, diversity: "distinct" } });
    const sizes = classesOf(release).map(({ length }) => length);
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(7);
    expect(Math.max(...sizes)).toBeLessThan(14);
  });

  it("does not depend on the order of the rows", () => {
    const rows = wardOf(200, createKeystream("order", "ward").below);
    const guarantee: Guarantee = { k: 4, l: 2, t: 0.7, diversity: "distinct" };
    const members = (list: string[][]) =>
      classesOf(anonymize(tableOf(WARD, list), { guarantee }))
        .map((rowsOfClass) => rowsOfClass.map((row) => (list[row] as string[])[0]).sort())
        .sort();
    expect(members([...rows].reverse())).toEqual(members(rows));
  });

  it("sets rows apart that miss a value, or publishes nothing where it cannot", () => {
    const schema = parseSchema({ columns: [{ name: "age", role: "quasi-identifier", type: "numeric" }] });
    const ages = (missing: number) =>
      releasedRows(
        anonymize(tableOf(schema, [...Array(missing).fill([""]), ...Array(6).fill(["30"])] as string[][]), {
          guarantee: { k: 3, l: 1, t: 1, diversity: "distinct" },
        }),
        schema,
      ).map(({ age }) => age);
    expect(new Set(ages(3))).toEqual(new Set([null, 30]));
    expect(new Set(ages(2))).toEqual(new Set(["*"]));
  });

  it("refuses what cannot be met, and says how far it got", () => {
    const rows = wardOf(30, createKeystream("few", "ward").below);
    const attempt = (guarantee: Guarantee) => () => anonymize(tableOf(WARD, rows), { guarantee });
    expect(attempt({ k: 31, l: 1, t: 1, diversity: "distinct" })).toThrow(
      expect.objectContaining({
        code: "RESEARCH_GUARANTEE_UNMET",
        message: expect.stringContaining("k is 31, and there are 30 rows in all"),
      }),
    );
    expect(attempt({ k: 2, l: 7, t: 1, diversity: "distinct" })).toThrow(
      expect.objectContaining({
        code: "RESEARCH_GUARANTEE_UNMET",
        message: expect.stringContaining('"disease" is no more than 6-diverse'),
        details: expect.objectContaining({
          reached: expect.objectContaining({ l: { disease: 6, cost: 12 } }),
        }),
      }),
    );
    expect(attempt({ k: 1, l: 1, t: 1, diversity: "distinct" })).toThrow(
      expect.objectContaining({ code: "RESEARCH_GUARANTEE_INVALID" }),
    );
  });

  it("leaves out the one row that spoils a class, within the budget, and nobody without need", () => {
    const schema = parseSchema({
      columns: [
        { name: "age", role: "quasi-identifier", type: "numeric" },
        { name: "country", role: "quasi-identifier", type: "categorical" },
      ],
    });
    const rows = [...Array.from({ length: 40 }, (_, i) => [String(30 + (i % 4)), "AT"]), ["104", "VA"]];
    const guarantee: Guarantee = { k: 10, l: 1, t: 1, diversity: "distinct" };
    const without = measure(anonymize(tableOf(schema, rows), { guarantee }));
    const trimmed = anonymize(tableOf(schema, rows), { guarantee, suppression: 0.05 });
    expect(trimmed.suppressed).toBe(1);
    expect(releasedRows(trimmed, schema).some(({ country }) => country !== "AT")).toBe(false);
    expect(measure(trimmed).ncp).toBeLessThan(without.ncp / 2);
    expect(anonymize(tableOf(schema, rows.slice(0, 40)), { guarantee, suppression: 0.05 }).suppressed).toBe(
      0,
    );
  });
});

describe("a release", () => {
  const rows = wardOf(120, createKeystream("ids", "ward").below);
  const release = anonymize(tableOf(WARD, rows), { guarantee: { k: 5, l: 2, t: 1, diversity: "distinct" } });

  it("has no identifiers in it", () => {
    const text = [...releaseText(release, { schema: WARD, format: "csv", seed: "x" })].join("");
    expect(text).not.toMatch(/Patient/);
    expect(text.split("\n")[0]).toBe("row_id,age,sex,postcode,disease,cost");
  });

  it("has fresh row ids and another order with every seed, and the same with the same", () => {
    const first = releasedRows(release, WARD, "one");
    expect(releasedRows(release, WARD, "one")).toEqual(first);
    const second = releasedRows(release, WARD, "two");
    const ids = (list: typeof first) => list.map(({ row_id }) => row_id);
    expect(new Set([...ids(first), ...ids(second)]).size).toBe(240);
    const costs = (list: typeof first) => list.map(({ cost }) => cost);
    expect(costs(second)).not.toEqual(costs(first));
    expect(costs(first)).not.toEqual(rows.map(([, , , , , cost]) => Number(cost)));
  });
});

const GROUPS: Record<string, readonly string[]> = {
  all: ["1010", "1020", "1030", "2010", "2020", "3010"],
  "10**": ["1010", "1020", "1030"],
  "20**": ["2010", "2020"],
  "30**": ["3010"],
};

function inRange(text: string, published: unknown): boolean {
  const value = Number(text);
  const [low, high] = Array.isArray(published)
    ? (published as number[])
    : [published as number, published as number];
  return text !== "" && value >= (low as number) && value <= (high as number);
}

function isIn(value: string, published: unknown, groups: Record<string, readonly string[]>): boolean {
  const names = (Array.isArray(published) ? published : [published]) as string[];
  return names.some((name) => name === value || (groups[name]?.includes(value) ?? false));
}
