import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decimate as decimateSeries, usualStep } from "../../../host/web/readings/decimate.ts";
import { createSortedSeries, firstFrom } from "../../../host/web/readings/sorted-series.ts";

const SECOND = 1000;
const steady = (count: number, valueAt: (i: number) => number) => ({
  times: Float64Array.from({ length: count }, (_, i) => i * SECOND),
  values: Float64Array.from({ length: count }, (_, i) => valueAt(i)),
});

function decimate(times: Float64Array, values: Float64Array, from: number, to: number, columns: number) {
  const series = createSortedSeries();
  series.insert({ times: times.slice(), values: values.slice() });
  return decimateSeries(series, from, to, columns);
}

describe("decimation", () => {
  it("draws few samples as they are", () => {
    const { times, values } = steady(10, (i) => i * i);
    const drawn = decimate(times, values, 0, 9 * SECOND, 100);
    expect(drawn.times).toEqual([...times]);
    expect(drawn.values).toEqual([...values]);
  });

  it("keeps every peak of a million samples in at most four points a column of pixels", () => {
    const { times, values } = steady(1_000_000, (i) => (i === 654_321 ? 250 : 70 + (i % 7)));
    const drawn = decimate(times, values, 0, 1_000_000 * SECOND, 1000);
    expect(drawn.times.length).toBeLessThanOrEqual(4 * 1001);
    expect(Math.max(...drawn.values.map(Number))).toBe(250);
    expect(drawn.times[drawn.values.indexOf(250)]).toBe(654_321 * SECOND);
  });

  it("leaves gaps where values are missing, or where nothing came for long", () => {
    const { times, values } = steady(1000, () => 70);
    values.fill(Number.NaN, 300, 320);
    const late = times.map((time, i) => (i >= 600 ? time + 600 * SECOND : time));
    for (const columns of [100, 10_000]) {
      const drawn = decimate(late, values, 0, late[999] as number, columns);
      const gaps = drawn.times.filter((_, i) => drawn.values[i] === null);
      expect(gaps.length, `${columns} columns`).toBe(2);
      expect(gaps[0]).toBeGreaterThan(299 * SECOND);
      expect(gaps[0]).toBeLessThan(320 * SECOND);
      expect(gaps[1]).toBeGreaterThan(599 * SECOND);
      expect(gaps[1]).toBeLessThan(1200 * SECOND);
    }
  });

  it("goes on to the edges of what is in view", () => {
    const { times, values } = steady(100, (i) => i);
    const drawn = decimate(times, values, 10.5 * SECOND, 20.5 * SECOND, 1000);
    expect([drawn.times[0], drawn.times.at(-1)]).toEqual([10 * SECOND, 21 * SECOND]);
  });

  it("draws only samples that there are, in order, with the least and the greatest among them", () => {
    const sample = fc.tuple(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 200 }));
    fc.assert(
      fc.property(
        fc.array(sample, { minLength: 1, maxLength: 400 }),
        fc.integer({ min: 1, max: 60 }),
        (some, columns) => {
          some.sort(([a], [b]) => a - b);
          const times = Float64Array.from(some, ([time]) => time);
          const values = Float64Array.from(some, ([, value]) => value);
          const drawn = decimate(times, values, 0, 5001, columns);
          const present = drawn.values.filter((value) => value !== null);
          expect([...drawn.times].sort((a, b) => a - b)).toEqual(drawn.times);
          expect(Math.min(...present)).toBe(Math.min(...values));
          expect(Math.max(...present)).toBe(Math.max(...values));
          for (const [i, value] of drawn.values.entries()) {
            expect(value === null || some.some(([t, v]) => t === drawn.times[i] && v === value)).toBe(true);
          }
        },
      ),
    );
  });

  it("finds the first sample from a time, and the usual distance of two", () => {
    const times = Float64Array.of(1, 2, 2, 5);
    expect([0, 1, 2, 3, 6].map((time) => firstFrom(times, time))).toEqual([0, 0, 1, 3, 4]);
    expect(usualStep(steady(1000, () => 0).times)).toBe(SECOND);
    expect(usualStep(new Float64Array(0))).toBe(0);
  });
});
