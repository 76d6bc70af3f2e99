/** Samples of one quantity in the order of time; a missing value is NaN. Times in ms since 1970-01-01 UTC. */
export interface Series {
  readonly times: Float64Array<ArrayBuffer>;
  readonly values: Float64Array<ArrayBuffer>;
}

/** What stands for a run of samples: indices of the first, the least, the greatest and the last that were measured. */
export type Visit = (first: number, least: number, most: number, last: number) => void;

/** A series that grows at either end, and knows the extremes of its parts. */
export interface SortedSeries extends Series {
  /** Takes a block in whose times ascend; it costs what lies behind the block's first time. */
  insert(block: Series): void;
  /**
   * Goes through the samples from `begin` to before `end` in order, in runs as large as they can be. A run has no
   * distance between two measured samples that is longer than `longest`, ms. What is missing is not visited.
   */
  walk(begin: number, end: number, longest: number, visit: Visit): void;
}

const LEAST_ROOM = 1024;
/** Samples of a run of the first level, and of the second. */
const RUN = 32;
const LONG_RUN = RUN * RUN;
/** How much of the room of a series that grew at its front is there. */
const FRONT = 0.75;
const NONE = -1;

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

/** Runs of one level, by number: `first` is NONE where nothing was measured. */
interface Level {
  readonly first: Int32Array;
  readonly least: Int32Array;
  readonly most: Int32Array;
  readonly last: Int32Array;
  /** The longest distance of two measured samples that follow one another, ms. */
  readonly longest: Float64Array;
}

function levelOf(runs: number): Level {
  const indices = () => new Int32Array(runs).fill(NONE);
  return {
    ...{ first: indices(), least: indices(), most: indices(), last: indices() },
    longest: new Float64Array(runs),
  };
}

function keepRun(
  level: Level,
  run: number,
  first: number,
  least: number,
  most: number,
  last: number,
  longest: number,
): void {
  level.first[run] = first;
  level.least[run] = least;
  level.most[run] = most;
  level.last[run] = last;
  level.longest[run] = longest;
}

