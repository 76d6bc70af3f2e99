import { AlertCard } from "../alerts/alert-card.tsx";
import { TEXTS } from "../texts/index.ts";
import type { PageAlert } from "../worker/doctor/alert-journal.ts";

function isLoud({ alert }: PageAlert): boolean {
  return alert.level !== "attention" || alert.status === "escalated";
}

function Cards(props: {
  readonly alerts: readonly PageAlert[];
  readonly now: number;
  readonly label: string;
}) {
  return (
    <ul class="alert-list" aria-label={props.label}>
      {props.alerts.map((shown) => (
        <AlertCard key={shown.id} shown={shown} now={props.now} named={false} />
      ))}
    </ul>
  );
}

/** A patient's open alerts above the charts, which they must not push off the screen: the quiet ones fold into a line. */
export function PatientAlerts(props: { readonly alerts: readonly PageAlert[]; readonly now: number }) {
  const { alerts, now } = props;
  const loud = alerts.filter(isLoud);
  const quiet = alerts.filter((shown) => !isLoud(shown));
  const text = TEXTS.doctor;
  if (alerts.length === 0) {
    return null;
  }
  if (alerts.length === 1) {
    return <Cards alerts={alerts} now={now} label={text.alertsOf} />;
  }
  return (
    <>
      {loud.length === 0 ? null : <Cards alerts={loud} now={now} label={text.alertsOf} />}
      {quiet.length === 0 ? null : (
        <details class="quiet-alerts">
          <summary>
            <b>{text.quietAlerts(quiet.length)}</b>{" "}
            <span class="dim">{quiet.map(({ alert }) => alert.reason).join(" · ")}</span>
          </summary>
          <Cards alerts={quiet} now={now} label={text.quietAlertsOf} />
        </details>
      )}
    </>
  );
}
