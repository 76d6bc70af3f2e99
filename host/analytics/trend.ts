import { MedcloudletError } from "../base/index.ts";
import { median, selectKth } from "../statistics/index.ts";

/** One value at its time (ms since 1970 UTC). */
export interface Sample {
  readonly time: number;
  readonly value: number;
}

/** A robust straight line through samples. */
export interface Trend {
  /** Change in an hour: the median of the slopes of all pairs. */
  readonly perHour: number;
  /** Confidence limits of `perHour`; infinite where so few samples bound it on neither side. */
  readonly low: number;
  readonly high: number;
  /** The line's value at the last sample: median of (value - slope * time). */
  readonly now: number;
  /** How many points the line was laid through: fewer than samples where they were joined in blocks. */
  readonly points: number;
}

const HOUR_MS = 3_600_000;
/** n (n - 1) / 2 slopes of so many points are 131 thousand: milliseconds. */
const MOST_POINTS = 512;
/** Two-sided quantiles of the normal distribution. */
const Z = { 0.9: 1.6448536, 0.95: 1.959964, 0.99: 2.5758293 } as const;

/**
 * Theil-Sen line. Slope: the median of (v_j - v_i) / (t_j - t_i) over all pairs with different times, found exactly by
 * quickselect. Confidence limits: with N slopes and C = z sqrt(Var S), the slopes of ranks (N - C) / 2 and
 * (N + C) / 2 + 1, rounded outwards, where Var S = [n(n-1)(2n+5) - sum over ties of u(u-1)(2u+5)] / 18 is the variance of
 * Kendall's S, with ties in times and in values. Up to 29 % of the samples may be arbitrarily wrong. The limits
 * assume independent errors; vital signs a second apart are not, so give one sample a minute or less.
 *
 * Above 512 samples they are joined in blocks of equal number by their medians first, which is no longer exact.
 *
 * Source: Sen, Estimates of the regression coefficient based on Kendall's tau, JASA 63, 1968; Theil 1950.
 *
 * @param samples at least three, at two or more different times; order does not matter
 * @throws MedcloudletError `ANALYTICS_SAMPLES` where there are too few
 */
export function trendOf(samples: readonly Sample[], confidence: keyof typeof Z = 0.95): Trend {
  const points = joined([...samples].sort((a, b) => a.time - b.time));
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined || points.length < 3 || first.time === last.time) {
    throw new MedcloudletError("ANALYTICS_SAMPLES", "A trend needs three samples, not all at one time.", {
      status: 422,
    });
  }
  const slopes = slopesOf(points);
  const spread = Z[confidence] * Math.sqrt(varianceOfKendall(points));
  const perMs = median(slopes);
  const lowRank = Math.floor((slopes.length - spread) / 2) - 1;
  const highRank = Math.ceil((slopes.length + spread) / 2);
  const low = lowRank < 0 ? Number.NEGATIVE_INFINITY : selectKth(slopes, lowRank);
  const high = highRank >= slopes.length ? Number.POSITIVE_INFINITY : selectKth(slopes, highRank);
  // Times from the last one, for 1970 is far and would cost digits.
  const now = median(points.map(({ time, value }) => value - perMs * (time - last.time)));
  return {
    perHour: perMs * HOUR_MS,
    low: low * HOUR_MS,
    high: high * HOUR_MS,
    now,
    points: points.length,
  };
}

function joined(sorted: readonly Sample[]): readonly Sample[] {
  if (sorted.length <= MOST_POINTS) {
    return sorted;
  }
  return Array.from({ length: MOST_POINTS }, (_, i) => {
    const block = sorted.slice(
      Math.floor((i * sorted.length) / MOST_POINTS),
      Math.floor(((i + 1) * sorted.length) / MOST_POINTS),
    );
    return { time: median(block.map(({ time }) => time)), value: median(block.map(({ value }) => value)) };
  });
}

function slopesOf(points: readonly Sample[]): Float64Array {
  const slopes = new Float64Array((points.length * (points.length - 1)) / 2);
  let count = 0;
  for (const [i, a] of points.entries()) {
    for (let j = i + 1; j < points.length; j++) {
      const b = points[j] as Sample;
      if (b.time !== a.time) {
        slopes[count++] = (b.value - a.value) / (b.time - a.time);
      }
    }
  }
  return slopes.subarray(0, count);
}

function varianceOfKendall(points: readonly Sample[]): number {
  const n = points.length;
  const term = (count: number) => count * (count - 1) * (2 * count + 5);
  const ties = (values: readonly number[]): number => {
    const counts = new Map<number, number>();
    for (const value of values) {
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    return [...counts.values()].reduce((sum, count) => sum + term(count), 0);
  };
  const tied = ties(points.map(({ time }) => time)) + ties(points.map(({ value }) => value));
  return Math.max(0, (term(n) - tied) / 18);
}