/** Positions below are places in the room, which begins before the first sample. */
export function createSortedSeries(): SortedSeries {
  let times = new Float64Array(0);
  let values = new Float64Array(0);
  let [start, end] = [0, 0];
  let seen: Series = { times, values };
  let [runs, longRuns] = [levelOf(0), levelOf(0)];

  /** Sums up the samples of a run. Plain loops: a million samples come at once when a patient is opened. */
  const sumUpRun = (run: number): void => {
    const stop = Math.min(end, (run + 1) * RUN);
    let [first, least, most, last, longest] = [NONE, NONE, NONE, NONE, 0];
    for (let i = Math.max(start, run * RUN); i < stop; i++) {
      const value = values[i] as number;
      if (Number.isNaN(value)) {
        continue;
      }
      if (first === NONE) {
        first = i;
        least = i;
        most = i;
      } else {
        longest = Math.max(longest, (times[i] as number) - (times[last] as number));
        least = value < (values[least] as number) ? i : least;
        most = value > (values[most] as number) ? i : most;
      }
      last = i;
    }
    keepRun(runs, run, first, least, most, last, longest);
  };

  /** Sums up the runs of a long run. */
  const sumUpLongRun = (long: number): void => {
    const stop = Math.min(runs.first.length, (long + 1) * RUN);
    let [first, least, most, last, longest] = [NONE, NONE, NONE, NONE, 0];
    for (let run = long * RUN; run < stop; run++) {
      const begins = runs.first[run] as number;
      if (begins === NONE) {
        continue;
      }
      const [low, high] = [runs.least[run] as number, runs.most[run] as number];
      longest = Math.max(longest, runs.longest[run] as number);
      if (first === NONE) {
        first = begins;
        least = low;
        most = high;
      } else {
        longest = Math.max(longest, (times[begins] as number) - (times[last] as number));
        least = (values[low] as number) < (values[least] as number) ? low : least;
        most = (values[high] as number) > (values[most] as number) ? high : most;
      }
      last = runs.last[run] as number;
    }
    keepRun(longRuns, long, first, least, most, last, longest);
  };

  const sumUpFrom = (from: number, to: number): void => {
    for (let run = Math.floor(from / RUN); run * RUN < to; run++) {
      sumUpRun(run);
    }
    for (let long = Math.floor(from / LONG_RUN); long * LONG_RUN < to; long++) {
      sumUpLongRun(long);
    }
  };

  /** Makes room for so many samples before the first, or behind the last. */
  const makeRoom = (before: number, behind: number): void => {
    if (before <= start && end + behind <= times.length) {
      return;
    }
    const length = end - start;
    const spare = Math.max(LEAST_ROOM, length + before + behind);
    const room = LONG_RUN * Math.ceil((length + before + behind + spare) / LONG_RUN);
    const front = before > 0 ? before + Math.floor((room - length - before) * FRONT) : 0;
    const moved = (old: Float64Array<ArrayBuffer>) => {
      const roomier = new Float64Array(room);
      roomier.set(old.subarray(start, end), front);
      return roomier;
    };
    [times, values] = [moved(times), moved(values)];
    [start, end] = [front, front + length];
    [runs, longRuns] = [levelOf(room / RUN), levelOf(room / LONG_RUN)];
    sumUpFrom(start, end);
  };

  /** Puts a block among what is there from its first time on. */
  const merge = (block: Series): void => {
    const count = block.times.length;
    makeRoom(0, count);
    const from = start + firstFrom(times.subarray(start, end), block.times[0] as number);
    const [laterTimes, laterValues] = [times.slice(from, end), values.slice(from, end)];
    let [ours, theirs] = [0, 0];
    for (let to = from; to < end + count; to++) {
      const takeOurs =
        theirs === count ||
        (ours < laterTimes.length && (laterTimes[ours] as number) <= (block.times[theirs] as number));
      times[to] = (takeOurs ? laterTimes[ours] : block.times[theirs]) as number;
      values[to] = (takeOurs ? laterValues[ours++] : block.values[theirs++]) as number;
    }
    end += count;
    sumUpFrom(from, end);
  };

  const goesOnWith = (level: Level, size: number, at: number, stop: number, longest: number): boolean =>
    at % size === 0 && at + size <= stop && (level.longest[at / size] as number) <= longest;

  const visitRun = (level: Level, run: number, visit: Visit): void => {
    const first = level.first[run] as number;
    if (first !== NONE) {
      const [least, most, last] = [level.least[run], level.most[run], level.last[run]] as [
        number,
        number,
        number,
      ];
      visit(first - start, least - start, most - start, last - start);
    }
  };

  return {
    get times() {
      return seen.times;
    },
    get values() {
      return seen.values;
    },
    insert(block) {
      const count = block.times.length;
      if (count === 0) {
        return;
      }
      const [first, last] = [block.times[0] as number, block.times[count - 1] as number];
      if (start === end || first >= (times[end - 1] as number)) {
        makeRoom(0, count);
        times.set(block.times, end);
        values.set(block.values, end);
        end += count;
        sumUpFrom(end - count, end);
      } else if (last <= (times[start] as number)) {
        makeRoom(count, 0);
        start -= count;
        times.set(block.times, start);
        values.set(block.values, start);
        sumUpFrom(start, start + count);
      } else {
        merge(block);
      }
      seen = { times: times.subarray(start, end), values: values.subarray(start, end) };
    },
    walk(from, to, longest, visit) {
      const stop = start + to;
      let at = start + from;
      while (at < stop) {
        if (goesOnWith(longRuns, LONG_RUN, at, stop, longest)) {
          visitRun(longRuns, at / LONG_RUN, visit);
          at += LONG_RUN;
        } else if (goesOnWith(runs, RUN, at, stop, longest)) {
          visitRun(runs, at / RUN, visit);
          at += RUN;
        } else {
          if (!Number.isNaN(values[at] as number)) {
            visit(at - start, at - start, at - start, at - start);
          }
          at++;
        }
      }
    },
  };
}
