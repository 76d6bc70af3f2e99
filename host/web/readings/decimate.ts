import { firstFrom, type SortedSeries } from "./sorted-series.ts";

/** Points as a chart draws them; null breaks the line. */
export interface Drawn {
  readonly times: number[];
  readonly values: (number | null)[];
}

/** Longer than this without a sample is a gap, for samples that usually come `stepMs` apart. */
const GAP_STEPS = 5;
const LEAST_GAP_MS = 10_000;
/** What is measured less than six times an hour is measured when it is due, or somebody wants it: a cuff. */
const RARE_STEP_MS = 10 * 60_000;
const RARE_GAP_MS = 45 * 60_000;
const RARE_GAP_STEPS = 1.5;
const FEW_A_COLUMN = 4;

/** From how long on a time without a sample is a gap, ms. */
export function gapOf(times: Float64Array): number {
  const step = usualStep(times);
  return step > RARE_STEP_MS
    ? Math.max(RARE_GAP_MS, step * RARE_GAP_STEPS)
    : Math.max(LEAST_GAP_MS, step * GAP_STEPS);
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
 * without one, is a gap in the line; where columns are wide, what is less than half a column is none, as nobody could see
 * it. Columns keep their place in time, so that a line that is moved does not flicker. The work grows with the columns,
 * not with the samples.
 */
export function decimate(series: SortedSeries, from: number, to: number, columns: number): Drawn {
  const { times } = series;
  // One sample beyond either edge, so that the line goes on to it.
  const begin = Math.max(0, firstFrom(times, from) - 1);
  const end = Math.min(times.length, firstFrom(times, to) + 1);
  return end - begin <= columns * FEW_A_COLUMN
    ? everySample(series, begin, end)
    : byColumn(series, begin, end, (to - from) / columns);
}

function everySample({ times, values }: SortedSeries, begin: number, end: number): Drawn {
  const gap = gapOf(times);
  const drawn: Drawn = { times: [], values: [] };
  let earlier = Number.NEGATIVE_INFINITY;
  for (let i = begin; i < end; i++) {
    const [time, value] = [times[i] as number, values[i] as number];
    const missing = Number.isNaN(value);
    const broken = (missing || time - earlier > gap) && drawn.times.length > 0;
    if (broken && drawn.values.at(-1) !== null) {
      drawn.times.push(missing ? time : (earlier + time) / 2);
      drawn.values.push(null);
    }
    earlier = time;
    if (!missing) {
      drawn.times.push(time);
      drawn.values.push(value);
    }
  }
  return drawn;
}

function byColumn(series: SortedSeries, begin: number, end: number, width: number): Drawn {
  const { times, values } = series;
  const gap = Math.max(gapOf(times), width / 2);
  const drawn: Drawn = { times: [], values: [] };
  let [first, least, most, last] = [-1, -1, -1, -1];

  const push = (i: number): void => {
    drawn.times.push(times[i] as number);
    drawn.values.push(values[i] as number);
  };
  const flush = (): void => {
    if (first < 0) {
      return;
    }
    push(first);
    const [one, other] = least < most ? [least, most] : [most, least];
    if (one > first) {
      push(one);
    }
    if (other > first && other > one) {
      push(other);
    }
    if (last > other) {
      push(last);
    }
    first = -1;
  };

  let earlier = Number.NaN;
  for (let at = begin; at < end; ) {
    const column = Math.floor((times[at] as number) / width);
    const next = Math.max(at + 1, Math.min(end, firstFrom(times, (column + 1) * width)));
    series.walk(at, next, gap, (f, l, m, e) => {
      const time = times[f] as number;
      if (time - earlier > gap) {
        flush();
        drawn.times.push((earlier + time) / 2);
        drawn.values.push(null);
      }
      earlier = times[e] as number;
      if (first < 0) {
        [first, least, most] = [f, l, m];
      } else {
        least = (values[l] as number) < (values[least] as number) ? l : least;
        most = (values[m] as number) > (values[most] as number) ? m : most;
      }
      last = e;
    });
    flush();
    at = next;
  }
  return drawn;
}
