import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  accuracy,
  adjusted,
  claimInterval,
  combine,
  confidence,
  evidence,
  expectation,
  lowerBound,
  NO_EVIDENCE,
  NO_RECORD,
  recordOutcome,
  standardDeviation,
  uncertainty,
  type WitnessRecord,
} from "../../../host/trust/index.ts";

const count = fc.integer({ min: 0, max: 100 });
const someEvidence = fc.record({ positive: count, negative: count });
const chance = fc.double({ min: 0, max: 1, noNaN: true });

/** The record of a witness whose `claim` was followed by so many good and bad outcomes. */
function checked(claim = evidence(1, 0), good = 0, bad = 0): WitnessRecord {
  let record = NO_RECORD;
  for (let i = 0; i < good + bad; i++) {
    record = recordOutcome(record, claim, i < good);
  }
  return record;
}

describe("confidence", () => {
  it("of nothing seen is the width of the interval, and grows with evidence", () => {
    expect(confidence(NO_EVIDENCE)).toBeCloseTo(0.4, 12);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), (n) => {
        expect(confidence(evidence(3 * n, n))).toBeLessThan(confidence(evidence(3 * (n + 3), n + 3)));
      }),
    );
  });

  it("passes 0.95 at a number of exchanges one can have, so that witnesses are not asked for ever", () => {
    expect(confidence(evidence(4, 0))).toBeLessThan(0.95);
    expect(confidence(evidence(10, 0))).toBeGreaterThan(0.95);
    expect(confidence(evidence(6, 6))).toBeLessThan(0.95);
  });
});

describe("a witness", () => {
  it("is sorted by what it claims to have seen, as finely as that allows", () => {
    const where = (positive: number, negative: number) => {
      const { low, high, cell } = claimInterval(evidence(positive, negative));
      return [Number(low.toFixed(2)), Number(high.toFixed(2)), cell];
    };
    expect(where(1, 0)).toEqual([0.5, 1, 1]);
    expect(where(0, 1)).toEqual([0, 0.5, 0]);
    expect(where(0, 0)).toEqual([0.5, 1, 1]);
    // What has faded to one exchange's worth counts as one.
    expect(where(1.2, 0)).toEqual([0.5, 1, 1]);
    expect(where(2, 0)).toEqual([0.67, 1, 4]);
    expect(where(1, 1)).toEqual([0.33, 0.67, 3]);
    expect(where(0, 2)).toEqual([0, 0.33, 2]);
    expect(where(50, 1)).toEqual([0.67, 1, 4]);
  });

  it("nobody has checked is worth nothing, or what its standing says", () => {
    expect(accuracy(NO_RECORD, evidence(1, 0))).toBeCloseTo(0, 12);
    expect(accuracy(NO_RECORD, evidence(1, 0), 0.7)).toBeCloseTo(0.7, 12);
    expect(accuracy(NO_RECORD, evidence(9, 0), 0)).toBeCloseTo(0, 12);
  });

  it("who was right is believed, who lied is not, and standing gives way to one's own record", () => {
    const good = evidence(1, 0);
    const honest = checked(good, 18, 1);
    const liar = checked(good, 3, 16);
    expect(accuracy(honest, good)).toBeGreaterThan(0.85);
    expect(accuracy(liar, good)).toBe(0);
    expect(accuracy(liar, good, 1)).toBeLessThan(0.12);
    expect(accuracy(honest, good, 0)).toBeGreaterThan(0.75);
  });

  it("never counts for more than 1 or less than 0", () => {
    fc.assert(
      fc.property(
        someEvidence,
        count,
        count,
        fc.option(chance, { nil: undefined }),
        (claim, good, bad, standing) => {
          const rho = accuracy(checked(claim, good, bad), claim, standing);
          expect(rho).toBeGreaterThanOrEqual(0);
          expect(rho).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it("who lies about some is still believed when saying what has proven true", () => {
    // Speaks ill of the good (found out 10 times), and well of nobody but the good.
    let record = checked(evidence(0, 1), 10, 0);
    for (let i = 0; i < 10; i++) {
      record = recordOutcome(record, evidence(1, 0), true);
    }
    expect(accuracy(record, evidence(0, 1))).toBe(0);
    expect(accuracy(record, evidence(1, 0))).toBeGreaterThan(0.8);
  });
});

describe("an adjusted claim", () => {
  it("of a perfect witness is the claim, of a worthless one nothing", () => {
    fc.assert(
      fc.property(someEvidence, (claim) => {
        const whole = adjusted(claim, 1);
        expect(whole.positive).toBeCloseTo(claim.positive, 6);
        expect(whole.negative).toBeCloseTo(claim.negative, 6);
        const none = adjusted(claim, 0);
        expect(none.positive).toBeCloseTo(0, 9);
        expect(none.negative).toBeCloseTo(0, 9);
      }),
    );
  });

  it("has the pulled mean and deviation of the paper, and never more evidence than was claimed", () => {
    fc.assert(
      fc.property(someEvidence, chance, (claim, rho) => {
        const heard = adjusted(claim, rho);
        const uniform = Math.sqrt(1 / 12);
        expect(expectation(heard)).toBeCloseTo(0.5 + rho * (expectation(claim) - 0.5), 6);
        expect(standardDeviation(heard)).toBeCloseTo(uniform + rho * (standardDeviation(claim) - uniform), 6);
        expect(heard.positive + heard.negative).toBeLessThanOrEqual(claim.positive + claim.negative + 1e-6);
      }),
    );
  });
});

describe("testimonies together", () => {
  it("bring in one prior and not one each: a thousand who know nothing add nothing", () => {
    const crowd = Array.from({ length: 1000 }, () => ({ claim: NO_EVIDENCE, accuracy: 1 }));
    const seen = combine(evidence(3, 1), crowd);
    expect(seen.positive).toBeCloseTo(3, 9);
    expect(seen.negative).toBeCloseTo(1, 9);
    expect(uncertainty(combine(NO_EVIDENCE, crowd))).toBeCloseTo(1, 9);

    const liars = Array.from({ length: 1000 }, () => ({ claim: evidence(0, 5), accuracy: 0 }));
    expect(uncertainty(combine(NO_EVIDENCE, liars))).toBeCloseTo(1, 6);
    // Adding α' and β' as they are: 1002 / 2004 with an uncertainty of 0.001, sure of a coin toss.
    expect(lowerBound(combine(evidence(9, 0), liars))).toBeCloseTo(lowerBound(evidence(9, 0)), 6);
  });

  it("of perfect witnesses are as good as having been there", () => {
    fc.assert(
      fc.property(someEvidence, fc.array(someEvidence, { maxLength: 10 }), (own, claims) => {
        const seen = combine(
          own,
          claims.map((claim) => ({ claim, accuracy: 1 })),
        );
        const total = (part: "positive" | "negative") =>
          claims.reduce((sum, claim) => sum + claim[part], own[part]);
        expect(seen.positive).toBeCloseTo(total("positive"), 4);
        expect(seen.negative).toBeCloseTo(total("negative"), 4);
      }),
    );
  });
});
