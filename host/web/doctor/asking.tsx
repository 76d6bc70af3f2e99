import { useState } from "preact/hooks";
import { dateText } from "../format.ts";
import { useAsked, useDoing } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Failure } from "../parts/failure.tsx";
import { Field } from "../parts/field.tsx";
import { SureButton } from "../parts/sure-button.tsx";
import { Unfolding } from "../parts/unfolding.tsx";
import { TEXTS } from "../texts/index.ts";

const text = TEXTS.doctor.asking;
const DAYS = 30;
const REASON_CHARACTERS = 200;

function AskForm({ onDone }: { readonly onDone: () => void }) {
  const { port } = usePage();
  const [handle, setHandle] = useState("");
  const [reason, setReason] = useState("");
  const asking = useDoing();
  const submit = async (event: Event) => {
    event.preventDefault();
    const ask = { handle: handle.trim(), reason: reason.trim(), days: DAYS };
    if (await asking.run(async () => void (await port.ask("askForAccess", ask)))) {
      onDone();
    }
  };
  return (
    <form class="panel narrow" onSubmit={submit}>
      <p class="dim">{text.what}</p>
      <Field id="ask-handle" label={text.handle} value={handle} onValue={setHandle} />
      <Field
        id="ask-reason"
        label={text.reason}
        value={reason}
        maxLength={REASON_CHARACTERS}
        onValue={setReason}
      />
      <Failure text={asking.failure} />
      <p class="acts">
        <button type="submit" class="accent" disabled={asking.busy}>
          {text.button}
        </button>
        <button type="button" onClick={onDone}>
          {text.cancel}
        </button>
      </p>
    </form>
  );
}

/** Asking a patient for access, and what one has asked for. */
export function Asking() {
  const { port } = usePage();
  const [open, setOpen] = useState(false);
  const { answer, again } = useAsked("askedForAccess", null);
  const withdrawing = useDoing();
  return (
    <section class="asking">
      <Unfolding label={text.open} open={open} onOpen={() => setOpen(true)}>
        <AskForm
          onDone={() => {
            setOpen(false);
            again();
          }}
        />
      </Unfolding>
      <Failure text={withdrawing.failure} />
      <ul class="asked">
        {answer?.map(({ requestId, handle, reason, expiresAt }) => (
          <li key={requestId}>
            {text.asked(handle, dateText(expiresAt))} <span class="dim">{reason}</span>{" "}
            <SureButton
              label={text.withdraw}
              question={text.withdrawQuestion}
              disabled={withdrawing.busy}
              onSure={async () => {
                await withdrawing.run(async () => void (await port.ask("withdrawAsking", { requestId })));
                again();
              }}
            />
          </li>
        ))}
      </ul>
    </section>
  );
}
