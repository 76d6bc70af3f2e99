/**
 * The k-th smallest value (k from 0), exactly, in expected linear time: Hoare's quickselect (CACM 4(7), 1961) with a
 * three-way partition, so that ties cost nothing, and pivots drawn by a fixed generator, so that no order of values
 * that occurs in practice is slow. `values` is reordered.
 */
export function selectKth(values: Float64Array, k: number): number {
  let low = 0;
  let high = values.length - 1;
  let state = 0x9e3779b9;
  while (low < high) {
    // xorshift32 (Marsaglia 2003)
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const pivot = values[low + ((state >>> 0) % (high - low + 1))] as number;
    let less = low;
    let more = high;
    for (let i = low; i <= more; ) {
      const value = values[i] as number;
      if (value < pivot) {
        values[i++] = values[less] as number;
        values[less++] = value;
      } else if (value > pivot) {
        values[i] = values[more] as number;
        values[more--] = value;
      } else {
        i++;
      }
    }
    if (k < less) {
      high = less - 1;
    } else if (k > more) {
      low = more + 1;
    } else {
      return pivot;
    }
  }
  return values[k] ?? Number.NaN;
}

/** The middle value, or the mean of the two in the middle; NaN of nothing. The values must be numbers, not NaN. */
export function median(values: Iterable<number>): number {
  const copy = Float64Array.from(values);
  const half = copy.length >> 1;
  const upper = selectKth(copy, half);
  return copy.length % 2 === 1 || copy.length === 0 ? upper : (selectKth(copy, half - 1) + upper) / 2;
}

/**
 * Median absolute deviation from the median (Hampel, JASA 69, 1974). Times 1.4826 it estimates the standard deviation
 * of normal values; up to half of them may be arbitrarily wrong.
 */
export function medianAbsoluteDeviation(values: readonly number[], around = median(values)): number {
  return median(values.map((value) => Math.abs(value - around)));
}

/** Quantile by linear interpolation between order statistics (Hyndman and Fan 1996, type 7); NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  const at = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)] ?? Number.NaN, sorted[Math.ceil(at)] ?? Number.NaN];
  return low + (high - low) * (at - Math.floor(at));
}
