import { useEffect, useState } from "preact/hooks";
import { Chart, type View } from "../chart/chart.tsx";
import { PANELS } from "../chart/panel.ts";
import { ageText, groups } from "../format.ts";
import { TEXTS } from "../texts.ts";
import type { PatientRow } from "../worker/messages.ts";
import type { Series } from "../worker/series.ts";
import { ScoreBadge } from "./score-badge.tsx";
import { VitalSigns } from "./vital-signs.tsx";

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
function following(range: Range, row: PatientRow, series: ReadonlyMap<string, Series>): View {
  const to = row.lastTime ?? 0;
  const from = range === "all" ? firstTime(series) : to - RANGES[range];
  const begin = Number.isFinite(from) && from < to ? from : to - HOUR_MS;
  return [begin, to + (to - begin) * 0.02];
}

/** One patient's vital signs over time, moving as readings come. */
export function PatientView(props: {
  readonly row: PatientRow | undefined;
  readonly series: ReadonlyMap<string, Series>;
  readonly version: number;
  readonly now: number;
  readonly theme: string;
  readonly onBack: () => void;
}) {
  const { row, series, version, now, theme, onBack } = props;
  const [range, setRange] = useState<Range>("hour");
  const [zoomed, setZoomed] = useState<View | null>(null);
  const text = TEXTS.patient;

  useEffect(() => {
    const close = (event: KeyboardEvent) => {
      if (event.key === "Escape") {
        onBack();
      }
    };
    addEventListener("keydown", close);
    return () => removeEventListener("keydown", close);
  }, [onBack]);

  const back = (
    <button type="button" class="back" onClick={onBack}>
      ← {text.back}
    </button>
  );
  if (row === undefined) {
    return (
      <main>
        {back}
        <p>{text.gone}</p>
      </main>
    );
  }
  const view = zoomed ?? following(range, row, series);
  const shown = PANELS.filter(({ lines }) => lines.some(({ quantity }) => series.has(quantity)));

  return (
    <main>
      {back}
      <header class="patient">
        <ScoreBadge score={row.score} />
        <div class="who">
          <h1>{row.name}</h1>
          <p class="dim">
            {row.lastTime === null ? TEXTS.list.noReadings : ageText(row.lastTime, now)} ·{" "}
            {text.batches(row.batches)}
          </p>
        </div>
        <VitalSigns vitals={row.vitals} />
      </header>
      <div role="status">
        {row.trouble === null ? null : <p class="banner">{text.trouble(row.trouble)}</p>}
        {row.refused === 0 ? null : <p class="banner">{text.refused(row.refused, row.refusal ?? "")}</p>}
        {row.notShared === 0 ? null : <p class="dim">{text.notShared(row.notShared)}</p>}
      </div>
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
      <p class="dim">
        {text.fingerprint} <code>{groups(row.fingerprint)}</code> ({text.compare})
      </p>
    </main>
  );
}
