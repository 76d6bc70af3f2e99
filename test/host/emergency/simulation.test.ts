import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runEmergency, sweepThresholds, TOWN_SQUARE } from "../../../host/emergency/index.ts";

const THRESHOLDS = [0, 2, 4, 6, 8];

describe("an emergency among people who walk by", () => {
  it("a higher bar never qualifies more helpers, nor takes work off the patient", () => {
    fc.assert(
      fc.property(fc.nat({ max: 1e6 }), fc.integer({ min: 1, max: 150 }), (seed, people) => {
        const runs = runEmergency({ ...TOWN_SQUARE, people, duration: 600 }, seed, THRESHOLDS);
        for (const [i, run] of runs.entries()) {
          expect(run.qualified).toBeLessThanOrEqual(run.compared);
          expect(run.consumption).toBeGreaterThan(0);
          expect(run.consumption).toBeLessThanOrEqual(1);
          const lower = runs[i - 1];
          if (lower !== undefined) {
            expect(run.qualified).toBeLessThanOrEqual(lower.qualified);
            expect(run.consumption).toBeGreaterThanOrEqual(lower.consumption);
            expect(run.helped).toBeLessThanOrEqual(lower.helped);
          }
        }
        // With no bar everybody who shows a credential helps.
        expect(runs[0]?.qualified).toBe(runs[0]?.compared);
      }),
      { numRuns: 30 },
    );
  });

  it("alone the patient does all the work, in a crowd that all can help almost none", () => {
    const alone = runEmergency({ ...TOWN_SQUARE, credentialed: 0 }, 1, [0])[0];
    expect(alone).toEqual({ qualified: 0, consumption: 1, compared: 0, helped: 0 });
    const crowd = { ...TOWN_SQUARE, people: 60, reach: 1000, credentialed: 1, comparison: 0 };
    expect(runEmergency(crowd, 1, [0])[0]).toMatchObject({ qualified: 60, helped: 1 });
    expect(runEmergency(crowd, 1, [0])[0]?.consumption).toBeCloseTo(1 / 61, 9);
  });

  it("comparing costs: helpers that are asked for nothing do not come free", () => {
    const world = { ...TOWN_SQUARE, prevalence: 0 };
    const { consumption, compared, qualified } = runEmergency({ ...world, comparison: 1 }, 3, [1])[0] ?? {};
    expect(qualified).toBe(0);
    expect(compared).toBeGreaterThan(0);
    const reports = world.duration / world.reportEvery;
    expect(consumption).toBeCloseTo((reports + (compared ?? 0)) / (reports + 2 * (compared ?? 0)), 9);
  });

  it("gives the same rows for the same seed, and others for another", () => {
    const options = { runs: 5, seed: 1, crowds: [50], thresholds: [3] };
    expect(sweepThresholds(options)).toEqual(sweepThresholds(options));
    expect(sweepThresholds({ ...options, seed: 100 })).not.toEqual(sweepThresholds(options));
    expect(() => sweepThresholds({ ...options, runs: 0 })).toThrow(
      expect.objectContaining({ code: "EMERGENCY_SIMULATION" }),
    );
  });
});
