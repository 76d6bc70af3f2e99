import type { Quantity, ReadingColumn } from "../../sealing/index.ts";
import { createSortedSeries, firstFrom, type Series, type SortedSeries } from "../readings/sorted-series.ts";

/** Samples to be put among those that the page has; `whole` instead of them. */
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
  /** Columns of what was measured from `from` to before `to`, ms. */
  between(from: number, to: number): ReadingColumn[];
  readonly samples: number;
}

interface Kept {
  readonly all: SortedSeries;
  /** What the page has not heard of. */
  news: SortedSeries | null;
}

function blockOf({ times, values }: ReadingColumn): Series {
  return {
    times: Float64Array.from(times),
    values: Float64Array.from(values, (value) => value ?? Number.NaN),
  };
}

function updateOf(quantity: Quantity, { times, values }: Series, whole: boolean): SeriesUpdate {
  return { quantity, whole, times: times.slice(), values: values.slice() };
}

/** Keeps the opened readings of one stream. */
export function createSeriesStore(): SeriesStore {
  const series = new Map<Quantity, Kept>();

  return {
    add(columns) {
      for (const column of columns) {
        const kept = series.get(column.quantity) ?? { all: createSortedSeries(), news: null };
        series.set(column.quantity, kept);
        const block = blockOf(column);
        kept.all.insert(block);
        kept.news ??= createSortedSeries();
        kept.news.insert(block);
      }
    },
    all: () =>
      [...series].map(([quantity, kept]) => {
        kept.news = null;
        return updateOf(quantity, kept.all, true);
      }),
    news: () =>
      [...series].flatMap(([quantity, kept]) => {
        const { news } = kept;
        kept.news = null;
        return news === null || news.times.length === 0 ? [] : [updateOf(quantity, news, false)];
      }),
    recent(quantity, windowMs, most) {
      const { times, values } = series.get(quantity)?.all ?? { times: new Float64Array(0), values: [] };
      const from = firstFrom(times, (times.at(-1) ?? 0) - windowMs);
      const count = times.length - from;
      // Whole numbers first: a length out of a quotient is one too many now and then, and beyond the end.
      const length = Math.min(count, most);
      return Array.from({ length }, (_, i) => {
        const value = values[from + Math.floor((i * count) / length)] as number;
        return Number.isNaN(value) ? null : value;
      });
    },
    between: (from, to) =>
      [...series].flatMap(
        ([
          quantity,
          {
            all: { times, values },
          },
        ]) => {
          const [begin, end] = [firstFrom(times, from), firstFrom(times, to)];
          return begin === end
            ? []
            : [
                {
                  quantity,
                  times: [...times.subarray(begin, end)],
                  values: Array.from(values.subarray(begin, end), (value) =>
                    Number.isNaN(value) ? null : value,
                  ),
                },
              ];
        },
      ),
    get samples() {
      return [...series.values()].reduce((sum, { all }) => sum + all.times.length, 0);
    },
  };
}
