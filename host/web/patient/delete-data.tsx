import { useState } from "preact/hooks";
import { AgainFields, againOf, NOTHING_GIVEN } from "../account/again-fields.tsx";
import { dateText } from "../format.ts";
import { useAsked, useDoing } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Confirm } from "../parts/confirm.tsx";
import { Done } from "../parts/done.tsx";
import { Failure } from "../parts/failure.tsx";
import { Field } from "../parts/field.tsx";
import { Sheet } from "../parts/sheet.tsx";
import { Unfolding } from "../parts/unfolding.tsx";
import { TEXTS } from "../texts/index.ts";
import { forgetVault } from "../vault-store.ts";

const text = TEXTS.home.deletion;

/** A password once more, and for what cannot wait the handle as well. */
function ProofForm(props: {
  readonly id: string;
  readonly withHandle: boolean;
  readonly button: string;
  readonly busy: boolean;
  readonly failure: string | null;
  readonly onProof: (proof: ReturnType<typeof againOf> & { readonly handle: string }) => void;
  readonly onCancel: () => void;
}) {
  const { id, withHandle, button, busy, failure, onProof, onCancel } = props;
  const [again, setAgain] = useState(NOTHING_GIVEN);
  const [handle, setHandle] = useState("");
  return (
    <form
      class="narrow"
      onSubmit={(event) => {
        event.preventDefault();
        onProof({ ...againOf(again), handle });
      }}
    >
      {withHandle ? (
        <Field
          id={`${id}-handle`}
          label={text.handle}
          hint={text.handleHint}
          value={handle}
          onValue={setHandle}
        />
      ) : null}
      <AgainFields of={id} value={again} onValue={setAgain} />
      <Failure text={failure} />
      <div class="acts">
        <button type="submit" class="danger" disabled={busy}>
          {busy ? TEXTS.home.busy : button}
        </button>
        <button type="button" disabled={busy} onClick={onCancel}>
          {text.cancel}
        </button>
      </div>
    </form>
  );
}

/** Deleting everything that the services keep: announced first, done after a day or at once. */
export function DeleteData() {
  const { port } = usePage();
  const { answer, failure, again } = useAsked("deletion", null);
  const [form, setForm] = useState<"announce" | "now" | null>(null);
  const [done, setDone] = useState<readonly string[]>([]);
  const [gone, setGone] = useState(false);
  const doing = useDoing();
  const state = answer?.state ?? null;
  const dueAt = answer?.dueAt ?? 0;
  const due = state === "waiting" && dueAt <= Date.now();

  const act = (work: () => Promise<unknown>, line: string | null) =>
    doing.run(async () => {
      await work();
      setForm(null);
      setDone(line === null ? [] : [line]);
      again();
    });
  const run = (confirm: Parameters<typeof port.ask<"runDeletion">>[1]["confirm"]) =>
    doing.run(async () => {
      await port.ask("runDeletion", { confirm });
      await forgetVault();
      setGone(true);
      setDone([text.gone]);
    });

  if (gone) {
    return (
      <Sheet id="deletion" title={text.title}>
        <Done lines={done} />
        <p>{text.left}</p>
      </Sheet>
    );
  }
  const runConfirm = (
    <Confirm
      label={state === "waiting" ? text.run : text.goOn}
      title={text.runTitle}
      points={[text.all, text.left]}
      yes={doing.busy ? TEXTS.home.busy : text.runYes}
      no={text.cancel}
      busy={doing.busy}
      onSure={() => run(null)}
    />
  );
  return (
    <Sheet id="deletion" title={text.title} what={text.what}>
      <p>{text.left}</p>
      <Done lines={done} />
      <Failure text={form === null ? (doing.failure ?? failure) : null} />
      {state === "none" ? (
        <Unfolding label={text.start} open={form === "announce"} onOpen={() => setForm("announce")}>
          <ProofForm
            id="deletion"
            withHandle={false}
            button={text.announce}
            busy={doing.busy}
            failure={doing.failure}
            onProof={({ handle: _, ...given }) => act(() => port.ask("announceDeletion", given), null)}
            onCancel={() => setForm(null)}
          />
        </Unfolding>
      ) : null}
      {state === "waiting" ? (
        <>
          <p class="banner">{due ? text.due : text.waiting(dateText(dueAt))}</p>
          <div class="acts">
            <button
              type="button"
              disabled={doing.busy}
              onClick={() => act(() => port.ask("withdrawDeletion", null), text.withdrawn)}
            >
              {text.withdraw}
            </button>
          </div>
          {due ? (
            runConfirm
          ) : (
            <Unfolding label={text.now} open={form === "now"} onOpen={() => setForm("now")}>
              <ProofForm
                id="deletion-now"
                withHandle={true}
                button={text.runYes}
                busy={doing.busy}
                failure={doing.failure}
                onProof={run}
                onCancel={() => setForm(null)}
              />
            </Unfolding>
          )}
        </>
      ) : null}
      {state === "begun" || state === "erasing" ? (
        <>
          <p class="banner">{text.cutOff}</p>
          {runConfirm}
        </>
      ) : null}
    </Sheet>
  );
}
