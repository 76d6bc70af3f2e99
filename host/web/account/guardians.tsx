import { useState } from "preact/hooks";
import { dateText, groups } from "../format.ts";
import { useAsked, useDoing } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Done } from "../parts/done.tsx";
import { Failure } from "../parts/failure.tsx";
import { Sheet } from "../parts/sheet.tsx";
import { SureButton } from "../parts/sure-button.tsx";
import { Unfolding } from "../parts/unfolding.tsx";
import { TEXTS } from "../texts/index.ts";
import { AgainFields, againOf, NOTHING_GIVEN } from "./again-fields.tsx";
import { GuardiansForm } from "./guardians-form.tsx";

const text = TEXTS.own.guardians;

/** Doing without guardians, for the password. */
function WithdrawForm(props: { readonly onWithdrawn: () => void; readonly onCancel: () => void }) {
  const { port } = usePage();
  const [given, setGiven] = useState(NOTHING_GIVEN);
  const doing = useDoing();
  return (
    <form
      class="narrow"
      onSubmit={(event) => {
        event.preventDefault();
        doing.run(async () => {
          await port.ask("withdrawGuardians", againOf(given));
          props.onWithdrawn();
        });
      }}
    >
      <p>{text.withdrawWhat}</p>
      <AgainFields of="withdraw" value={given} onValue={setGiven} />
      <Failure text={doing.failure} />
      <div class="acts">
        <button type="submit" class="danger" disabled={doing.busy}>
          {doing.busy ? TEXTS.own.busy : text.withdrawYes}
        </button>
        <button type="button" disabled={doing.busy} onClick={props.onCancel}>
          {text.cancel}
        </button>
      </div>
    </form>
  );
}

/** Who together can bring the account back, and who asks them to. */
export function Guardians() {
  const { port } = usePage();
  const { answer, failure, again } = useAsked("guardians", null);
  const [done, setDone] = useState<readonly string[]>([]);
  const [open, setOpen] = useState(false);
  const [withdrawing, setWithdrawing] = useState(false);
  const refusing = useDoing();
  const named = answer?.named ?? null;
  const asking = (answer?.requests ?? []).filter(({ state }) => state === "open");
  return (
    <Sheet id="guardians" title={text.title} what={text.what}>
      <Done lines={done} />
      <Failure text={refusing.failure ?? failure} />
      {asking.map(({ requestId, createdAt, answers, fingerprint }) => (
        <div class="banner" key={requestId}>
          <strong>{text.asks}</strong>
          <p>{text.asksWhat(dateText(createdAt), answers)}</p>
          <p>
            <code>{groups(fingerprint)}</code>
          </p>
          <SureButton
            label={text.veto}
            question={text.vetoQuestion}
            disabled={refusing.busy}
            onSure={() =>
              refusing.run(async () => {
                await port.ask("vetoRecovery", { requestId });
                setDone([text.vetoed]);
                again();
              })
            }
          />
        </div>
      ))}
      {answer !== null && named === null ? <p>{text.none}</p> : null}
      {named === null ? null : (
        <>
          <p>{text.named(named.threshold, named.guardians.length, dateText(named.createdAt))}</p>
          <ul class="people">
            {named.guardians.map(({ handle, fingerprint }) => (
              <li key={fingerprint}>
                <strong>{handle ?? text.unknown}</strong>{" "}
                <code class="dim">{groups(fingerprint.slice(0, 16))} …</code>
              </li>
            ))}
          </ul>
        </>
      )}
      {named === null ? null : (
        <Unfolding
          label={text.withdraw}
          open={withdrawing}
          onOpen={() => {
            setDone([]);
            setWithdrawing(true);
          }}
        >
          <WithdrawForm
            onWithdrawn={() => {
              setWithdrawing(false);
              setDone([text.withdrawn]);
              again();
            }}
            onCancel={() => setWithdrawing(false)}
          />
        </Unfolding>
      )}
      {answer === null ? null : (
        <Unfolding
          label={named === null ? text.choose : text.change}
          open={open}
          onOpen={() => {
            setDone([]);
            setOpen(true);
          }}
        >
          <GuardiansForm
            onSaved={() => {
              setOpen(false);
              setDone([text.saved]);
              again();
            }}
            onCancel={() => setOpen(false)}
          />
        </Unfolding>
      )}
    </Sheet>
  );
}
