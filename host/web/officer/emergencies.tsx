import { useRef, useState } from "preact/hooks";
import { dateText } from "../format.ts";
import { useAsked, useDoing } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Failure } from "../parts/failure.tsx";
import { Field } from "../parts/field.tsx";
import { SureButton } from "../parts/sure-button.tsx";
import { TEXTS } from "../texts/index.ts";
import type { RunningEmergency } from "../worker/officer/keys-questions.ts";
import { Badge } from "./badge.tsx";

const LEAST_REASON = 10;
const text = TEXTS.officer.keys;

function Emergency(props: { readonly emergency: RunningEmergency; readonly onStopped: () => void }) {
  const { emergency, onStopped } = props;
  const { id, phase, patient, requester, reason, approved, needed, until } = emergency;
  const { port } = usePage();
  const [why, setWhy] = useState("");
  const stopping = useDoing();
  return (
    <li class={`item emergency ${phase === "open" ? "severe" : "slight"}`}>
      <Badge
        severity={phase === "open" ? "severe" : "slight"}
        word={phase === "pending" ? text.phase.pending(approved, needed) : text.phase[phase]}
      />
      <span class="what">
        <strong>{text.forPatient(requester, patient)}</strong>
        <q>{reason}</q>
        <small>{text.until(dateText(until))}</small>
      </span>
      <div class="stop">
        <Field
          id={`stop-${id}`}
          label={text.stopReason}
          hint={text.stopReasonHint}
          value={why}
          maxLength={500}
          onValue={setWhy}
        />
        {stopping.failure === null ? null : <Failure text={stopping.failure} />}
        <SureButton
          label={text.stop}
          question={text.stopSure}
          disabled={stopping.busy || why.trim().length < LEAST_REASON}
          onSure={() =>
            stopping.run(async () => {
              await port.ask("stopEmergency", { id, reason: why.trim() });
              onStopped();
            })
          }
        />
      </div>
    </li>
  );
}

/** Whoever broke the glass, and the way to end it. */
export function EmergenciesSection() {
  const running = useAsked("runningEmergencies", null);
  const [stopped, setStopped] = useState(false);
  const look = useRef<HTMLButtonElement>(null);
  const again = () => {
    setStopped(false);
    running.again();
  };
  return (
    <section aria-labelledby="emergencies">
      <h2 id="emergencies">{text.emergencies}</h2>
      {running.failure === null ? null : <Failure text={running.failure} />}
      {running.answer === null && running.failure === null ? <p class="dim">{text.loading}</p> : null}
      {running.answer?.length === 0 ? <p class="dim">{text.noEmergencies}</p> : null}
      <ul class="items">
        {running.answer?.map((emergency) => (
          <Emergency
            key={emergency.id}
            emergency={emergency}
            onStopped={() => {
              setStopped(true);
              running.again();
              look.current?.focus();
            }}
          />
        ))}
      </ul>
      <p role="status" class="good">
        {stopped ? text.stopped : ""}
      </p>
      <div class="acts">
        <button type="button" ref={look} onClick={again}>
          {text.look}
        </button>
        <small class="dim">{text.emergenciesHint}</small>
      </div>
    </section>
  );
}
