import { useState } from "preact/hooks";
import { dateText } from "../format.ts";
import { useNow } from "../hooks.ts";
import { addressOf } from "../route.ts";
import "../style/alerts.css";
import { TEXTS } from "../texts/index.ts";
import type { PageAlert } from "../worker/doctor/alert-journal.ts";
import { AlertCard } from "./alert-card.tsx";
import { keepSound, playAlert, soundIsOn } from "./alert-sound.ts";
import { isOpen, useAlerts } from "./use-alerts.ts";

const NOW_EVERY_MS = 5000;

function SoundChoice() {
  const [on, setOn] = useState(soundIsOn);
  const [blocked, setBlocked] = useState(false);
  const text = TEXTS.alerts.sound;
  const choose = (wanted: boolean) => {
    keepSound(wanted);
    setOn(wanted);
    setBlocked(false);
    if (wanted) {
      // The click that asks for sound is what a browser wants before it plays any.
      playAlert().then(
        (played) => setBlocked(!played),
        () => setBlocked(true),
      );
    }
  };
  return (
    <label class="choice">
      <input type="checkbox" checked={on} onChange={(event) => choose(event.currentTarget.checked)} />
      <span>
        {text.label}
        <small class={blocked ? "failure" : "dim"} role="status">
          {blocked ? text.blocked : text.hint}
        </small>
      </span>
    </label>
  );
}

function History({ over }: { readonly over: readonly PageAlert[] }) {
  const text = TEXTS.alerts;
  if (over.length === 0) {
    return <p class="dim">{text.historyEmpty}</p>;
  }
  const { historyHead: head } = text;
  return (
    <table class="over">
      <thead>
        <tr>
          {[head.level, head.patient, head.reason, head.raised, head.ended].map((label) => (
            <th scope="col" key={label}>
              {label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {over.map(({ id, streamId, patient, alert, events }) => {
          const end = events.at(-1);
          const ended = end?.type === "resolved" ? text.endedBy(dateText(end.at), end.by, end.reason) : "";
          return (
            <tr key={id}>
              <td data-label={head.level}>{text.level[alert.level]}</td>
              <th scope="row">
                <a href={addressOf("patients", streamId)}>{patient}</a>
              </th>
              <td data-label={head.reason}>{alert.reason}</td>
              <td data-label={head.raised}>{dateText(alert.raisedAt)}</td>
              <td data-label={head.ended}>{ended}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** Every alert of this machine: those that call first, and the history. */
export function AlertsView() {
  const alerts = useAlerts();
  const now = useNow(NOW_EVERY_MS);
  const text = TEXTS.alerts;
  const open = (alerts ?? []).filter(({ alert }) => isOpen(alert));
  return (
    <main class="alerts">
      <h1>{text.title}</h1>
      {alerts === null ? <p class="dim">{text.loading}</p> : null}
      {alerts !== null && open.length === 0 ? <p>{text.none}</p> : null}
      <ul class="alert-list">
        {open.map((shown) => (
          <AlertCard key={shown.id} shown={shown} now={now} named={true} />
        ))}
      </ul>
      <SoundChoice />
      <p class="dim">{text.intro}</p>
      <h2>{text.history}</h2>
      <History over={(alerts ?? []).filter(({ alert }) => !isOpen(alert))} />
    </main>
  );
}
