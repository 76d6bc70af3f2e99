import { useState } from "preact/hooks";
import { dateText, groups, minutesLeft } from "../format.ts";
import { useDoing } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Failure } from "../parts/failure.tsx";
import { Field } from "../parts/field.tsx";
import { SureButton } from "../parts/sure-button.tsx";
import { addressOf, goTo } from "../route.ts";
import { TEXTS } from "../texts/index.ts";
import type { PageEmergency } from "../worker/doctor/questions.ts";

const text = TEXTS.emergencies;

interface CardProps {
  readonly shown: PageEmergency;
  readonly onChange: () => void;
}

/** What a trustee compares, and agrees to. */
function Approving({ shown, onChange }: CardProps) {
  const { id, requester, requesterFingerprint, requesterKnown, approved, phase } = shown;
  const { port } = usePage();
  /** What was compared, and for whom: the page asks again meanwhile, and the KDC may tell of another. */
  const [compared, setCompared] = useState<string | null>(null);
  const [done, setDone] = useState<string | null>(null);
  const doing = useDoing();
  const words = text.approve;
  const shownNow = `${requester} ${requesterFingerprint}`;
  const isCompared = compared === shownNow;

  const approve = () =>
    doing.run(async () => {
      const asked = { id, requester, fingerprint: requesterFingerprint };
      const { opens } = await port.ask("approveEmergency", asked);
      setDone(opens ? words.opens : words.done);
      onChange();
    });
  const withdraw = () =>
    doing.run(async () => {
      await port.ask("withdrawApproval", { id });
      setDone(null);
      onChange();
    });
  return (
    <>
      <p>
        {words.fingerprint}: <code>{groups(requesterFingerprint)}</code>
      </p>
      {requesterKnown === "changed" ? <p class="banner">{words.changed}</p> : null}
      {approved ? (
        phase === "pending" ? (
          <button type="button" disabled={doing.busy} onClick={withdraw}>
            {words.withdraw}
          </button>
        ) : null
      ) : requesterKnown === "changed" ? null : (
        <>
          {requesterKnown === "yes" ? (
            <p class="dim">{words.known}</p>
          ) : (
            <label class="choice">
              <input
                type="checkbox"
                checked={isCompared}
                onChange={(event) => setCompared(event.currentTarget.checked ? shownNow : null)}
              />
              <span>{words.compare(requester)}</span>
            </label>
          )}
          <p>{words.means}</p>
          <SureButton
            // A first click is not for another one.
            key={shownNow}
            label={words.button}
            question={words.sure}
            disabled={doing.busy || !(isCompared || requesterKnown === "yes")}
            onSure={approve}
          />
        </>
      )}
      <p role="status">{done}</p>
      <Failure text={doing.failure} />
    </>
  );
}

/** What the requester does once it is open. */
function Opening({ shown, onChange }: CardProps) {
  const { id, patient, phase, streamIds } = shown;
  const { port } = usePage();
  const [fingerprint, setFingerprint] = useState("");
  const [warnings, setWarnings] = useState<readonly string[]>([]);
  const doing = useDoing();
  const words = text.open;
  const [streamId] = streamIds;

  const open = () =>
    doing.run(async () => {
      const opened = await port.ask("openEmergency", { id, patient, fingerprint });
      const said = [
        ...(opened.compared ? [] : [words.notCompared]),
        ...(opened.liars.length === 0 ? [] : [words.liars(opened.liars.join(", "))]),
      ];
      setWarnings(said);
      onChange();
      const [first] = opened.streamIds;
      if (said.length === 0 && first !== undefined) {
        goTo("patients", first);
      }
    });
  return (
    <>
      {phase === "open" && streamId === undefined ? (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            open();
          }}
        >
          <Field
            id={`card-${id}`}
            label={words.card}
            hint={words.cardHint}
            value={fingerprint}
            required={false}
            onValue={setFingerprint}
          />
          <button type="submit" class="act" disabled={doing.busy}>
            {words.button}
          </button>
        </form>
      ) : null}
      {warnings.map((line) => (
        <p class="banner" key={line}>
          {line}
        </p>
      ))}
      <div class="ranges">
        {streamId === undefined ? null : <a href={addressOf("patients", streamId)}>{words.show}</a>}
        <SureButton
          label={words.end}
          question={words.sure}
          disabled={doing.busy}
          onSure={() =>
            doing.run(async () => {
              await port.ask("endEmergency", { id });
              onChange();
            })
          }
        />
      </div>
      <Failure text={doing.failure} />
    </>
  );
}

/** One emergency: who, why, how far it is, and what one can do about it. */
export function EmergencyCard({ shown, now, onChange }: CardProps & { readonly now: number }) {
  const { patient, requester, reason, needed, approvers, until, own, phase } = shown;
  const words = text.entry;
  return (
    <li class={`emergency-card ${phase}`}>
      <h3>
        {own ? words.ownTitle(patient) : words.title(requester, patient)}{" "}
        <span class="phase">{words.phase[phase]}</span>
      </h3>
      <dl class="facts">
        <dt>{words.reason}</dt>
        <dd>{reason}</dd>
        <dt>{words.approvals}</dt>
        <dd>
          {words.approvalsOf(approvers.length, needed, approvers.map(({ handle }) => handle).join(", "))}
        </dd>
        <dt>{words.ends}</dt>
        <dd>{words.endsAt(dateText(until), words.left(minutesLeft(until, now)))}</dd>
      </dl>
      {phase === "ended" ? null : own ? (
        <Opening shown={shown} onChange={onChange} />
      ) : (
        <Approving shown={shown} onChange={onChange} />
      )}
    </li>
  );
}
