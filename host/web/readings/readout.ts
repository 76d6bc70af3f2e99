import { TEXTS } from "../texts/index.ts";
import { gapOf } from "./decimate.ts";
import type { Mark } from "./marks.ts";
import type { PanelSpec } from "./panel.ts";
import { firstFrom, type SortedSeries } from "./sorted-series.ts";

/** A mark is read out from so many pixels away. */
const NEAR_PIXELS = 6;

/** Index of the measured sample nearest to a time; null where the line has a gap there. */
function nearest({ times, values }: SortedSeries, time: number, perPixel: number): number | null {
  const after = firstFrom(times, time);
  let best: number | null = null;
  for (const i of [after - 1, after]) {
    const [at, value] = [times[i], values[i]];
    if (at === undefined || value === undefined || Number.isNaN(value)) {
      continue;
    }
    if (best === null || Math.abs(at - time) < Math.abs((times[best] as number) - time)) {
      best = i;
    }
  }
  const far = Math.max(gapOf(times), NEAR_PIXELS * perPixel);
  return best !== null && Math.abs((times[best] as number) - time) <= far ? best : null;
}

/** Says what a chart shows at a time (ms), of which a pixel is so long (ms); without marks for 0. */
export function createReadout(
  panel: PanelSpec,
  now: () => {
    readonly series: ReadonlyMap<string, SortedSeries>;
    readonly marks: readonly Mark[];
    readonly before: number;
  },
): (time: number, perPixel: number) => string {
  const clock = new Intl.DateTimeFormat(undefined, {
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  });
  const text = TEXTS.charts;

  const valuesAt = (time: number, perPixel: number): string | null => {
    const values = panel.lines.map(({ quantity }) => {
      const series = now().series.get(quantity);
      const i = series === undefined ? null : nearest(series, time, perPixel);
      return i === null ? undefined : series?.values[i]?.toFixed(panel.digits);
    });
    return values.every((value) => value === undefined)
      ? null
      : values.map((value) => value ?? "–").join("/");
  };

  return (time, perPixel) => {
    const { marks, before } = now();
    const near = NEAR_PIXELS * perPixel;
    const mark = near > 0 ? marks.find((one) => Math.abs(one.time - time) <= near) : undefined;
    const then = before > 0 ? valuesAt(time - before, perPixel) : null;
    return [
      clock.format(time),
      valuesAt(time, perPixel) ?? text.nothing,
      ...(then === null ? [] : [text.earlier(then)]),
      ...(mark === undefined ? [] : [mark.words]),
    ].join(" · ");
  };
}
