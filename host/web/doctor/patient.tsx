import { useCallback, useEffect, useMemo, useRef } from "preact/hooks";
import { isOpen } from "../alerts/use-alerts.ts";
import { ageText, dateText } from "../format.ts";
import { Notes } from "../notes/notes.tsx";
import { FoldedFingerprint } from "../parts/folded-fingerprint.tsx";
import type { View } from "../readings/chart.tsx";
import type { Mark } from "../readings/marks.ts";
import { ScoreBadge } from "../readings/score-badge.tsx";
import { StreamState } from "../readings/stream-state.tsx";
import type { OpenedSeries } from "../readings/use-stream-series.ts";
import { VitalCharts } from "../readings/vital-charts.tsx";
import { VitalSigns } from "../readings/vital-signs.tsx";
import { TEXTS } from "../texts/index.ts";
import type { PageAlert } from "../worker/doctor/alert-journal.ts";
import type { PatientRow } from "../worker/streams.ts";
import { EmergencyMark } from "./emergency-mark.tsx";
import { ExportForm } from "./export-form.tsx";
import { KdcAway } from "./kdc-away.tsx";
import { PatientAlerts } from "./patient-alerts.tsx";

/** Where Escape means something else. */
const NOT_LEFT_FROM = "input, textarea, select, form, .confirm";

function marksOf({ alert, marks }: PageAlert): Mark[] {
  return marks.map(({ time, level }) => ({
    time,
    level,
    words: `${TEXTS.alerts.level[level]}: ${alert.reason}`,
  }));
}

/** One patient: who, how they are, and their vital signs over time. */
export function PatientView(props: {
  readonly row: PatientRow | undefined;
  /** True until the list is there. */
  readonly loading: boolean;
  readonly opened: OpenedSeries;
  /** Why the KDC does not answer, where it does not. */
  readonly kdcTrouble: string | null;
  /** Everybody's. */
  readonly alerts: readonly PageAlert[];
  readonly now: number;
  readonly onBack: () => void;
}) {
  const { row, loading, opened, kdcTrouble, alerts, now, onBack } = props;
  const streamId = row?.streamId;
  const own = useMemo(() => alerts.filter((one) => one.streamId === streamId), [alerts, streamId]);
  const marks = useMemo(() => own.flatMap(marksOf), [own]);
  const shownView = useRef<View | null>(null);
  const noteShown = useCallback((view: View) => {
    shownView.current = view;
  }, []);
  const open = own.filter(({ alert }) => isOpen(alert));
  const text = TEXTS.patient;

  useEffect(() => {
    const close = (event: KeyboardEvent) => {
      // Who gives up a field or a form does not give up the patient.
      const within = event.target instanceof Element && event.target.closest(NOT_LEFT_FROM) !== null;
      if (event.key === "Escape" && !within && document.querySelector("main form, main .export") === null) {
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
            {TEXTS.readings.batches(row.batches)} <EmergencyMark row={row} now={now} />
          </p>
        </div>
        <VitalSigns vitals={row.vitals} now={now} />
      </header>
      <KdcAway trouble={kdcTrouble} />
      <StreamState row={row} />
      <PatientAlerts alerts={open} now={now} />
      <VitalCharts opened={opened} lastTime={row.lastTime} marks={marks} onShown={noteShown} />
      <p class="dim" role="status">
        {row.opening && row.firstTime !== null ? TEXTS.doctor.opening(dateText(row.firstTime)) : null}
      </p>
      <Notes streamId={row.streamId} />
      <ExportForm row={row} view={() => shownView.current} />
      <FoldedFingerprint hex={row.fingerprint} hint={text.compare} />
    </main>
  );
}
