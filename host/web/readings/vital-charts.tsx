import { useState } from "preact/hooks";
import { usePage } from "../page-context.ts";
import { TEXTS } from "../texts/index.ts";
import type { Series } from "../worker/series.ts";
import { Chart, type View } from "./chart.tsx";
import { PANELS } from "./panel.ts";
import type { OpenedSeries } from "./use-stream-series.ts";

const HOUR_MS = 60 * 60_000;
const RANGES = {
  hour: HOUR_MS,
  sixHours: 6 * HOUR_MS,
  day: 24 * HOUR_MS,
  week: 7 * 24 * HOUR_MS,
  all: Number.POSITIVE_INFINITY,
} as const;
type Range = keyof typeof RANGES;

function firstTime(series: ReadonlyMap<string, Series>): number {
  return Math.min(...[...series.values()].map(({ times }) => times[0] ?? Number.POSITIVE_INFINITY));
}

/** Where the newest reading stands in a window that follows it: a little room is left to grow into. */
function following(range: Range, lastTime: number | null, series: ReadonlyMap<string, Series>): View {
  const to = lastTime ?? 0;
  const from = range === "all" ? firstTime(series) : to - RANGES[range];
  const begin = Number.isFinite(from) && from < to ? from : to - HOUR_MS;
  return [begin, to + (to - begin) * 0.02];
}

/** The vital signs of one stream over time, moving as readings come. */
export function VitalCharts(props: {
  readonly opened: OpenedSeries;
  /** Time of the newest reading, ms. */
  readonly lastTime: number | null;
}) {
  const { theme } = usePage();
  const { series, version } = props.opened;
  const [range, setRange] = useState<Range>("hour");
  const [zoomed, setZoomed] = useState<View | null>(null);
  const text = TEXTS.readings;
  const view = zoomed ?? following(range, props.lastTime, series);
  const shown = PANELS.filter(({ lines }) => lines.some(({ quantity }) => series.has(quantity)));
  return (
    <>
      <fieldset class="ranges" aria-label={text.rangesLabel}>
        {(Object.keys(RANGES) as Range[]).map((name) => (
          <button
            type="button"
            key={name}
            aria-pressed={zoomed === null && range === name}
            onClick={() => {
              setRange(name);
              setZoomed(null);
            }}
          >
            {text.ranges[name]}
          </button>
        ))}
        <span class="dim">
          {zoomed === null ? <span class="live">{text.live}</span> : null} {text.zoomHint}
        </span>
      </fieldset>
      <section class="panels">
        {shown.map((panel) => (
          <figure key={panel.id}>
            <figcaption>
              <span>{panel.label}</span>
              <span class="dim">{panel.unit}</span>
              <span class="dim key">{panel.bandLabel}</span>
            </figcaption>
            <Chart
              panel={panel}
              series={series}
              version={version}
              view={view}
              theme={theme}
              onView={setZoomed}
            />
          </figure>
        ))}
      </section>
    </>
  );
}
