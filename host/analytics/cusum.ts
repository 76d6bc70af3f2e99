import { MedcloudletError } from "../base/index.ts";

/** How a chart is tuned. */
export interface CusumOptions {
  /** Allowance (reference value) in standard deviations: half of the shift that it finds fastest. Default 0.5. */
  readonly allowance?: number;
  /** Decision interval in standard deviations. Default 5. */
  readonly threshold?: number;
  /** A deviation counts as no more than this, so that one wild value alone cannot raise the alarm. Default 3. */
  readonly limit?: number;
}

/** Both sums; each is zero or more. */
export interface CusumState {
  readonly high: number;
  readonly low: number;
}

export interface CusumStep {
  readonly state: CusumState;
  /** Which way the values have moved, where a sum passed the threshold; the sums then start again from zero. */
  readonly alarm: "high" | "low" | null;
}

export const CUSUM_START: CusumState = { high: 0, low: 0 };

/**
 * One step of a two-sided cumulative sum chart: S+ = max(0, S+ + z - k), S- = max(0, S- - z - k), alarm above h.
 * Source: Page, Continuous inspection schemes, Biometrika 41, 1954; limiting z as in Lucas and Crosier, Robust CUSUM,
 * Communications in Statistics 11, 1982.
 *
 * @param z deviation from the baseline in standard deviations; a gap is left out by the caller
 */
export function stepCusum(state: CusumState, z: number, options: CusumOptions = {}): CusumStep {
  const { allowance = 0.5, threshold = 5, limit = 3 } = options;
  const limited = Math.max(-limit, Math.min(limit, z));
  const high = Math.max(0, state.high + limited - allowance);
  const low = Math.max(0, state.low - limited - allowance);
  if (high > threshold || low > threshold) {
    return { state: CUSUM_START, alarm: high > threshold ? "high" : "low" };
  }
  return { state: { high, low }, alarm: null };
}

/** What Siegmund adds to the threshold for the overshoot of a discrete sum. */
const OVERSHOOT = 1.166;

/**
 * Average run length of the two-sided chart: how many independent standard normal values, shifted by `shift`, it takes
 * to an alarm on average. One side: (exp(-2 D b) + 2 D b - 1) / (2 D^2) with D = shift - k, b = h + 1.166; both:
 * 1/ARL = 1/ARL+ + 1/ARL-. Source: Siegmund, Sequential Analysis, Springer 1985, section 2.6; it lies within a few
 * percent of the exact values (k = 0.5, h = 5, no shift: 469 for 465).
 */
export function runLength({
  allowance,
  threshold,
  shift = 0,
}: {
  readonly allowance: number;
  readonly threshold: number;
  readonly shift?: number;
}): number {
  const oneSide = (drift: number): number => {
    const b = threshold + OVERSHOOT;
    return Math.abs(drift) < 1e-6
      ? b * b
      : (Math.exp(-2 * drift * b) + 2 * drift * b - 1) / (2 * drift * drift);
  };
  return 1 / (1 / oneSide(shift - allowance) + 1 / oneSide(-shift - allowance));
}

/**
 * The decision interval at which values without a shift raise an alarm once in `falseAlarmEvery` on average.
 * @throws MedcloudletError `ANALYTICS_OPTIONS` where no interval above zero gives so few or so many
 */
export function thresholdFor(falseAlarmEvery: number, allowance = 0.5): number {
  let [low, high] = [0, 100];
  const least = runLength({ allowance, threshold: low });
  if (!(falseAlarmEvery > least && falseAlarmEvery < 1e12 && allowance > 0)) {
    throw new MedcloudletError(
      "ANALYTICS_OPTIONS",
      `falseAlarmEvery must lie between ${least.toFixed(1)} and 1e12 values, with an allowance above zero.`,
      { status: 400 },
    );
  }
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (runLength({ allowance, threshold: middle }) < falseAlarmEvery) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return high;
}
