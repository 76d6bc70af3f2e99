import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bootstrapClusters,
  median,
  medianAbsoluteDeviation,
  quantile,
  rankArea,
  selectKth,
} from "../../../host/statistics/index.ts";

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
/** Few different values: ties everywhere. */
const tied = fc.integer({ min: -3, max: 3 });
const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);

describe("order statistics", () => {
  it("the k-th smallest is what sorting gives, with and without ties", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(finite, tied), { minLength: 1, maxLength: 200 }),
        fc.nat(),
        (values, n) => {
          const k = n % values.length;
          expect(selectKth(Float64Array.from(values), k)).toBe(sorted(values)[k]);
        },
      ),
    );
  });

  it("stays fast on sorted, reversed and constant input of a million", () => {
    const size = 1_000_000;
    for (const value of [(i: number) => i, (i: number) => -i, () => 5, (i: number) => i % 2]) {
      const values = Float64Array.from({ length: size }, (_, i) => value(i));
      expect(selectKth(values, size / 2)).toBe(values.sort()[size / 2]);
    }
  });

  it("median and deviation survive up to half of the values being absurd", () => {
    expect(median([])).toBeNaN();
    expect(median([4])).toBe(4);
    expect(median([1, 2, 3, 10])).toBe(2.5);
    expect(medianAbsoluteDeviation([1, 1, 2, 2, 4, 6, 9])).toBe(1);
    expect(median([70, 71, 72, 1e300, -1e300])).toBe(71);
  });

  it("quantiles interpolate and keep order", () => {
    expect(quantile([1, 2, 3, 4, 5], 0.25)).toBe(2);
    expect(quantile([1, 2], 0.75)).toBe(1.75);
    fc.assert(
      fc.property(
        fc.array(tied, { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, share) => {
          const value = quantile(values, share);
          expect(value).toBeGreaterThanOrEqual(Math.min(...values));
          expect(value).toBeLessThanOrEqual(Math.max(...values));
        },
      ),
    );
  });
});

describe("area under the curve", () => {
  it("is the share of pairs in the right order, ties half", () => {
    const judged = fc.record({ score: tied, positive: fc.boolean() });
    fc.assert(
      fc.property(fc.array(judged, { maxLength: 40 }), (all) => {
        const yes = all.filter(({ positive }) => positive);
        const no = all.filter(({ positive }) => !positive);
        const wins = yes.flatMap((a) =>
          no.map((b) => (a.score > b.score ? 1 : a.score === b.score ? 0.5 : 0)),
        );
        const expected = wins.reduce<number>((sum, win) => sum + win, 0) / wins.length;
        const area = rankArea(all, ({ positive }) => positive);
        expect(Number.isNaN(area) ? area : Math.round(area * 1e9)).toEqual(
          Number.isNaN(expected) ? expected : Math.round(expected * 1e9),
        );
      }),
    );
  });
});

describe("bootstrap over clusters", () => {
  it("is repeatable, and wider than one that takes readings of one patient for independent", () => {
    const patients = Array.from({ length: 30 }, (_, i) => Array.from({ length: 50 }, () => i % 5));
    const mean = (drawn: readonly (readonly number[])[]) => {
      const all = drawn.flat();
      return all.reduce((sum, value) => sum + value, 0) / all.length;
    };
    const honest = bootstrapClusters(patients, mean, { rounds: 200 });
    expect(bootstrapClusters(patients, mean, { rounds: 200 })).toEqual(honest);
    expect(honest.value).toBe(2);
    expect(honest.low).toBeLessThan(2);
    expect(honest.high).toBeGreaterThan(2);
    const naive = bootstrapClusters(
      patients.flat().map((value) => [value]),
      mean,
      { rounds: 100 },
    );
    expect(honest.high - honest.low).toBeGreaterThan(3 * (naive.high - naive.low));
  });
});
