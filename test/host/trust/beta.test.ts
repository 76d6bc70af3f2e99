import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addEvidence,
  addOutcome,
  discount,
  type Evidence,
  evidence,
  evidenceOf,
  expectation,
  forget,
  fuse,
  lowerBound,
  NO_EVIDENCE,
  type Opinion,
  opinionOf,
  projected,
  uncertainty,
} from "../../../host/trust/index.ts";
import { codeOf } from "../sealing/fixtures.ts";

const count = fc.double({ min: 0, max: 500, noNaN: true });
const someEvidence = fc.record({ positive: count, negative: count });
const someOpinion = fc
  .tuple(someEvidence, fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([seen, baseRate]) => opinionOf(seen, baseRate));

const sumOf = ({ belief, disbelief, uncertainty: u }: Opinion) => belief + disbelief + u;
function expectEvidence(actual: Evidence, expected: Evidence): void {
  expect(actual.positive).toBeCloseTo(expected.positive, 6);
  expect(actual.negative).toBeCloseTo(expected.negative, 6);
}

describe("evidence", () => {
  it("expects one half of somebody unknown, and 11 of 12 after ten good exchanges", () => {
    expect(expectation(NO_EVIDENCE)).toBe(0.5);
    expect(uncertainty(NO_EVIDENCE)).toBe(1);
    expect(expectation(evidence(10, 0))).toBeCloseTo(11 / 12, 12);
  });

  it("fades as the sum of λ^age over all outcomes", () => {
    const outcomes = fc.array(fc.boolean(), { maxLength: 40 });
    const factors = { positive: 0.9, negative: 0.97 };
    fc.assert(
      fc.property(outcomes, (history) => {
        // One outcome an epoch, the last one of age 0.
        let seen = NO_EVIDENCE;
        for (const good of history) {
          seen = addOutcome(forget(seen, 1, factors), good);
        }
        const expected = { positive: 0, negative: 0 };
        history.forEach((good, i) => {
          const age = history.length - 1 - i;
          if (good) {
            expected.positive += 0.9 ** age;
          } else {
            expected.negative += 0.97 ** age;
          }
        });
        expectEvidence(seen, expected);
      }),
    );
  });

  it("gives a bound below the mean that more evidence of the same kind raises", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 2, max: 9 }), (n, times) => {
        const little = evidence(9 * n, n);
        const much = evidence(9 * n * times, n * times);
        expect(lowerBound(little)).toBeLessThan(expectation(little));
        expect(lowerBound(little)).toBeLessThan(lowerBound(much));
      }),
    );
    // Three good exchanges and none bad: the mean says 0.80, the bound 0.05^(1/4).
    expect(lowerBound(evidence(3, 0))).toBeCloseTo(0.05 ** 0.25, 12);
  });

  it("refuses what is no count", () => {
    expect(codeOf(() => evidence(-1, 0))).toBe("TRUST_NUMBER_INVALID");
    expect(codeOf(() => evidence(0, Number.NaN))).toBe("TRUST_NUMBER_INVALID");
    expect(codeOf(() => forget(NO_EVIDENCE, -1))).toBe("TRUST_NUMBER_INVALID");
    expect(codeOf(() => forget(NO_EVIDENCE, 1, { positive: 0, negative: 1 }))).toBe("TRUST_NUMBER_INVALID");
    expect(codeOf(() => forget(NO_EVIDENCE, 1, { positive: 1, negative: 1.1 }))).toBe("TRUST_NUMBER_INVALID");
  });
});

describe("opinions", () => {
  it("are evidence in other words, and back", () => {
    fc.assert(
      fc.property(someEvidence, (seen) => {
        const opinion = opinionOf(seen);
        expect(sumOf(opinion)).toBeCloseTo(1, 12);
        expect(projected(opinion)).toBeCloseTo(expectation(seen), 12);
        expectEvidence(evidenceOf(opinion), seen);
      }),
    );
    const dogmatic = { belief: 1, disbelief: 0, uncertainty: 0, baseRate: 0.5 };
    expect(codeOf(() => evidenceOf(dogmatic))).toBe("TRUST_NUMBER_INVALID");
  });

  it("fused are the evidence added", () => {
    fc.assert(
      fc.property(someEvidence, someEvidence, (one, two) => {
        expectEvidence(evidenceOf(fuse(opinionOf(one), opinionOf(two))), addEvidence(one, two));
      }),
    );
  });

  it("fused do not mind the order, and an opinion of nothing changes nothing", () => {
    const close = (a: Opinion, b: Opinion) => {
      for (const part of ["belief", "disbelief", "uncertainty", "baseRate"] as const) {
        expect(a[part]).toBeCloseTo(b[part], 9);
      }
    };
    fc.assert(
      fc.property(someOpinion, someOpinion, (one, two) => {
        close(fuse(one, two), fuse(two, one));
        close(fuse(one, opinionOf(NO_EVIDENCE, one.baseRate)), one);
        expect(sumOf(fuse(one, two))).toBeCloseTo(1, 9);
      }),
    );
    const yes = { belief: 1, disbelief: 0, uncertainty: 0, baseRate: 0.5 };
    const no = { belief: 0, disbelief: 1, uncertainty: 0, baseRate: 0.5 };
    close(fuse(yes, no), { belief: 0.5, disbelief: 0.5, uncertainty: 0, baseRate: 0.5 });
    // The worked example of an independent implementation.
    const fused = fuse(
      { belief: 0.2, disbelief: 0.8, uncertainty: 0, baseRate: 0.5 },
      { belief: 0.4, disbelief: 0, uncertainty: 0.6, baseRate: 0.5 },
    );
    close(fused, { belief: 0.2, disbelief: 0.8, uncertainty: 0, baseRate: 0.5 });
  });

  it("discounted only ever become less certain, and from a distrusted adviser say nothing", () => {
    fc.assert(
      fc.property(someOpinion, someOpinion, (adviser, advice) => {
        const heard = discount(adviser, advice);
        expect(sumOf(heard)).toBeCloseTo(1, 9);
        expect(heard.uncertainty).toBeGreaterThanOrEqual(advice.uncertainty - 1e-12);
        expect(heard.belief).toBeLessThanOrEqual(advice.belief);
        expect(heard.disbelief).toBeLessThanOrEqual(advice.disbelief);
      }),
    );
    const liar = { belief: 0, disbelief: 1, uncertainty: 0, baseRate: 0.5 };
    expect(discount(liar, opinionOf(evidence(0, 90)))).toMatchObject({
      belief: 0,
      disbelief: 0,
      uncertainty: 1,
    });
  });
});
