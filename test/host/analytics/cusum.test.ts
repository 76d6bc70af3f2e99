import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CUSUM_START, runLength, stepCusum, thresholdFor } from "../../../host/analytics/index.ts";
import { createRandom } from "../../../host/base/index.ts";

/** Average of run lengths on simulated normal values. */
function simulated(allowance: number, threshold: number, shift: number, runs: number): number {
  const random = createRandom(11, Math.round(100 * (threshold + shift)));
  let values = 0;
  for (let run = 0; run < runs; run++) {
    for (let state = CUSUM_START, alarm = null as string | null; alarm === null; values++) {
      const step = stepCusum(state, random.normal() + shift, { allowance, threshold, limit: 50 });
      state = step.state;
      alarm = step.alarm;
    }
  }
  return values / runs;
}

describe("cumulative sums", () => {
  it("follow the worked definition", () => {
    let state = CUSUM_START;
    const seen: (string | null)[] = [];
    for (const z of [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]) {
      const step = stepCusum(state, z);
      state = step.state;
      seen.push(step.alarm);
    }
    // Half a deviation is allowed, so ten values bring the sum to 5 and the eleventh beyond.
    expect(seen.indexOf("high")).toBe(10);
    expect(state).toEqual(CUSUM_START);
    expect(stepCusum({ high: 0, low: 4.9 }, -3).alarm).toBe("low");
  });

  it("one wild value alone is no alarm, two in a row are not ignored", () => {
    const once = stepCusum(CUSUM_START, 1e9);
    expect(once).toEqual({ state: { high: 2.5, low: 0 }, alarm: null });
    expect(stepCusum(stepCusum(once.state, 1e9).state, 1e9).alarm).toBe("high");
  });

  it("never become negative, and mirror", () => {
    const any = fc.double({ min: -10, max: 10, noNaN: true });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 100 }), (values) => {
        let up = CUSUM_START;
        let down = CUSUM_START;
        for (const z of values) {
          const [a, b] = [stepCusum(up, z), stepCusum(down, -z)];
          expect(a.state.high).toBeGreaterThanOrEqual(0);
          expect(b.state).toEqual({ high: a.state.low, low: a.state.high });
          up = a.state;
          down = b.state;
        }
      }),
    );
  });

  it.each([
    [0.5, 4, 0, 168],
    [0.5, 5, 0, 465],
    [0.5, 5, 0.5, 38],
    [0.5, 5, 1, 10.4],
    [0.5, 4, 1, 8.38],
  ])("k=%d h=%d shift=%d has the run length of the tables, %d", (allowance, threshold, shift, table) => {
    // Montgomery, Introduction to Statistical Quality Control, table of ARLs of the tabular CUSUM.
    expect(runLength({ allowance, threshold, shift })).toBeGreaterThan(0.95 * table);
    expect(runLength({ allowance, threshold, shift })).toBeLessThan(1.05 * table);
    const found = simulated(allowance, threshold, shift, 1500);
    expect(found).toBeGreaterThan(0.9 * table);
    expect(found).toBeLessThan(1.1 * table);
  });

  it("are tuned by how often a false alarm may come", () => {
    expect(thresholdFor(465)).toBeCloseTo(5, 1);
    fc.assert(
      fc.property(fc.double({ min: 20, max: 1e6, noNaN: true }), (every) => {
        const back = runLength({ allowance: 0.5, threshold: thresholdFor(every) });
        expect(back / every).toBeCloseTo(1, 6);
      }),
    );
    expect(() => thresholdFor(0)).toThrow(expect.objectContaining({ code: "ANALYTICS_OPTIONS" }));
  });
});
