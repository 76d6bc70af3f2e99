import { useEffect, useState } from "preact/hooks";
import { useTold } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import type { Series, SeriesUpdate } from "../worker/series.ts";

/** The readings of one stream as far as they are here. */
export interface OpenedSeries {
  readonly series: ReadonlyMap<string, Series>;
  /** Grows with each change. */
  readonly version: number;
}

const NOTHING: OpenedSeries = { series: new Map(), version: 0 };

/** Puts what came behind what is there. */
function withUpdates(
  known: ReadonlyMap<string, Series>,
  updates: readonly SeriesUpdate[],
): Map<string, Series> {
  const series = new Map(known);
  for (const { quantity, whole, times, values } of updates) {
    const before = whole ? undefined : series.get(quantity);
    if (before === undefined) {
      series.set(quantity, { times, values });
      continue;
    }
    const length = before.times.length + times.length;
    const [allTimes, allValues] = [new Float64Array(length), new Float64Array(length)];
    allTimes.set(before.times);
    allTimes.set(times, before.times.length);
    allValues.set(before.values);
    allValues.set(values, before.values.length);
    series.set(quantity, { times: allTimes, values: allValues });
  }
  return series;
}

/** Follows the readings of one stream as the worker opens them; of none for null. */
export function useStreamSeries(streamId: string | null): OpenedSeries {
  const { port } = usePage();
  const [opened, setOpened] = useState<OpenedSeries>(NOTHING);
  useTold("series", (told) => {
    if (told.streamId === streamId) {
      setOpened(({ series, version }) => ({
        series: withUpdates(series, told.updates),
        version: version + 1,
      }));
    }
  });
  useEffect(() => {
    setOpened(NOTHING);
    port.ask("show", { streamId }).catch(() => null);
    return () => {
      port.ask("show", { streamId: null }).catch(() => null);
    };
  }, [port, streamId]);
  return opened;
}
