/** Points as a chart draws them; null breaks the line. */
export interface Drawn {
  readonly times: number[];
  readonly values: (number | null)[];
}

/** Index of the first time that is at least `time`. */
export function firstFrom(times: Float64Array, time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as number) < time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/** Longer than this without a sample is a gap, for samples that usually come `stepMs` apart. */
const GAP_STEPS = 5;
const LEAST_GAP_MS = 10_000;
/** What is measured less than twice a minute is measured when somebody wants it: a cuff, a thermometer. */
const RARE_STEP_MS = 30_000;
const RARE_GAP_MS = 45 * 60_000;

function gapOf(times: Float64Array): number {
  const step = usualStep(times);
  return Math.max(LEAST_GAP_MS, step * GAP_STEPS, step > RARE_STEP_MS ? RARE_GAP_MS : 0);
}

/** The usual distance of two samples: the median of up to 200 of them. */
export function usualStep(times: Float64Array): number {
  const steps: number[] = [];
  const stride = Math.max(1, Math.floor(times.length / 200));
  for (let i = stride; i < times.length; i += stride) {
    steps.push((times[i] as number) - (times[i - 1] as number));
  }
  steps.sort((a, b) => a - b);
  return steps[steps.length >> 1] ?? 0;
}

/**
 * What to draw of a series between two times on `columns` columns of pixels: every sample where there are few, else of
 * each column the first, the least, the greatest and the last, so that no peak is lost. A missing value, or a long time
 * without one, is a gap in the line. Work is one pass over the samples in view.
 * @param times ms, ascending; `values` NaN where missing
 */
export function decimate(
  times: Float64Array,
  values: Float64Array,
  from: number,
  to: number,
  columns: number,
): Drawn {
  // One sample beyond either edge, so that the line goes on to it.
  const begin = Math.max(0, firstFrom(times, from) - 1);
  const end = Math.min(times.length, firstFrom(times, to) + 1);
  const gap = gapOf(times);
  const drawn: Drawn = { times: [], values: [] };
  const push = (time: number, value: number | null) => {
    drawn.times.push(time);
    drawn.values.push(value);
  };
  let earlier = Number.NEGATIVE_INFINITY;
  const everything = end - begin <= columns * 4;
  const width = (to - from) / columns;
  let column = Number.NaN;
  let kept: number[] = [];

  const flush = () => {
    if (kept.length === 0) {
      return;
    }
    let [least, most] = [kept[0] as number, kept[0] as number];
    for (const i of kept) {
      least = (values[i] as number) < (values[least] as number) ? i : least;
      most = (values[i] as number) > (values[most] as number) ? i : most;
    }
    const chosen = new Set([kept[0] as number, least, most, kept.at(-1) as number]);
    for (const i of [...chosen].sort((a, b) => a - b)) {
      push(times[i] as number, values[i] as number);
    }
    kept = [];
  };

  for (let i = begin; i < end; i++) {
    const time = times[i] as number;
    const value = values[i] as number;
    const missing = Number.isNaN(value);
    if ((missing || time - earlier > gap) && (drawn.times.length > 0 || kept.length > 0)) {
      flush();
      if (drawn.values.at(-1) !== null) {
        push(missing ? time : (earlier + time) / 2, null);
      }
    }
    earlier = time;
    if (missing) {
      continue;
    }
    if (everything) {
      push(time, value);
      continue;
    }
    const at = Math.floor((time - from) / width);
    if (at !== column) {
      flush();
      column = at;
    }
    kept.push(i);
  }
  flush();
  return drawn;
}
