import { calls, isOpen } from "../alerts/use-alerts.ts";
import { ageText, byUrgency, dateText, urgencyOf } from "../format.ts";
import { Course } from "../readings/course.tsx";
import { ScoreBadge } from "../readings/score-badge.tsx";
import { VitalSigns } from "../readings/vital-signs.tsx";
import { TEXTS } from "../texts/index.ts";
import type { PageAlert } from "../worker/doctor/alert-journal.ts";
import type { PatientRow } from "../worker/streams.ts";
import { Asking } from "./asking.tsx";
import { EmergencyMark } from "./emergency-mark.tsx";
import { KdcAway } from "./kdc-away.tsx";

function Row(props: {
  readonly row: PatientRow;
  readonly alerts: readonly PageAlert[];
  readonly now: number;
  readonly onOpen: () => void;
}) {
  const { row, alerts, now, onOpen } = props;
  const [worst] = alerts;
  return (
    <li>
      <button type="button" class={`row ${urgencyOf(row.score)}`} onClick={onOpen}>
        <ScoreBadge score={row.score} />
        <span class="who">
          <strong>{row.name}</strong>
          <small>
            {row.lastTime === null ? TEXTS.list.noReadings : ageText(row.lastTime, now)}
            {" · "}
            {row.until === null || row.purpose === "emergency"
              ? null
              : TEXTS.list.sharedUntil(dateText(row.until))}
            <EmergencyMark row={row} now={now} />
          </small>
          {worst === undefined ? null : (
            <small class={`alerted ${calls(worst.alert) ? worst.alert.level : ""}`}>
              {TEXTS.doctor.openAlerts(alerts.length, TEXTS.alerts.level[worst.alert.level].toLowerCase())}
              {": "}
              {worst.alert.reason}
            </small>
          )}
          {row.trouble === null ? null : <small class="failure">{TEXTS.readings.trouble(row.trouble)}</small>}
          {row.refused === 0 ? null : (
            <small class="failure">{TEXTS.readings.refused(row.refused, row.refusal ?? "")}</small>
          )}
        </span>
        <Course values={row.course} />
        <VitalSigns vitals={row.vitals} now={now} />
      </button>
    </li>
  );
}

/** Everybody who shares with this doctor, the most urgent first. */
export function PatientList(props: {
  readonly rows: readonly PatientRow[] | null;
  readonly refusedGrants: number;
  /** Why the KDC does not answer, where it does not. */
  readonly kdcTrouble: string | null;
  readonly alerts: readonly PageAlert[];
  readonly now: number;
  readonly onOpen: (streamId: string) => void;
}) {
  const { rows, refusedGrants, kdcTrouble, alerts, now, onOpen } = props;
  return (
    <main>
      <h1>{TEXTS.list.title}</h1>
      <KdcAway trouble={kdcTrouble} />
      {refusedGrants === 0 ? null : <p class="failure">{TEXTS.list.refusedGrants(refusedGrants)}</p>}
      {rows === null ? <p class="dim">{TEXTS.list.loading}</p> : null}
      {rows?.length === 0 ? <p class="dim">{TEXTS.list.empty}</p> : null}
      <ul class="patients">
        {[...(rows ?? [])].sort(byUrgency).map((row) => (
          <Row
            key={row.streamId}
            row={row}
            alerts={alerts.filter(({ streamId, alert }) => streamId === row.streamId && isOpen(alert))}
            now={now}
            onOpen={() => onOpen(row.streamId)}
          />
        ))}
      </ul>
      <Asking />
    </main>
  );
}
