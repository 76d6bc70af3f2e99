import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { betaQuantile, incompleteBeta, logBeta, logGamma } from "../../../host/trust/incomplete-beta.ts";
import { codeOf } from "../sealing/fixtures.ts";

const shape = fc.double({ min: 1, max: 300, noNaN: true });
// From 5 on the density has the four derivatives at both ends that Simpson's rule needs.
const smooth = fc.double({ min: 5, max: 300, noNaN: true });
const share = fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true });

/** ∫_0^x t^(a-1) (1-t)^(b-1) dt / B(a, b) by Simpson's rule: nothing in common with the continued fraction. */
function integrated(x: number, a: number, b: number): number {
  const steps = 8_000;
  const density = (t: number) =>
    t <= 0 || t >= 1
      ? Number(t <= 0 ? a === 1 : b === 1) * Math.exp(-logBeta(a, b))
      : Math.exp((a - 1) * Math.log(t) + (b - 1) * Math.log1p(-t) - logBeta(a, b));
  let sum = density(0) + density(x);
  for (let i = 1; i < steps; i++) {
    sum += (i % 2 === 0 ? 2 : 4) * density((x * i) / steps);
  }
  return (sum * x) / steps / 3;
}

/** For whole a and b: P(at least a of a + b - 1 coins with chance x) (DLMF 8.17.5), summed term by term. */
function binomialTail(x: number, a: number, b: number): number {
  const n = a + b - 1;
  let sum = 0;
  for (let j = a; j <= n; j++) {
    const choose = logGamma(n + 1) - logGamma(j + 1) - logGamma(n - j + 1);
    sum += Math.exp(choose + j * Math.log(x) + (n - j) * Math.log1p(-x));
  }
  return sum;
}

describe("the incomplete beta function", () => {
  it.each([
    // Closed forms: I_x(1, 1) = x; I_x(a, 1) = x^a; I_x(1, b) = 1 - (1-x)^b; I_x(2, 2) = 3x² - 2x³;
    // the arcsine law I_x(1/2, 1/2) = 2/π asin √x.
    [0.3, 1, 1, 0.3],
    [0.7, 9, 1, 0.7 ** 9],
    [0.2, 1, 7, 1 - 0.8 ** 7],
    [0.25, 2, 2, 3 / 16 - 2 / 64],
    [0.5, 40, 40, 0.5],
    [0.25, 0.5, 0.5, 1 / 3],
  ])("at x = %d of Beta(%d, %d) is %d", (x, a, b, expected) => {
    expect(incompleteBeta(x, a, b)).toBeCloseTo(expected, 13);
  });

  it("is what numeric integration of the density gives", () => {
    fc.assert(
      fc.property(share, smooth, smooth, (x, a, b) => {
        expect(incompleteBeta(x, a, b)).toBeCloseTo(integrated(x, a, b), 6);
      }),
      { numRuns: 60, endOnFailure: true },
    );
  });

  it("is the tail of the binomial distribution for whole numbers", () => {
    const whole = fc.integer({ min: 1, max: 200 });
    fc.assert(
      fc.property(share, whole, whole, (x, a, b) => {
        expect(incompleteBeta(x, a, b)).toBeCloseTo(binomialTail(x, a, b), 10);
      }),
    );
  });

  it("rises with x, mirrors (8.17.4), and stays in [0, 1] up to a million ratings", () => {
    const large = fc.double({ min: 1e-2, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(share, share, large, large, (x, y, a, b) => {
        const [low, high] = x < y ? [x, y] : [y, x];
        const at = incompleteBeta(low, a, b);
        expect(at).toBeGreaterThanOrEqual(0);
        expect(incompleteBeta(high, a, b)).toBeLessThanOrEqual(1 + 1e-9);
        expect(at).toBeLessThanOrEqual(incompleteBeta(high, a, b) + 1e-9);
        expect(at).toBeCloseTo(1 - incompleteBeta(1 - low, b, a), 8);
      }),
    );
  });

  it("has its quantile as inverse", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-4, max: 1 - 1e-4, noNaN: true }), shape, shape, (p, a, b) => {
        expect(incompleteBeta(betaQuantile(p, a, b), a, b)).toBeCloseTo(p, 9);
      }),
    );
    // Beta(a, 1): x = p^(1/a).
    expect(betaQuantile(0.05, 9, 1)).toBeCloseTo(0.05 ** (1 / 9), 12);
    expect(betaQuantile(0, 2, 3)).toBe(0);
    expect(betaQuantile(1, 2, 3)).toBe(1);
  });

  it("refuses what is no distribution", () => {
    for (const [a, b] of [
      [0, 1],
      [1, -1],
      [Number.NaN, 1],
      [1, Number.POSITIVE_INFINITY],
    ] as const) {
      expect(codeOf(() => incompleteBeta(0.5, a, b))).toBe("TRUST_NUMBER_INVALID");
      expect(codeOf(() => betaQuantile(0.5, a, b))).toBe("TRUST_NUMBER_INVALID");
    }
    expect(codeOf(() => incompleteBeta(Number.NaN, 1, 1))).toBe("TRUST_NUMBER_INVALID");
    expect(codeOf(() => betaQuantile(1.1, 1, 1))).toBe("TRUST_NUMBER_INVALID");
  });
});
