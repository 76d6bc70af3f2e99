import { MedcloudletError } from "../base/index.ts";

/** Lanczos' coefficients for g = 7, n = 9 (Godfrey's set); they give about 15 digits of the gamma function. */
const LANCZOS_G = 7;
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const;

/** Below this a factor of the continued fraction counts as zero (Lentz's method divides by it). */
const TINY = 1e-300;
const PRECISION = 1e-15;
/** The fraction converges in about sqrt(max(a, b)) steps; this is enough for a million ratings. */
const MAX_STEPS = 10_000;
const MAX_QUANTILE_STEPS = 200;

/** ln Γ(x) for x > 0, by Lanczos' approximation (SIAM J. Numer. Anal. B 1, 1964). */
export function logGamma(x: number): number {
  if (x < 0.5) {
    return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  }
  const z = x - 1;
  const t = z + LANCZOS_G + 0.5;
  let sum: number = LANCZOS[0];
  for (let i = 1; i < LANCZOS.length; i++) {
    sum += (LANCZOS[i] as number) / (z + i);
  }
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(sum);
}

/** ln B(a, b) = ln Γ(a) + ln Γ(b) - ln Γ(a + b) (DLMF 5.12.1). */
export function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

/**
 * The regularised incomplete beta function I_x(a, b): the probability that a Beta(a, b) variable is at most x.
 * DLMF 8.17.1, computed by the continued fraction 8.17.22 with Lentz's method, on the side of the mean where it
 * converges fast (8.17.4: I_x(a, b) = 1 - I_{1-x}(b, a)).
 *
 * @param x clamped to [0, 1]
 * @throws MedcloudletError `TRUST_NUMBER_INVALID` unless a and b are positive and finite and x is a number
 */
export function incompleteBeta(x: number, a: number, b: number): number {
  assertShape(a, b);
  if (Number.isNaN(x)) {
    throw invalid("x is not a number");
  }
  if (x <= 0) {
    return 0;
  }
  if (x >= 1) {
    return 1;
  }
  const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) - logBeta(a, b));
  return x < (a + 1) / (a + b + 2)
    ? (front * continuedFraction(x, a, b)) / a
    : 1 - (front * continuedFraction(1 - x, b, a)) / b;
}

/** 1/(1 + d1/(1 + d2/(1 + …))) of DLMF 8.17.22, by the modified Lentz method. */
function continuedFraction(x: number, a: number, b: number): number {
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= MAX_STEPS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    const step = d * c;
    fraction *= step;
    if (Math.abs(step - 1) < PRECISION) {
      break;
    }
  }
  return fraction;
}

/** Keeps Lentz's method from dividing by zero. */
function away(value: number): number {
  return Math.abs(value) < TINY ? TINY : value;
}

/**
 * The quantile of Beta(a, b): the x with I_x(a, b) = p, to about 12 digits. Newton's steps with the density as slope,
 * kept inside a bracket that shrinks with every step (bisection where Newton leaves it).
 * @throws MedcloudletError `TRUST_NUMBER_INVALID` unless 0 <= p <= 1 and a, b are positive and finite
 */
export function betaQuantile(p: number, a: number, b: number): number {
  assertShape(a, b);
  if (!(p >= 0 && p <= 1)) {
    throw invalid("p must lie in [0, 1]");
  }
  if (p === 0 || p === 1) {
    return p;
  }
  const scale = logBeta(a, b);
  let low = 0;
  let high = 1;
  let x = a / (a + b);
  for (let step = 0; step < MAX_QUANTILE_STEPS && high - low > 1e-14 * high; step++) {
    const excess = incompleteBeta(x, a, b) - p;
    if (excess === 0) {
      break;
    }
    if (excess > 0) {
      high = x;
    } else {
      low = x;
    }
    const density = Math.exp((a - 1) * Math.log(x) + (b - 1) * Math.log1p(-x) - scale);
    const newton = x - excess / density;
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if (Math.abs(next - x) < 1e-13 * x) {
      x = next;
      break;
    }
    x = next;
  }
  return x;
}

function assertShape(a: number, b: number): void {
  if (!(a > 0 && b > 0 && Number.isFinite(a) && Number.isFinite(b))) {
    throw invalid("both parameters must be positive and finite");
  }
}

function invalid(why: string): MedcloudletError {
  return new MedcloudletError("TRUST_NUMBER_INVALID", `The Beta distribution cannot be evaluated: ${why}.`, {
    status: 400,
  });
}
