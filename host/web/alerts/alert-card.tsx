import { useRef, useState } from "preact/hooks";
import { ageText, dateText } from "../format.ts";
import { useDoing } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Failure } from "../parts/failure.tsx";
import { addressOf } from "../route.ts";
import { TEXTS } from "../texts/index.ts";
import type { PageAlert } from "../worker/doctor/alert-journal.ts";
import type { OwnWish } from "../worker/doctor/questions.ts";
import { eventText, reasonText, statusText } from "./alert-words.ts";
import { ResolveForm } from "./resolve-form.tsx";
import { SnoozeForm } from "./snooze-form.tsx";

/** One open alert: what, how grave, where it stands, and what can be done with it. */
export function AlertCard(props: {
  readonly shown: PageAlert;
  readonly now: number;
  /** False where the patient is named already. */
  readonly named: boolean;
}) {
  const { shown, now, named } = props;
  const { id, streamId, patient, kind, alert, events } = shown;
  const { port } = usePage();
  const [form, setForm] = useState<"snooze" | "resolve" | null>(null);
  const snoozer = useRef<HTMLButtonElement>(null);
  const resolver = useRef<HTMLButtonElement>(null);
  const doing = useDoing();
  const text = TEXTS.alerts;

  /** Nothing was done: the focus goes back to what opened the form. */
  const cancel = () => {
    setForm(null);
    (form === "snooze" ? snoozer : resolver).current?.focus();
  };
  const act = async (wish: OwnWish): Promise<void> => {
    if (await doing.run(async () => void (await port.ask("changeAlert", { id, wish, saw: alert.level })))) {
      setForm(null);
    }
  };
  const escalated = alert.status === "escalated";
  return (
    <li class={`alert ${alert.level} ${alert.status}`}>
      <div class="what">
        <span class={`level ${alert.level}`}>{text.level[alert.level]}</span>
        <div>
          {named ? (
            <h3>
              <a href={addressOf("patients", streamId)}>{patient}</a>
            </h3>
          ) : null}
          <p class="reason">{reasonText(kind, { reason: alert.reason, events })}</p>
          <p class="dim">
            {[text.kind[kind] ?? kind, text.raisedAgo(ageText(alert.raisedAt, now)), statusText(alert)].join(
              " · ",
            )}
          </p>
        </div>
      </div>
      <div class="acts">
        {alert.status === "acknowledged" ? null : (
          <button
            type="button"
            class="act"
            disabled={doing.busy}
            onClick={() => act({ type: "acknowledge" })}
          >
            {text.acknowledge}
          </button>
        )}
        <button
          type="button"
          ref={snoozer}
          aria-expanded={form === "snooze"}
          disabled={doing.busy || escalated}
          title={escalated ? text.escalatedFirst : undefined}
          onClick={() => setForm(form === "snooze" ? null : "snooze")}
        >
          {text.snooze}
        </button>
        <button
          type="button"
          ref={resolver}
          aria-expanded={form === "resolve"}
          disabled={doing.busy}
          onClick={() => setForm(form === "resolve" ? null : "resolve")}
        >
          {text.resolve}
        </button>
      </div>
      {form === "snooze" ? (
        <SnoozeForm id={id} longest={shown.longestSnooze} busy={doing.busy} onWish={act} onCancel={cancel} />
      ) : form === "resolve" ? (
        <ResolveForm id={id} busy={doing.busy} onWish={act} onCancel={cancel} />
      ) : null}
      {doing.failure === null ? null : <Failure text={doing.failure} />}
      <details>
        <summary>{text.course}</summary>
        <ul class="course-of">
          {events.map((event, at) => (
            <li key={`${event.at} ${at}`}>
              <time>{dateText(event.at)}</time> {eventText(event)}
            </li>
          ))}
        </ul>
      </details>
    </li>
  );
}
