import { useState } from "preact/hooks";
import { dateText } from "../format.ts";
import { useAsked, useDoing } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Failure } from "../parts/failure.tsx";
import { Field } from "../parts/field.tsx";
import { SureButton } from "../parts/sure-button.tsx";
import { TEXTS } from "../texts/index.ts";

const text = TEXTS.officer.keys;

/** Closes somebody's account, or opens it again. */
export function AccountsSection() {
  const { port } = usePage();
  const [handle, setHandle] = useState("");
  const [done, setDone] = useState<string | null>(null);
  const doing = useDoing();
  const suspend = (suspended: boolean) => {
    setDone(null);
    doing.run(async () => {
      const whom = handle.trim();
      await port.ask("suspendAccount", { handle: whom, suspended });
      setDone(suspended ? text.suspended(whom) : text.reopened(whom));
    });
  };
  const disabled = doing.busy || handle.trim() === "";
  return (
    <section aria-labelledby="accounts">
      <h2 id="accounts">{text.accounts}</h2>
      <div class="narrow">
        <Field id="suspend-handle" label={text.handle} value={handle} maxLength={40} onValue={setHandle} />
        <Failure text={doing.failure} />
        <div class="acts">
          <SureButton
            label={text.suspend}
            question={text.suspendSure}
            disabled={disabled}
            onSure={() => suspend(true)}
          />
          <SureButton
            label={text.reopen}
            question={text.reopenSure}
            disabled={disabled}
            onSure={() => suspend(false)}
          />
        </div>
        <p role="status" class="good">
          {done}
        </p>
      </div>
    </section>
  );
}

/** Second factors that an operator asked to take off: an officer's word is the second one that it takes. */
export function ResetsSection() {
  const { port } = usePage();
  const resets = useAsked("factorResets", null);
  const [done, setDone] = useState<string | null>(null);
  const confirming = useDoing();
  return (
    <section aria-labelledby="resets">
      <h2 id="resets">{text.resets}</h2>
      {resets.failure === null ? null : <Failure text={resets.failure} />}
      {confirming.failure === null ? null : <Failure text={confirming.failure} />}
      {resets.answer?.length === 0 ? <p class="dim">{text.noResets}</p> : null}
      <ul class="items">
        {resets.answer?.map((reset) => (
          <li key={reset.resetId} class="item exemption">
            <span class="what">
              <strong>{reset.handle}</strong>
              <small>{text.resetBy(reset.requestedBy)}</small>
              <small>{text.until(dateText(reset.expiresAt))}</small>
            </span>
            <SureButton
              label={text.confirmReset}
              question={text.confirmSure}
              disabled={confirming.busy}
              onSure={() =>
                confirming.run(async () => {
                  await port.ask("confirmFactorReset", { resetId: reset.resetId });
                  setDone(text.resetDone(reset.handle));
                  resets.again();
                })
              }
            />
          </li>
        ))}
      </ul>
      {resets.answer?.length ? <p class="dim">{text.resetHint}</p> : null}
      <p role="status" class="good">
        {done}
      </p>
    </section>
  );
}
