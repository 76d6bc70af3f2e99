import { useEffect, useRef, useState } from "preact/hooks";
import { useDoing } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Failure } from "../parts/failure.tsx";
import { Field } from "../parts/field.tsx";
import { SureButton } from "../parts/sure-button.tsx";
import { TEXTS } from "../texts/index.ts";

const MINUTES = [15, 60, 120, 240];
const USUAL_MINUTES = 60;

/** Asks the trustees of a patient, after saying who is told of it. */
export function RequestForm({ onAsked }: { readonly onAsked: (words: string) => void }) {
  const { port } = usePage();
  const [shown, setShown] = useState(false);
  const [patient, setPatient] = useState("");
  const [reason, setReason] = useState("");
  const [minutes, setMinutes] = useState(USUAL_MINUTES);
  const form = useRef<HTMLFormElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const doing = useDoing();
  const text = TEXTS.emergencies.ask;
  useEffect(() => {
    if (shown) {
      form.current?.querySelector("input")?.focus();
    }
  }, [shown]);
  const close = () => {
    setShown(false);
    // The button is there again after the next drawing.
    setTimeout(() => opener.current?.focus());
  };
  const ask = () =>
    doing.run(async () => {
      const asked = { patient: patient.trim().toLowerCase(), reason: reason.trim(), minutes };
      const { trustees, needed } = await port.ask("requestEmergency", asked);
      setPatient("");
      setReason("");
      onAsked(text.asked(trustees, needed));
      close();
    });

  if (!shown) {
    return (
      <button type="button" class="danger" ref={opener} onClick={() => setShown(true)}>
        {text.open}
      </button>
    );
  }
  return (
    <form class="card" ref={form} aria-labelledby="break-glass" onSubmit={(event) => event.preventDefault()}>
      <h2 id="break-glass">{text.title}</h2>
      <ul>
        {text.means.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      <Field
        id="emergency-patient"
        label={text.patient}
        hint={text.patientHint}
        value={patient}
        maxLength={40}
        onValue={setPatient}
      />
      <Field
        id="emergency-reason"
        label={text.reason}
        hint={text.reasonHint}
        value={reason}
        maxLength={500}
        onValue={setReason}
      />
      <label class="field" for="emergency-minutes">
        <span>{text.minutes}</span>
        <select
          id="emergency-minutes"
          value={minutes}
          onChange={(event) => setMinutes(Number(event.currentTarget.value))}
        >
          {MINUTES.map((n) => (
            <option key={n} value={n}>
              {text.minutesOf(n)}
            </option>
          ))}
        </select>
      </label>
      <Failure text={doing.failure} />
      <div class="ranges">
        <SureButton label={text.button} question={text.sure} disabled={doing.busy} onSure={ask} />
        <button type="button" onClick={close}>
          {text.cancel}
        </button>
      </div>
    </form>
  );
}
