import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createBaseline } from "../../../host/analytics/index.ts";
import { median, medianAbsoluteDeviation } from "../../../host/statistics/index.ts";

const MINUTE = 60_000;
const values = fc.array(fc.integer({ min: 40, max: 160 }), { minLength: 20, maxLength: 150 });

describe("baseline of a patient", () => {
  it("is median and MAD of the window before the guard, at every moment", () => {
    const [windowMs, guardMs] = [60 * MINUTE, 10 * MINUTE];
    fc.assert(
      fc.property(values, (all) => {
        const baseline = createBaseline({ windowMs, guardMs, least: 5, leastSpread: 0.5 });
        for (const [i, value] of all.entries()) {
          const now = i * MINUTE;
          const before = all.filter((_, j) => j * MINUTE < now - guardMs && j * MINUTE >= now - windowMs);
          const z = baseline.score(now, value);
          if (before.length < 5) {
            expect(z).toBeNull();
            continue;
          }
          const spread = Math.max(0.5, 1.4826 * medianAbsoluteDeviation(before));
          expect(z).toBeCloseTo((value - median(before)) / spread, 9);
        }
      }),
    );
  });

  it("never looks ahead: what comes later changes no earlier score", () => {
    fc.assert(
      fc.property(values, values, (past, future) => {
        const run = (all: readonly number[]) => {
          const baseline = createBaseline({ guardMs: 5 * MINUTE, least: 3 });
          return all.map((value, i) => baseline.score(i * MINUTE, value));
        };
        expect(run([...past, ...future]).slice(0, past.length)).toEqual(run(past));
      }),
    );
  });

  it("is not moved by a third of absurd values, and not infinitely sure of a constant", () => {
    const baseline = createBaseline({ guardMs: 0, leastSpread: 2 });
    for (let i = 0; i < 60; i++) {
      baseline.score(i * MINUTE, i % 3 === 0 ? 1e9 : 72);
    }
    expect(baseline.usual(60 * MINUTE)).toMatchObject({ median: 72, spread: 2 });
    expect(baseline.score(61 * MINUTE, 76)).toBe(2);
  });

  it("compares a deterioration with the time before it, and forgets after a window", () => {
    const baseline = createBaseline({ windowMs: 120 * MINUTE, guardMs: 30 * MINUTE });
    for (let i = 0; i < 60; i++) {
      baseline.score(i * MINUTE, 70);
    }
    for (let i = 60; i < 90; i++) {
      expect(baseline.score(i * MINUTE, 100)).toBe(30);
    }
    expect(baseline.usual(400 * MINUTE)).toBeNull();
  });

  it("keeps a day of minutes at most", () => {
    const baseline = createBaseline({ guardMs: 0, windowMs: 1e12 });
    for (let i = 0; i < 3000; i++) {
      baseline.score(i * 1000, 70);
    }
    expect(baseline.usual(3_000_000)?.count).toBe(1440);
  });
});
