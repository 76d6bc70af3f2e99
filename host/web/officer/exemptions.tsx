import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { useDoing } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Failure } from "../parts/failure.tsx";
import { Field } from "../parts/field.tsx";
import { SureButton } from "../parts/sure-button.tsx";
import { TEXTS } from "../texts/index.ts";
import type { Questions } from "../worker/messages.ts";
import type { ExemptionRow } from "../worker/officer/watch-questions.ts";
import { leftText, shortId } from "./words.ts";

const HOURS = [1, 8, 24, 168, 720] as const;
const { services, subject, watch: text } = TEXTS.officer;

type About = Questions["exempt"]["ask"]["about"];

/** What became of an exemption, service by service. */
export function ExemptionResult({ result }: { readonly result: Questions["exempt"]["answer"] | null }) {
  return (
    <div role="status">
      {result === null || result.made.length === 0 ? null : (
        <p class="good">{text.exempted(result.made.map(services.name).join(", "))}</p>
      )}
      {result?.failed.map(({ service, why }) => (
        <p key={service} class="failure">
          {text.exemptFailed(services.name(service), why)}
        </p>
      ))}
    </div>
  );
}

/** For how long and why; of an address also which. */
export function ExemptionForm(props: {
  /** Null: the form asks for an address. */
  readonly about: About | null;
  readonly onDone: (result: Questions["exempt"]["answer"]) => void;
  readonly onCancel: () => void;
}) {
  const { about, onDone, onCancel } = props;
  const { port } = usePage();
  const [address, setAddress] = useState("");
  const [hours, setHours] = useState<number>(8);
  const [reason, setReason] = useState("");
  const exempting = useDoing();
  const form = useRef<HTMLFormElement>(null);
  useLayoutEffect(() => form.current?.querySelector("input")?.focus(), []);

  const submit = (event: Event) => {
    event.preventDefault();
    exempting.run(async () => {
      onDone(await port.ask("exempt", { about: about ?? { address: address.trim() }, hours, reason }));
    });
  };
  return (
    <form class="inset" ref={form} onSubmit={submit}>
      {about === null ? (
        <Field
          id="exempt-address"
          label={text.address}
          hint={text.addressHint}
          value={address}
          onValue={setAddress}
        />
      ) : null}
      <Field
        id="exempt-reason"
        label={text.reason}
        hint={text.reasonHint}
        value={reason}
        maxLength={500}
        onValue={setReason}
      />
      <label class="field" for="exempt-hours">
        <span>{text.hours}</span>
        <select
          id="exempt-hours"
          value={hours}
          onChange={(event) => setHours(Number(event.currentTarget.value))}
        >
          {HOURS.map((choice) => (
            <option key={choice} value={choice}>
              {text.hoursOf(choice)}
            </option>
          ))}
        </select>
      </label>
      <Failure text={exempting.failure} />
      <div class="acts">
        <button type="submit" class="primary" disabled={exempting.busy}>
          {text.exempt}
        </button>
        <button type="button" onClick={onCancel}>
          {text.cancel}
        </button>
      </div>
    </form>
  );
}

/** Whom nothing is held against at the moment. */
export function ExemptionList(props: { readonly exemptions: readonly ExemptionRow[]; readonly now: number }) {
  const { exemptions, now } = props;
  const { port } = usePage();
  const [adding, setAdding] = useState(false);
  const [result, setResult] = useState<Questions["exempt"]["answer"] | null>(null);
  const ending = useDoing();
  const opener = useRef<HTMLButtonElement>(null);
  const close = () => {
    setAdding(false);
    // The button is there again after the next drawing.
    requestAnimationFrame(() => opener.current?.focus());
  };
  return (
    <section aria-labelledby="exemptions">
      <h2 id="exemptions">{text.exemptions}</h2>
      {exemptions.length === 0 ? <p class="dim">{text.noExemptions}</p> : null}
      <ul class="items">
        {exemptions.map((exemption) => (
          <li key={`${exemption.service} ${exemption.id}`} class="item exemption">
            <span class="what">
              <strong>
                {subject[exemption.kind]} <code>{shortId(exemption.local)}</code>
              </strong>
              <small>{exemption.reason}</small>
              <small>
                {services.name(exemption.service)} · {leftText(exemption.until, now)} ·{" "}
                {text.by(exemption.by.slice(0, 8))}
              </small>
            </span>
            <SureButton
              label={text.end}
              question={text.endSure}
              disabled={ending.busy}
              onSure={() =>
                ending.run(async () => {
                  const { service, id } = exemption;
                  await port.ask("endExemption", { service, id });
                })
              }
            />
          </li>
        ))}
      </ul>
      {ending.failure === null ? null : <Failure text={ending.failure} />}
      <ExemptionResult result={result} />
      {adding ? (
        <ExemptionForm
          about={null}
          onCancel={close}
          onDone={(done) => {
            setResult(done);
            close();
          }}
        />
      ) : (
        <button type="button" ref={opener} onClick={() => setAdding(true)}>
          {text.addExemption}
        </button>
      )}
    </section>
  );
}
