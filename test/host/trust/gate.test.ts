import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  assess,
  decide,
  type Evidence,
  evidence,
  type GateInput,
  lowerBound,
  NO_EVIDENCE,
  NO_RECORD,
  recordOutcome,
  type Witness,
} from "../../../host/trust/index.ts";

const OVERLAP = { common: 3, mine: 4, theirs: 5, jaccard: 0.5 };

function witness(claim: Evidence, good: number, bad: number): Witness {
  let record = NO_RECORD;
  for (let i = 0; i < good + bad; i++) {
    record = recordOutcome(record, claim, i < good);
  }
  return { claim, record };
}

function input(
  own: Evidence,
  changes: Partial<GateInput> = {},
  witnesses: readonly Witness[] = [],
): GateInput {
  return {
    credential: true,
    overlap: OVERLAP,
    leastSimilarity: 0.2,
    assessment: assess(own, witnesses),
    threshold: 0.7,
    consents: { mine: true, theirs: true },
    ...changes,
  };
}

describe("the gate", () => {
  it("opens for a known good partner when both agree", () => {
    const decision = decide(input(evidence(12, 0)));
    expect(decision).toMatchObject({ share: true, reason: "SHARE", exchanges: 12, witnesses: 0 });
    expect(decision.text).toBe(
      "Shared: trust is 0.79 of 0.70 needed: 12 exchanges of your own, no witnesses asked.",
    );
  });

  it("does not shut over a good exchange where one's own evidence becomes enough", () => {
    const drops = (claims: readonly Evidence[], bad: number) => {
      const witnesses = claims.map((claim) => witness(claim, 20, 0));
      const bounds = Array.from(
        { length: 80 },
        (_, quarter) => assess(evidence(quarter / 4, bad), witnesses).bound,
      );
      return Math.max(...bounds.slice(1).map((bound, i) => (bounds[i] as number) - bound));
    };
    // Where all were good there is no step down. Where witnesses had made the rate better as well, a small one is left,
    // which is the price of not taking their praise.
    expect(drops([], 0)).toBeLessThan(0);
    expect(drops([evidence(7, 0)], 0)).toBeLessThan(0);
    expect(drops([evidence(7, 0), evidence(3, 0)], 1)).toBeLessThan(0.06);
    expect(drops([evidence(9, 1), evidence(2, 3)], 1)).toBeLessThan(0.03);
  });

  it("takes no praise for somebody who serves others well and oneself badly", () => {
    const praise = Array.from({ length: 20 }, () => witness(evidence(9, 0), 40, 0));
    const own = evidence(14, 10);
    const { bound, expectation } = assess(own, praise);
    expect(expectation).toBeLessThan(0.6);
    expect(bound).toBeLessThan(14 / 24);
    // Who is called bad by a crowd, and was good to oneself again and again, stays as good as one has seen.
    const abuse = Array.from({ length: 20 }, () => witness(evidence(0, 9), 40, 0));
    expect(assess(evidence(12, 0), abuse).bound).toBe(lowerBound(evidence(12, 0)));
  });

  it.each([
    ["CREDENTIAL_MISSING", { credential: false }],
    ["NOT_SIMILAR", { overlap: { ...OVERLAP, jaccard: 0.19 } }],
    ["NOT_SIMILAR", { overlap: { ...OVERLAP, jaccard: Number.NaN } }],
    ["BELOW_THRESHOLD", { threshold: 0.8 }],
    ["BELOW_THRESHOLD", { threshold: Number.NaN }],
    ["CONSENT_MISSING", { consents: { mine: true, theirs: false } }],
    ["CONSENT_MISSING", { consents: { mine: false, theirs: true } }],
  ] as const)("stays shut: %s %j", (reason, changes) => {
    expect(decide(input(evidence(12, 0), changes))).toMatchObject({ share: false, reason });
  });

  it("stays shut for somebody nobody knows, however low the threshold", () => {
    const decision = decide(input(NO_EVIDENCE, { threshold: 0 }));
    expect(decision).toMatchObject({ share: false, reason: "TOO_UNCERTAIN", uncertainty: 1 });
    expect(decide(input(evidence(1.9, 0), { threshold: 0 })).reason).toBe("TOO_UNCERTAIN");
    expect(decide(input(evidence(2, 0), { threshold: 0 })).reason).toBe("SHARE");
  });

  it("explains itself in words and numbers", () => {
    const honest = witness(evidence(2, 0), 12, 0);
    const liar = witness(evidence(0, 3), 9, 1);
    const decision = decide(input(evidence(4, 0), {}, [honest, liar, liar]));
    expect(decision).toMatchObject({ share: false, exchanges: 4, witnesses: 3, discounted: 2 });
    expect(decision.text).toBe(
      `Not shared: trust is ${(Math.floor(decision.bound * 100) / 100).toFixed(2)} of 0.70 needed: 4 exchanges of your own, 3 witnesses (2 discounted).`,
    );
  });

  it("never says 0.70 of 0.70 when it stays shut", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.5, max: 0.95, noNaN: true }), (threshold) => {
        const assessment = { ...assess(evidence(12, 0), []), bound: threshold - 1e-6 };
        const decision = decide(input(evidence(12, 0), { threshold, assessment }));
        expect(decision.reason).toBe("BELOW_THRESHOLD");
        const [said, needed] = [...decision.text.matchAll(/\d\.\d\d/g)].map(([number]) => Number(number));
        expect(said as number).toBeLessThan(needed as number);
      }),
    );
  });

  it("closes on a partner who begins to lie", () => {
    let seen = evidence(14, 0);
    expect(decide(input(seen)).share).toBe(true);
    let lies = 0;
    while (decide(input(seen)).share) {
      seen = evidence(seen.positive, seen.negative + 1);
      lies += 1;
    }
    expect(lies).toBeLessThanOrEqual(2);
  });
});

describe("an assessment", () => {
  it("asks no witness once one's own exchanges are enough", () => {
    const liars = Array.from({ length: 50 }, () => witness(evidence(0, 5), 5, 0));
    expect(assess(evidence(12, 0), liars)).toMatchObject({
      witnesses: 0,
      bound: lowerBound(evidence(12, 0)),
    });
    expect(assess(evidence(2, 0), liars).witnesses).toBe(50);
  });

  it("believes proven witnesses and hardly minds proven liars", () => {
    const honest = Array.from({ length: 12 }, () => witness(evidence(1, 0), 12, 0));
    const liars = Array.from({ length: 12 }, () => witness(evidence(0, 1), 12, 0));
    const alone = assess(NO_EVIDENCE, honest);
    expect(alone.bound).toBeGreaterThan(0.7);
    expect(assess(NO_EVIDENCE, [...honest, ...liars]).bound).toBeGreaterThan(alone.bound - 0.02);
  });
});
