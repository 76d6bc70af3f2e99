import { createRandom } from "../base/index.ts";
import { quantile } from "./select.ts";

/** Value with its 95 % interval; the ends are NaN where too few draws had a value. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Percentile bootstrap over clusters (Field and Welsh, JRSS B 69, 2007): whole clusters are drawn again with
 * replacement, because what comes from one patient is not independent. `measure` sees the drawn clusters; draws in
 * which it is not a number are left out. The same clusters and seed give the same interval.
 */
export function bootstrapClusters<T>(
  clusters: readonly T[],
  measure: (drawn: readonly T[]) => number,
  { rounds = 500, seed = 1 }: { readonly rounds?: number; readonly seed?: number } = {},
): Interval {
  const random = createRandom(seed, 7);
  const values: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const value = measure(clusters.map(() => clusters[Math.floor(random.uniform() * clusters.length)] as T));
    if (!Number.isNaN(value)) {
      values.push(value);
    }
  }
  return { value: measure(clusters), low: quantile(values, 0.025), high: quantile(values, 0.975) };
}
