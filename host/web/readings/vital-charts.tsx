import { useState } from "preact/hooks";
import { usePage } from "../page-context.ts";
import { TEXTS } from "../texts/index.ts";
import { Chart, type View } from "./chart.tsx";
import type { Mark } from "./marks.ts";
import { PANELS, PLAIN_PANELS } from "./panel.ts";
import { firstFrom, type SortedSeries } from "./sorted-series.ts";
import type { OpenedSeries } from "./use-stream-series.ts";

const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;
const RANGES = {
  hour: HOUR_MS,
  sixHours: 6 * HOUR_MS,
  day: DAY_MS,
  week: 7 * DAY_MS,
  all: Number.POSITIVE_INFINITY,
} as const;
type Range = keyof typeof RANGES;
/** The same hours of another day: whether something is new is the first question about a patient that one knows. */
const BEFORE = { none: 0, day: DAY_MS, week: 7 * DAY_MS } as const;
type Before = keyof typeof BEFORE;
const NO_MARKS: readonly Mark[] = [];

function firstTime(series: ReadonlyMap<string, SortedSeries>): number {
  return Math.min(...[...series.values()].map(({ times }) => times[0] ?? Number.POSITIVE_INFINITY));
}

/** Where the newest reading stands in a window that follows it: a little room is left to grow into. */
function following(range: Range, lastTime: number | null, series: ReadonlyMap<string, SortedSeries>): View {
  const to = lastTime ?? 0;
  const from = range === "all" ? firstTime(series) : to - RANGES[range];
  const begin = Number.isFinite(from) && from < to ? from : to - HOUR_MS;
  return [begin, to + (to - begin) * 0.02];
}

/** A view that has something of the readings in it. */
function withinReach([from, to]: View, first: number, last: number): View {
  const by = from > last ? last - from : to < first ? first - to : 0;
  return [from + by, to + by];
}

/** Whether anything was measured then. */
function hasWithin(series: SortedSeries | undefined, [from, to]: View): boolean {
  if (series === undefined) {
    return false;
  }
  const { times, values } = series;
  return values.subarray(firstFrom(times, from), firstFrom(times, to)).some((value) => !Number.isNaN(value));
}

/** The vital signs of one stream over time, moving as readings come. */
export function VitalCharts(props: {
  readonly opened: OpenedSeries;
  /** Time of the newest reading, ms. */
  readonly lastTime: number | null;
  readonly marks?: readonly Mark[];
  /** Without the words of NEWS2. */
  readonly plain?: boolean;
  /** Hears what is in view. */
  readonly onShown?: (view: View) => void;
}) {
  const { theme } = usePage();
  const { series, version } = props.opened;
  const [range, setRange] = useState<Range>("hour");
  const [zoomed, setZoomed] = useState<View | null>(null);
  const [before, setBefore] = useState<Before>("none");
  const text = TEXTS.readings;
  const view = zoomed ?? following(range, props.lastTime, series);
  const shown = (props.plain === true ? PLAIN_PANELS : PANELS).filter(({ lines }) =>
    lines.some(({ quantity }) => series.has(quantity)),
  );
  const ago = BEFORE[before];
  const hasEarlier =
    ago === 0 ||
    shown.some(({ lines }) =>
      lines.some(({ quantity }) => hasWithin(series.get(quantity), [view[0] - ago, view[1] - ago])),
    );
  props.onShown?.(view);
  return (
    <>
      <fieldset class="ranges" aria-label={text.rangesLabel}>
        {(Object.keys(RANGES) as Range[]).map((name) => (
          <button
            type="button"
            key={name}
            data-range={name}
            aria-pressed={zoomed === null && range === name}
            onClick={() => {
              setRange(name);
              setZoomed(null);
            }}
          >
            {text.ranges[name]}
          </button>
        ))}
        <span class="where">
          <span class={zoomed === null ? "live" : "live-room"}>{text.live}</span>
          <button
            type="button"
            class={zoomed === null ? "to-now idle" : "to-now"}
            onClick={(event) => {
              setZoomed(null);
              // This button goes; the focus stays beside it.
              event.currentTarget
                .closest("fieldset")
                ?.querySelector<HTMLElement>(`[data-range=${range}]`)
                ?.focus();
            }}
          >
            {text.toNow}
          </button>
        </span>
        <label class="compare">
          <span>{TEXTS.charts.compare}</span>
          <select value={before} onChange={(event) => setBefore(event.currentTarget.value as Before)}>
            {(Object.keys(BEFORE) as Before[]).map((name) => (
              <option key={name} value={name}>
                {TEXTS.charts.compareWith[name]}
              </option>
            ))}
          </select>
        </label>
        <span class="dim" role="status">
          {hasEarlier ? null : TEXTS.charts.nothingThen}
        </span>
      </fieldset>
      <section class="panels">
        {shown.map((panel) => (
          <figure key={panel.id}>
            <Chart
              panel={panel}
              series={series}
              version={version}
              view={view}
              theme={theme}
              marks={props.marks ?? NO_MARKS}
              before={BEFORE[before]}
              onView={(next) =>
                setZoomed(next === null ? null : withinReach(next, firstTime(series), props.lastTime ?? 0))
              }
            />
          </figure>
        ))}
      </section>
      <p class="dim chart-hint">
        <span class="by-mouse">{TEXTS.charts.hint}</span>
        <span class="by-touch">{TEXTS.charts.hintTouch}</span>
      </p>
    </>
  );
}
