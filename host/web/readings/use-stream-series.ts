import { useEffect, useRef, useState } from "preact/hooks";
import { useTold } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import type { SeriesUpdate } from "../worker/series.ts";
import { createSortedSeries, type SortedSeries } from "./sorted-series.ts";

/** The readings of one stream as far as they are here. */
export interface OpenedSeries {
  /** The same object as long as the stream is: it grows. */
  readonly series: ReadonlyMap<string, SortedSeries>;
  /** Grows with each change. */
  readonly version: number;
}

function takeIn(series: Map<string, SortedSeries>, updates: readonly SeriesUpdate[]): void {
  for (const { quantity, whole, times, values } of updates) {
    const known = series.get(quantity);
    const kept = whole || known === undefined ? createSortedSeries() : known;
    kept.insert({ times, values });
    series.set(quantity, kept);
  }
}

/** Follows the readings of one stream as the worker opens them; of none for null. */
export function useStreamSeries(streamId: string | null): OpenedSeries {
  const { port } = usePage();
  const [version, setVersion] = useState(0);
  const opened = useRef<{ of: string | null; series: Map<string, SortedSeries> }>({
    of: null,
    series: new Map(),
  });
  if (opened.current.of !== streamId) {
    opened.current = { of: streamId, series: new Map() };
  }
  useTold("series", (told) => {
    if (told.streamId === opened.current.of) {
      takeIn(opened.current.series, told.updates);
      setVersion((before) => before + 1);
    }
  });
  useEffect(() => {
    port.ask("show", { streamId }).catch(() => null);
    return () => {
      port.ask("show", { streamId: null }).catch(() => null);
    };
  }, [port, streamId]);
  return { series: opened.current.series, version };
}
