import type { Histogram } from "./histogram.ts";
import type { Scale } from "./table.ts";
import { MISSING } from "./taxonomy.ts";

/**
 * Normalised certainty penalty of one attribute in one class, from 0 (exact) to 1 (nothing left): (high - low) / range
 * of a number; leaves below the published group / leaves of the hierarchy; values in the published set / values there
 * are; 0 for a single value (Xu, Wang, Pei, Wang, Shi and Fu, "Utility-Based Anonymization Using Local Recoding", KDD
 * 2006; Ghinita, Karras, Kalnis and Mamoulis, VLDB 2007). A class that mixes missing with other values publishes
 * nothing and loses all.
 *
 * @param low least code in the class, @param high greatest
 * @param distinct how many codes there are in it
 */
export function penalty(scale: Scale, low: number, high: number, distinct: number): number {
  if (low === high) {
    return 0;
  }
  if (scale.kind === "set") {
    // Where values are missing too, there is one more than names.
    return Math.min(1, distinct / (scale.names.length - 1));
  }
  if (low === MISSING) {
    return 1;
  }
  if (scale.kind === "numeric") {
    return scale.range === 0
      ? 0
      : ((scale.values[high] as number) - (scale.values[low] as number)) / scale.range;
  }
  const place = scale.taxonomy.cover(low, high);
  return (place.last - Math.max(place.first, MISSING + 1) + 1) / scale.taxonomy.leaves;
}

/** The penalty of a class, by the codes in it. */
export function penaltyOf(scale: Scale, { codes, length }: Histogram): number {
  return penalty(scale, codes[0] as number, codes[length - 1] as number, length);
}
