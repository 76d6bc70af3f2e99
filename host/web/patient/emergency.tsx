import { useRef, useState } from "preact/hooks";
import { dateText, groups } from "../format.ts";
import { useAsked, useDoing } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Done } from "../parts/done.tsx";
import { Failure } from "../parts/failure.tsx";
import { Sheet } from "../parts/sheet.tsx";
import { SureButton } from "../parts/sure-button.tsx";
import "../style/patient.css";
import { TEXTS } from "../texts/index.ts";
import { useFresh } from "../use-fresh.ts";
import type { ShownEmergency } from "../worker/patient/questions.ts";
import { TrusteesForm } from "./trustees-form.tsx";

const text = TEXTS.home.emergency;

function EmergencyCard(props: { readonly emergency: ShownEmergency; readonly onEnded: () => void }) {
  const { emergency, onEnded } = props;
  const { port } = usePage();
  const doing = useDoing();
  const { approvers, needed, phase } = emergency;
  return (
    <li class={`share ${phase === "open" ? "grave" : ""}`}>
      <h3>
        {text.asked(emergency.requester, dateText(emergency.requestedAt))}{" "}
        <span class={`chip is-${phase}`}>{text.phases[phase]}</span>
      </h3>
      <p>{text.because(emergency.reason)}</p>
      <p class="dim">
        {approvers.length === 0 ? text.noApprovers(needed) : text.approvers(approvers.join(", "), needed)}
      </p>
      <p>
        {emergency.endedAt === null
          ? text.until(dateText(emergency.until))
          : text.ended(dateText(emergency.endedAt))}
      </p>
      {phase === "ended" ? null : (
        <>
          <Failure text={doing.failure} />
          <SureButton
            label={text.end}
            question={text.endQuestion}
            disabled={doing.busy}
            onSure={() =>
              doing.run(async () => {
                await port.ask("endOwnEmergency", { emergencyId: emergency.emergencyId });
                onEnded();
              })
            }
          />
        </>
      )}
    </li>
  );
}

/** Who can find a patient, and how: for a wallet. */
function WalletCard() {
  const { person } = usePage();
  return (
    <Sheet id="card" title={text.card} what={text.cardWhat}>
      <div class="paper wallet">
        <strong>{text.cardTitle}</strong>
        <p>{person.handle}</p>
        <code>{groups(person.fingerprint)}</code>
      </div>
      <button type="button" onClick={() => print()}>
        {text.print}
      </button>
    </Sheet>
  );
}

/** Who may open the record when the patient cannot be asked, and what came of it. */
export function EmergencyView() {
  const { port } = usePage();
  const { answer, failure, again } = useAsked("trustees", null);
  const [choosing, setChoosing] = useState(false);
  const [done, setDone] = useState<readonly string[]>([]);
  const renewing = useDoing();
  const box = useRef<HTMLElement>(null);
  useFresh(again);
  const plan = answer?.plan ?? null;
  const finish = (line: string | null) => {
    setChoosing(false);
    setDone(line === null ? [] : [line]);
    again();
    box.current?.querySelector<HTMLElement>("#trustees-title")?.focus();
  };
  return (
    <main ref={box}>
      <h1>{text.title}</h1>
      <p class="dim reading-width">{text.what}</p>
      <Done lines={done} />
      <Failure text={failure} />
      {answer?.newKeyDue ? (
        <div class="banner">
          <p>{text.newKey}</p>
          <Failure text={renewing.failure} />
          <button
            type="button"
            disabled={renewing.busy}
            onClick={() =>
              renewing.run(async () => {
                await port.ask("newKeyAfterEmergency", null);
                finish(text.newKeyDone);
              })
            }
          >
            {renewing.busy ? TEXTS.home.busy : text.newKeyDo}
          </button>
        </div>
      ) : null}
      <Sheet id="trustees" title={text.plan}>
        {answer === null && failure === null ? <p class="dim">{TEXTS.home.loading}</p> : null}
        {answer !== null && plan === null ? <p>{text.none}</p> : null}
        {plan === null ? null : (
          <>
            <p>{text.planned(plan.threshold, plan.trustees.length, dateText(plan.createdAt))}</p>
            <ul class="people">
              {plan.trustees.map(({ handle, fingerprint }) => (
                <li key={handle}>
                  <strong>{handle}</strong> <code class="dim">{groups(fingerprint.slice(0, 16))} …</code>
                </li>
              ))}
            </ul>
          </>
        )}
        {answer === null ? null : choosing ? (
          <TrusteesForm most={answer.most} onSaved={() => finish(text.saved)} onCancel={() => finish(null)} />
        ) : (
          <button
            type="button"
            onClick={() => {
              setDone([]);
              setChoosing(true);
            }}
          >
            {plan === null ? text.choose : text.change}
          </button>
        )}
      </Sheet>
      <Sheet id="running" title={text.running}>
        {answer?.emergencies.length === 0 ? <p class="dim">{text.noneYet}</p> : null}
        <ul class="shares">
          {(answer?.emergencies ?? []).map((emergency) => (
            <EmergencyCard
              key={emergency.emergencyId}
              emergency={emergency}
              onEnded={() => finish(text.endDone)}
            />
          ))}
        </ul>
      </Sheet>
      <WalletCard />
    </main>
  );
}
