/** The codes that occur in a range of rows, ascending, with their counts. Valid until the next is made. */
export interface Histogram {
  readonly length: number;
  readonly codes: Uint32Array;
  readonly counts: Uint32Array;
}

/** Up to this many codes for each row, counting in a table is cheaper than sorting. */
const COUNTING_AT_MOST = 8;

/**
 * Counts codes over ranges of rows without making anything new: two ways, whichever is cheaper for so many rows and
 * so many codes.
 */
export function createHistograms(rows: number, sizes: readonly number[]) {
  const largest = Math.max(1, ...sizes);
  const most = Math.min(rows, largest);
  const codes = new Uint32Array(most);
  const counts = new Uint32Array(most);
  const table = new Uint32Array(largest);
  const sorted = new Uint32Array(rows);

  return function histogram(
    column: Uint32Array,
    size: number,
    order: Uint32Array,
    from: number,
    to: number,
  ): Histogram {
    let length = 0;
    if (size <= COUNTING_AT_MOST * (to - from)) {
      for (let i = from; i < to; i++) {
        const code = column[order[i] as number] as number;
        table[code] = (table[code] as number) + 1;
      }
      for (let code = 0; code < size; code++) {
        const count = table[code] as number;
        if (count > 0) {
          codes[length] = code;
          counts[length++] = count;
          table[code] = 0;
        }
      }
      return { length, codes, counts };
    }
    const part = sorted.subarray(0, to - from);
    for (let i = from; i < to; i++) {
      part[i - from] = column[order[i] as number] as number;
    }
    part.sort();
    for (const code of part) {
      if (length > 0 && codes[length - 1] === code) {
        counts[length - 1] = (counts[length - 1] as number) + 1;
      } else {
        codes[length] = code;
        counts[length++] = 1;
      }
    }
    return { length, codes, counts };
  };
}

export type MakeHistogram = ReturnType<typeof createHistograms>;
