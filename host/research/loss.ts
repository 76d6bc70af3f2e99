import type { Scale } from "./table.ts";
import { MISSING, type TaxonomyPlace } from "./taxonomy.ts";

/** Codes in ascending order: a histogram's, or some of them. */
export type Codes = Uint32Array;

/**
 * Normalised certainty penalty of one attribute in one class, from 0 (exact) to 1 (nothing left): (high - low) / range
 * of a number; leaves below the published groups / leaves of the hierarchy; values in the published set / values there
 * are; 0 for a single value (Xu, Wang, Pei, Wang, Shi and Fu, "Utility-Based Anonymization Using Local Recoding", KDD
 * 2006; Ghinita, Karras, Kalnis and Mamoulis, VLDB 2007). A class that mixes missing with other values publishes
 * nothing and loses all.
 *
 * @param from, to which of the codes: from this one up to before that one, at least one
 */
export function penalty(scale: Scale, codes: Codes, from: number, to: number): number {
  if (to - from === 1) {
    return 0;
  }
  const low = codes[from] as number;
  const high = codes[to - 1] as number;
  if (scale.kind === "set") {
    return setPenalty(scale, to - from);
  }
  if (low === MISSING) {
    return 1;
  }
  if (scale.kind === "numeric") {
    return scale.range === 0
      ? 0
      : ((scale.values[high] as number) - (scale.values[low] as number)) / scale.range;
  }
  let leaves = 0;
  const place = scale.taxonomy.cover(low, high);
  let child = 0;
  for (let i = from; i < to; ) {
    child = childOf(place, codes[i] as number, child);
    const { first, last } = place.children[child] as TaxonomyPlace;
    leaves += last - first + 1;
    while (i < to && (codes[i] as number) <= last) {
      i++;
    }
  }
  return leaves / scale.taxonomy.leaves;
}

/** The penalty of a set of so many values. */
export function setPenalty(scale: Extract<Scale, { kind: "set" }>, values: number): number {
  // Where values are missing too, there is one more than names.
  return values === 1 ? 0 : Math.min(1, values / (scale.names.length - 1));
}

/** Which child of a group a code belongs to, looked for from child `from` on. */
export function childOf({ children }: TaxonomyPlace, code: number, from: number): number {
  let low = from;
  let high = children.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((children[middle] as TaxonomyPlace).last < code) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
