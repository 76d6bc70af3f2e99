/** What is usual for one patient in one quantity. */
export interface Usual {
  readonly median: number;
  /** Median absolute deviation times 1.4826: the standard deviation, were the values normal. */
  readonly spread: number;
  readonly count: number;
}

export interface BaselineOptions {
  /** Values older than this are forgotten. Default 24 hours. */
  readonly windowMs?: number;
  /**
   * Values younger than this do not count yet, so that a deterioration is compared with the time before it and not
   * with its own beginning. Default 30 minutes.
   */
  readonly guardMs?: number;
  /** Before so many values nothing is usual. Default 12. */
  readonly least?: number;
  /** The spread is never taken for smaller: a monitor rounds, and a constant value has no deviation at all. Default 1. */
  readonly leastSpread?: number;
}

/** A robust baseline of one patient and quantity that never looks ahead. */
export interface Baseline {
  /** What was usual before `time`; null while too little is known. Times ascend from call to call. */
  usual(time: number): Usual | null;
  /**
   * z = 0.6745 (x - median) / MAD of a value against what was usual before it, and takes the value in for later; null
   * while too little is known. A value that is older than the newest is compared as if it came now, and taken in.
   */
  score(time: number, value: number): number | null;
}

const CONSISTENCY = 1.4826;
/** A value a minute for a day; of more the oldest go first, so that memory and time stay bounded. */
const MOST_VALUES = 1440;

/**
 * Windowed median and MAD (Hampel 1974; the modified z-score of Iglewicz and Hoaglin, 1993, section 3.3) over the
 * values between `windowMs` and `guardMs` before now. Half of the values may be wrong without moving it far.
 */
export function createBaseline(options: BaselineOptions = {}): Baseline {
  const { windowMs = 24 * 3_600_000, guardMs = 30 * 60_000, least = 12, leastSpread = 1 } = options;
  /** Waits until the guard has passed. */
  const waiting: { time: number; value: number }[] = [];
  const counted: { time: number; value: number }[] = [];
  const sorted: number[] = [];
  let newest = Number.NEGATIVE_INFINITY;
  let known: Usual | null = null;

  const place = (value: number): number => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sorted[middle] as number) < value) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  };

  const advance = (time: number): void => {
    newest = Math.max(newest, time);
    let changed = false;
    for (let next = waiting[0]; next !== undefined && next.time < newest - guardMs; next = waiting[0]) {
      waiting.shift();
      counted.push(next);
      sorted.splice(place(next.value), 0, next.value);
      changed = true;
    }
    for (
      let oldest = counted[0];
      oldest !== undefined && (oldest.time < newest - windowMs || counted.length > MOST_VALUES);
      oldest = counted[0]
    ) {
      counted.shift();
      sorted.splice(place(oldest.value), 1);
      changed = true;
    }
    if (changed) {
      known = sorted.length < least ? null : summary();
    }
  };

  const summary = (): Usual => {
    const middle = middleOf(sorted);
    const deviations = sorted.map((value) => Math.abs(value - middle)).sort((a, b) => a - b);
    return {
      median: middle,
      spread: Math.max(leastSpread, CONSISTENCY * middleOf(deviations)),
      count: sorted.length,
    };
  };

  return {
    usual(time) {
      advance(time);
      return known;
    },
    score(time, value) {
      advance(time);
      waiting.push({ time: newest, value });
      return known === null ? null : (value - known.median) / known.spread;
    },
  };
}

function middleOf(sorted: readonly number[]): number {
  const half = sorted.length >> 1;
  const upper = sorted[half] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] as number) + upper) / 2;
}
