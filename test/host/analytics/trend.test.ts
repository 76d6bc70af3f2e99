import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { trendOf } from "../../../host/analytics/index.ts";
import { createRandom } from "../../../host/base/index.ts";

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 5, 8);
const at = (hours: readonly number[], value: (hour: number, i: number) => number) =>
  hours.map((hour, i) => ({ time: START + hour * HOUR, value: value(hour, i) }));
const range = (n: number, step = 1) => Array.from({ length: n }, (_, i) => i * step);
const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);

describe("Theil-Sen trend", () => {
  it("agrees with a calculation by hand", () => {
    const t = [1, 2, 3, 4, 10, 12, 18];
    const y = [9, 15, 19, 20, 45, 55, 78];
    const trend = trendOf(at(t, (_, i) => y[i] as number));
    expect(trend.perHour).toBeCloseTo(4, 9);
    const slopes = sorted(
      t.flatMap((a, i) =>
        t.slice(i + 1).map((b, j) => ((y[i + 1 + j] as number) - (y[i] as number)) / (b - a)),
      ),
    );
    // n = 7: Var S = 7*6*19/18 = 44.33, C = 13.05, ranks (21 - 13.05)/2 = 3.97 and 18.03 rounded outwards.
    expect(trend.low).toBeCloseTo(slopes[2] as number, 9);
    expect(trend.high).toBeCloseTo(slopes[18] as number, 9);
  });

  it("finds an exact line, whatever a quarter of the samples says", () => {
    const wild = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: -20, max: 20 }), fc.array(wild, { maxLength: 5 }), (slope, outliers) => {
        const samples = at(range(24), (hour, i) =>
          outliers[Math.floor(i / 4)] !== undefined && i % 4 === 0
            ? (outliers[i / 4] as number)
            : 80 + slope * hour,
        );
        const trend = trendOf(samples);
        expect(trend.perHour).toBeCloseTo(slope, 5);
        expect(trend.now).toBeCloseTo(80 + slope * 23, 4);
        expect(trend.low).toBeLessThanOrEqual(trend.perHour);
        expect(trend.high).toBeGreaterThanOrEqual(trend.perHour);
      }),
    );
  });

  it("is the median of all slopes, moves with shifts and scales, and does not care about order", () => {
    const value = fc.integer({ min: 30, max: 200 });
    fc.assert(
      fc.property(fc.array(value, { minLength: 3, maxLength: 30 }), (values) => {
        const hours = range(values.length);
        const samples = at(hours, (_, i) => values[i] as number);
        const slopes = sorted(
          hours.flatMap((a) =>
            hours.slice(a + 1).map((b) => ((values[b] as number) - (values[a] as number)) / (b - a)),
          ),
        );
        const half = slopes.length >> 1;
        const expected =
          slopes.length % 2
            ? (slopes[half] as number)
            : ((slopes[half - 1] as number) + (slopes[half] as number)) / 2;
        const trend = trendOf(samples);
        expect(trend.perHour).toBeCloseTo(expected, 8);
        expect(trendOf([...samples].reverse())).toEqual(trend);
        const scaled = trendOf(samples.map(({ time, value: v }) => ({ time, value: -2 * v + 7 })));
        expect(scaled.perHour).toBeCloseTo(-2 * trend.perHour, 7);
      }),
    );
  });

  it("covers the true slope about as often as it says", () => {
    const random = createRandom(5, 1);
    let covered = 0;
    const rounds = 600;
    for (let round = 0; round < rounds; round++) {
      const { low, high } = trendOf(at(range(20, 0.25), (hour) => 3 * hour + random.normal()));
      covered += low <= 3 && 3 <= high ? 1 : 0;
    }
    expect(covered / rounds).toBeGreaterThan(0.93);
    expect(covered / rounds).toBeLessThan(0.99);
  });

  it("says so when three samples bound it on neither side", () => {
    const { low, high } = trendOf(at([0, 1, 2], (hour) => hour));
    expect([low, high]).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });

  it("stays exact up to 512 samples, and joins a day of seconds in blocks", () => {
    expect(trendOf(at(range(512, 0.01), (hour) => 2 * hour)).points).toBe(512);
    const day = trendOf(at(range(86_400, 1 / 3600), (hour) => 70 + hour / 2));
    expect(day.points).toBe(512);
    expect(day.perHour).toBeCloseTo(0.5, 6);
  });

  it("refuses what makes no line", () => {
    for (const samples of [[], at([0, 1], () => 1), at([4, 4, 4], () => 1)]) {
      expect(() => trendOf(samples)).toThrow(expect.objectContaining({ code: "ANALYTICS_SAMPLES" }));
    }
  });
});
