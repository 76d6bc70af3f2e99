import type { Quantity, ReadingColumn } from "../../sealing/index.ts";

/** Samples of one quantity in the order of time; a missing value is NaN. Times in ms since 1970-01-01 UTC. */
export interface Series {
  readonly times: Float64Array<ArrayBuffer>;
  readonly values: Float64Array<ArrayBuffer>;
}

/** What came since it was last asked for: to be put at the end, or, where readings came late, all of it anew. */
export interface SeriesUpdate extends Series {
  readonly quantity: Quantity;
  readonly whole: boolean;
}

export interface SeriesStore {
  add(columns: readonly ReadingColumn[]): void;
  /** Everything, as copies that can be given away. */
  all(): SeriesUpdate[];
  /** What came since the last `all` or `news`. */
  news(): SeriesUpdate[];
  /** Samples of the last `windowMs`, at most `most` of them, evenly chosen. */
  recent(quantity: Quantity, windowMs: number, most: number): (number | null)[];
  readonly samples: number;
}

interface Kept {
  times: Float64Array<ArrayBuffer>;
  values: Float64Array<ArrayBuffer>;
  length: number;
  /** Samples that the page has. */
  sent: number;
  /** False from a late reading until the next look. */
  sorted: boolean;
  /** The page's copy is of another order. */
  reordered: boolean;
}

const LEAST_ROOM = 1024;

function grown(old: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const roomier = new Float64Array(Math.max(LEAST_ROOM, old.length * 2));
  roomier.set(old);
  return roomier;
}

function sort(kept: Kept): void {
  if (kept.sorted) {
    return;
  }
  const order = Array.from({ length: kept.length }, (_, i) => i).sort(
    (a, b) => (kept.times[a] as number) - (kept.times[b] as number),
  );
  const [times, values] = [kept.times.slice(), kept.values.slice()];
  order.forEach((from, to) => {
    kept.times[to] = times[from] as number;
    kept.values[to] = values[from] as number;
  });
  kept.sorted = true;
  kept.reordered = true;
}

/** Keeps the opened readings of one stream in typed arrays that grow by doubling. */
export function createSeriesStore(): SeriesStore {
  const series = new Map<Quantity, Kept>();

  const append = (quantity: Quantity, time: number, value: number | null): void => {
    let kept = series.get(quantity);
    if (kept === undefined) {
      const empty = () => new Float64Array(0);
      kept = { times: empty(), values: empty(), length: 0, sent: 0, sorted: true, reordered: false };
      series.set(quantity, kept);
    }
    if (kept.length === kept.times.length) {
      kept.times = grown(kept.times);
      kept.values = grown(kept.values);
    }
    if (kept.length > 0 && time < (kept.times[kept.length - 1] as number)) {
      kept.sorted = false;
    }
    kept.times[kept.length] = time;
    kept.values[kept.length] = value ?? Number.NaN;
    kept.length++;
  };

  const updateFrom = (quantity: Quantity, kept: Kept, from: number): SeriesUpdate => ({
    quantity,
    whole: from === 0,
    times: kept.times.slice(from, kept.length),
    values: kept.values.slice(from, kept.length),
  });

  return {
    add(columns) {
      for (const { quantity, times, values } of columns) {
        times.forEach((time, i) => {
          append(quantity, time, values[i] ?? null);
        });
      }
    },
    all: () =>
      [...series].map(([quantity, kept]) => {
        sort(kept);
        kept.sent = kept.length;
        kept.reordered = false;
        return updateFrom(quantity, kept, 0);
      }),
    news: () =>
      [...series].flatMap(([quantity, kept]) => {
        sort(kept);
        const from = kept.reordered ? 0 : kept.sent;
        kept.sent = kept.length;
        kept.reordered = false;
        return from === kept.length ? [] : [updateFrom(quantity, kept, from)];
      }),
    recent(quantity, windowMs, most) {
      const kept = series.get(quantity);
      if (kept === undefined || kept.length === 0) {
        return [];
      }
      sort(kept);
      const begin = (kept.times[kept.length - 1] as number) - windowMs;
      let from = kept.length;
      while (from > 0 && (kept.times[from - 1] as number) >= begin) {
        from--;
      }
      const step = Math.max(1, (kept.length - from) / most);
      return Array.from({ length: Math.ceil((kept.length - from) / step) }, (_, i) => {
        const value = kept.values[from + Math.floor(i * step)] as number;
        return Number.isNaN(value) ? null : value;
      });
    },
    get samples() {
      return [...series.values()].reduce((sum, { length }) => sum + length, 0);
    },
  };
}
