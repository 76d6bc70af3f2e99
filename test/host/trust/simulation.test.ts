import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ATTACKS, type Attack, chartTrust, MODELS, simulateTrust } from "../../../host/trust/index.ts";
import { areaUnderCurve, estimate, outcomeOf } from "../../../host/trust/simulation/measure.ts";
import { ADMITTED, admit, EVERYTHING } from "../../../host/trust/simulation/models.ts";
import { playWorld } from "../../../host/trust/simulation/world.ts";

const SMALL = { patients: 200 };

describe("measures", () => {
  it("the area under the curve is the chance that an honest one scores higher, ties counting half", () => {
    const judged = fc.record({ score: fc.integer({ min: 0, max: 5 }), honest: fc.boolean() });
    fc.assert(
      fc.property(fc.array(judged, { minLength: 2, maxLength: 30 }), (list) => {
        const honest = list.filter((one) => one.honest);
        const malicious = list.filter((one) => !one.honest);
        fc.pre(honest.length > 0 && malicious.length > 0);
        let wins = 0;
        for (const a of honest) {
          for (const b of malicious) {
            wins += a.score > b.score ? 1 : a.score === b.score ? 0.5 : 0;
          }
        }
        expect(areaUnderCurve(list)).toBeCloseTo(wins / honest.length / malicious.length, 12);
      }),
    );
  });

  it("count wrong shares by decision and refusals by honest candidate", () => {
    const outcome = outcomeOf([
      { score: 1, share: true, honest: true },
      { score: 1, share: false, honest: true },
      { score: 0, share: true, honest: false },
      { score: 0, share: false, honest: false },
    ]);
    expect(outcome).toEqual({ auc: 1, wrongShares: 250, refused: 0.5 });
  });

  it("have Student's interval", () => {
    // 2, 4, 6: deviation 2, t(2) = 4.303.
    expect(estimate([2, 4, 6])).toEqual({ mean: 4, margin: expect.closeTo((4.303 * 2) / Math.sqrt(3), 9) });
    expect(estimate([3])).toEqual({ mean: 3, margin: Number.POSITIVE_INFINITY });
  });
});

describe.each(ATTACKS)("a world under %s", (attack) => {
  const world = playWorld({ seed: 3, attack, honest: 0.7, ...SMALL });

  it("is the same for the same seed, and another for another", () => {
    expect(playWorld({ seed: 3, attack, honest: 0.7, ...SMALL })).toEqual(world);
    expect(playWorld({ seed: 4, attack, honest: 0.7, ...SMALL }).ratings).not.toEqual(world.ratings);
  });

  it("has the honest it was asked for, who say what happened, and nobody rating themselves", () => {
    expect(world.honest.filter(Boolean)).toHaveLength(140);
    expect(world.ratings.filter(({ rater, target }) => rater === target)).toEqual([]);
    const good = (rater: boolean, target: boolean) => {
      const some = world.ratings.filter(
        (one) => world.honest[one.rater] === rater && world.honest[one.target] === target,
      );
      return some.filter((one) => one.good).length / some.length;
    };
    expect(good(true, true)).toBeGreaterThan(0.88);
    expect(good(true, false)).toBeLessThan(attack === "on-off" ? 0.6 : 0.4);
  });

  it("lets in one voice for each pair and epoch, with a receipt and a credential", () => {
    const admitted = admit(world, ADMITTED).flat();
    const voices = admitted.map(({ epoch, rater, target }) => `${epoch}:${rater}:${target}`);
    expect(new Set(voices).size).toBe(voices.length);
    expect(admitted.filter(({ receipt, credential }) => !receipt || !credential)).toEqual([]);
    expect(admitted.length).toBeLessThan(
      admit(world, EVERYTHING).flat().length + (attack === "whitewashing" ? 1e6 : 0),
    );
  });
});

describe("the simulation", () => {
  const options = { runs: 2, seed: 1, honestShares: [0.7], models: MODELS, world: SMALL };
  const rows = simulateTrust(options);
  const row = (attack: Attack, model: string) =>
    rows.find((one) => one.attack === attack && one.model === model);

  it("gives the same numbers for the same options", () => {
    const again = simulateTrust({ ...options, attacks: ["on-off"] });
    expect(again).toEqual(rows.filter(({ attack }) => attack === "on-off"));
  });

  it("knows nothing without trust: a coin, and as many wrong shares as there are liars", () => {
    for (const attack of ATTACKS) {
      expect(row(attack, "no trust")?.auc.mean).toBe(0.5);
      expect(row(attack, "no trust")?.wrongShares.mean).toBeGreaterThan(250);
    }
  });

  // A small copy of what docs/TRUST.md reports: seeds are fixed, so the numbers are too.
  it.each([
    ["bad-mouthing", 0.95],
    ["ballot-stuffing", 0.95],
    ["on-off", 0.9],
    ["whitewashing", 0.95],
    ["sybil", 0.95],
    ["collusion", 0.95],
  ] as const)("holds under %s at 30%% liars with an AUC of at least %d", (attack, least) => {
    const ours = row(attack, "medcloudlet");
    const mean = row(attack, "plain mean");
    expect(ours?.auc.mean).toBeGreaterThanOrEqual(least);
    expect(ours?.wrongShares.mean).toBeLessThanOrEqual((mean?.wrongShares.mean ?? 0) / 10);
    expect(ours?.refused.mean).toBeLessThan(0.4);
  });

  it("draws a panel for each attack and a line for each model", () => {
    const svg = chartTrust(rows, { title: "AUC", measure: "auc", low: 0, high: 1, ticks: [0, 1] });
    expect(svg.match(/<polyline/g)).toHaveLength(ATTACKS.length * Object.keys(MODELS).length);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    for (const name of [...ATTACKS, ...Object.keys(MODELS)]) {
      expect(svg).toContain(`>${name}</text>`);
    }
  });
});
