import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSortedSeries, type SortedSeries } from "../../../host/web/readings/sorted-series.ts";

interface Run {
  readonly first: number;
  readonly least: number;
  readonly most: number;
  readonly last: number;
}

function runsOf(series: SortedSeries, begin: number, end: number, longest: number): Run[] {
  const runs: Run[] = [];
  series.walk(
    begin,
    end,
    longest,
    (first, least, most, last) => void runs.push({ first, least, most, last }),
  );
  return runs;
}

const block = fc.array(fc.tuple(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 300 })), {
  maxLength: 400,
});

describe("a sorted series", () => {
  it("holds what was put in, in the order of time, wherever it was put", () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 12 }), (blocks) => {
        const series = createSortedSeries();
        const all: number[] = [];
        for (const some of blocks) {
          const sorted = some.toSorted(([a], [b]) => a - b);
          series.insert({
            times: Float64Array.from(sorted, ([time]) => time),
            values: Float64Array.from(sorted, ([time]) => time * 2),
          });
          all.push(...sorted.map(([time]) => time));
        }
        all.sort((a, b) => a - b);
        expect([...series.times]).toEqual(all);
        expect([...series.values]).toEqual(all.map((time) => time * 2));
      }),
    );
  });

  it("sums up runs as one would by looking at each sample, whatever was put where", () => {
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 8 }), fc.nat(500), (blocks, longest) => {
        const series = createSortedSeries();
        for (const some of blocks) {
          const sorted = some.toSorted(([a], [b]) => a - b);
          series.insert({
            times: Float64Array.from(sorted, ([time]) => time),
            values: Float64Array.from(sorted, ([, value]) => (value > 280 ? Number.NaN : value)),
          });
        }
        const { times, values } = series;
        const present = [...times.keys()].filter((i) => !Number.isNaN(values[i]));
        const runs = runsOf(series, 0, times.length, longest);
        expect(runs[0]?.first).toBe(present[0]);
        expect(runs.at(-1)?.last).toBe(present.at(-1));
        for (const [at, { first, least, most, last }] of runs.entries()) {
          const within = present.filter((i) => i >= first && i <= last);
          expect(values[least]).toBe(Math.min(...within.map((i) => values[i] as number)));
          expect(values[most]).toBe(Math.max(...within.map((i) => values[i] as number)));
          const steps = within
            .slice(1)
            .map((i, k) => (times[i] as number) - (times[within[k] as number] as number));
          expect(Math.max(0, ...steps)).toBeLessThanOrEqual(longest);
          // Nothing that was measured lies between two runs.
          expect(present.some((i) => i > last && i < (runs[at + 1]?.first ?? 0))).toBe(false);
        }
      }),
    );
  });

  it("goes through a million samples in few runs", () => {
    const series = createSortedSeries();
    const count = 1_000_000;
    series.insert({
      times: Float64Array.from({ length: count }, (_, i) => i),
      values: new Float64Array(count),
    });
    expect(runsOf(series, 0, count, 10).length).toBeLessThan(1200);
    expect(runsOf(series, 5, count - 5, 10).length).toBeLessThan(1300);
  });
});
