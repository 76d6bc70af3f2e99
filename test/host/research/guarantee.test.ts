import { describe, expect, it } from "vitest";
import { createJudge, type Guarantee, parseSchema, type TaxonomyNode } from "../../../host/research/index.ts";
import { DISEASES, tableOf } from "./tables.ts";

const ANY: Guarantee = { k: 2, l: 1, t: 1, diversity: "distinct" };

/** What the first `rows` of a column reach. */
function reachedBy(
  values: readonly string[],
  rows: number,
  sensitive: { type: "numeric" } | { type: "categorical"; hierarchy?: TaxonomyNode },
  guarantee: Partial<Guarantee> = {},
) {
  const schema = parseSchema({
    columns: [
      { name: "q", role: "quasi-identifier", type: "numeric" },
      { name: "s", role: "sensitive", ...sensitive },
    ],
  });
  const table = tableOf(
    schema,
    values.map((value) => ["1", value]),
  );
  const order = Uint32Array.from({ length: values.length }, (_, i) => i);
  return createJudge(table, { ...ANY, ...guarantee }).reached(order, 0, rows);
}

describe("t-closeness, by the numbers of Li, Li and Venkatasubramanian (ICDE 2007)", () => {
  const salaries = (first: readonly number[]) =>
    [...first, ...[3, 4, 5, 6, 7, 8, 9, 10, 11].filter((salary) => !first.includes(salary))].map(
      (salary) => `${salary}000`,
    );

  it("moves salaries along their order: 0.375 and 0.167 (section 5.1)", () => {
    expect(reachedBy(salaries([3, 4, 5]), 3, { type: "numeric" }).t.s).toBeCloseTo(0.375, 12);
    expect(reachedBy(salaries([6, 8, 11]), 3, { type: "numeric" }).t.s).toBeCloseTo(1 / 6, 12);
  });

  it("moves diseases through their hierarchy: what stays in a group costs less", () => {
    const values = DISEASES.children.flatMap(({ children }) => children);
    const kind = { type: "categorical", hierarchy: DISEASES } as const;
    // Respiratory alone: half of the mass crosses the root, at cost 1.
    expect(reachedBy(values, 3, kind).t.s).toBeCloseTo(0.5, 12);
    const [flu, pneumonia, bronchitis, ulcer, gastritis, cancer] = values as [string, ...string[]];
    // One of each group: 1/3 moves within each group, at cost 1/2.
    const mixed = [flu, ulcer, pneumonia, bronchitis, gastritis, cancer] as string[];
    expect(reachedBy(mixed, 2, kind).t.s).toBeCloseTo(1 / 3, 12);
    // Without the hierarchy the same class is as far away as any two values of six.
    expect(reachedBy(mixed, 2, { type: "categorical" }).t.s).toBeCloseTo(2 / 3, 12);
  });

  it("comes to the same number whether it walks through all values or sorts the few of a class", () => {
    const many = Array.from({ length: 900 }, (_, i) => String((i * 7919) % 701));
    for (const rows of [2, 5, 40, 170, 899]) {
      const p = new Map<number, number>();
      for (const value of many.slice(0, rows)) {
        p.set(Number(value), (p.get(Number(value)) ?? 0) + 1 / rows);
      }
      const ordered = [...new Set(many.map(Number))].sort((a, b) => a - b);
      let carried = 0;
      let work = 0;
      for (const value of ordered) {
        carried += (p.get(value) ?? 0) - many.filter((text) => Number(text) === value).length / many.length;
        work += Math.abs(carried);
      }
      expect(reachedBy(many, rows, { type: "numeric" }).t.s).toBeCloseTo(work / (ordered.length - 1), 10);
    }
  });
});

describe("l-diversity (Machanavajjhala et al., 2007)", () => {
  const values = ["a", "a", "a", "b", "c", "a", "b", "c"];

  it("counts different values, or e to the entropy", () => {
    expect(reachedBy(values, 5, { type: "categorical" }).l.s).toBe(3);
    const entropy = -(0.6 * Math.log(0.6) + 0.4 * Math.log(0.2));
    expect(reachedBy(values, 5, { type: "categorical" }, { diversity: "entropy" }).l.s).toBeCloseTo(
      Math.exp(entropy),
      12,
    );
    // Three values are 3-diverse by count long before their entropy says so.
    expect(Math.exp(entropy)).toBeLessThan(2.7);
  });

  it("does not let a missing value hide anybody", () => {
    expect(reachedBy(["a", "", "a", "", "b"], 4, { type: "categorical" }).l.s).toBe(1);
    expect(reachedBy(["", "", "a", "b"], 2, { type: "categorical" }, { diversity: "entropy" }).l.s).toBe(0);
  });

  it("leaves nothing behind from one class to the next", () => {
    const schema = parseSchema({
      columns: [
        { name: "q", role: "quasi-identifier", type: "numeric" },
        { name: "s", role: "sensitive", type: "categorical" },
      ],
    });
    const table = tableOf(
      schema,
      values.map((value) => ["1", value]),
    );
    const order = Uint32Array.from(values.keys());
    const judge = createJudge(table, { k: 2, l: 2, t: 0.9, diversity: "distinct" });
    for (let round = 0; round < 3; round++) {
      expect(judge.holds(order, 0, 3)).toBe(false);
      expect(judge.holds(order, 2, 5)).toBe(true);
      expect(judge.reached(order, 0, 8).t.s).toBeCloseTo(0, 12);
    }
  });
});
