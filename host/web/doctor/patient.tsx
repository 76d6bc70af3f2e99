import { useEffect } from "preact/hooks";
import { ageText, groups } from "../format.ts";
import { ScoreBadge } from "../readings/score-badge.tsx";
import { StreamState } from "../readings/stream-state.tsx";
import type { OpenedSeries } from "../readings/use-stream-series.ts";
import { VitalCharts } from "../readings/vital-charts.tsx";
import { VitalSigns } from "../readings/vital-signs.tsx";
import { TEXTS } from "../texts/index.ts";
import type { PatientRow } from "../worker/streams.ts";

/** One patient: who, how they are, and their vital signs over time. */
export function PatientView(props: {
  readonly row: PatientRow | undefined;
  /** True until the list is there. */
  readonly loading: boolean;
  readonly opened: OpenedSeries;
  readonly now: number;
  readonly onBack: () => void;
}) {
  const { row, loading, opened, now, onBack } = props;
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
      <main aria-busy={loading}>
        {back}
        <p>{loading ? TEXTS.list.loading : text.gone}</p>
      </main>
    );
  }
  return (
    <main>
      {back}
      <header class="patient">
        <ScoreBadge score={row.score} />
        <div class="who">
          <h1>{row.name}</h1>
          <p class="dim">
            {row.lastTime === null ? TEXTS.list.noReadings : ageText(row.lastTime, now)} ·{" "}
            {TEXTS.readings.batches(row.batches)}
          </p>
        </div>
        <VitalSigns vitals={row.vitals} />
      </header>
      <StreamState row={row} />
      <VitalCharts opened={opened} lastTime={row.lastTime} />
      <p class="dim">
        {text.fingerprint} <code>{groups(row.fingerprint)}</code> ({text.compare})
      </p>
    </main>
  );
}
