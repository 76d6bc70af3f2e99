import { useEffect, useRef, useState } from "preact/hooks";
import { dateText } from "../format.ts";
import { useAsked, useDoing } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Done } from "../parts/done.tsx";
import { Failure } from "../parts/failure.tsx";
import { Sheet } from "../parts/sheet.tsx";
import { Unfolding } from "../parts/unfolding.tsx";
import { TEXTS } from "../texts/index.ts";
import { AgainFields, againOf, NOTHING_GIVEN } from "./again-fields.tsx";

const text = TEXTS.own.recovery;

/** A code as it is put on paper: it is nowhere else once this is gone. */
function Paper(props: { readonly code: string; readonly onDone: () => void }) {
  const { person } = usePage();
  const box = useRef<HTMLDivElement>(null);
  const [madeAt] = useState(Date.now);
  useEffect(() => box.current?.focus(), []);
  return (
    <>
      <p role="alert">
        <strong>{text.shown}</strong>
      </p>
      <div class="paper" tabIndex={-1} ref={box}>
        <strong>{text.paperTitle(person.handle)}</strong>
        <code class="code">{props.code}</code>
        <p>{text.paperMade(dateText(madeAt))}</p>
        <p>{text.paperUse}</p>
      </div>
      <div class="acts">
        <button type="button" class="accent" onClick={() => print()}>
          {text.print}
        </button>
        <button type="button" onClick={props.onDone}>
          {text.done}
        </button>
      </div>
    </>
  );
}

/** Making the code that brings everything back. */
export function RecoveryCode() {
  const { port } = usePage();
  const [open, setOpen] = useState(false);
  const [again, setAgain] = useState(NOTHING_GIVEN);
  const [code, setCode] = useState<string | null>(null);
  const [done, setDone] = useState<readonly string[]>([]);
  const { answer: events, again: askAgain } = useAsked("accountEvents", null);
  const hadOne = events?.some(({ kind }) => kind === "recovery-code-set") === true;
  const making = useDoing();
  const close = () => {
    setOpen(false);
    setAgain(NOTHING_GIVEN);
  };
  return (
    <Sheet id="recovery" title={text.title} what={text.what}>
      {hadOne ? <p>{text.replaces}</p> : null}
      <Done lines={done} />
      {code !== null ? (
        <Paper
          code={code}
          onDone={() => {
            setCode(null);
            setDone([text.gone]);
          }}
        />
      ) : (
        <Unfolding
          label={text.start}
          open={open}
          onOpen={() => {
            setDone([]);
            setOpen(true);
          }}
        >
          <form
            class="narrow"
            onSubmit={(event) => {
              event.preventDefault();
              making.run(async () => {
                const made = await port.ask("makeRecoveryCode", againOf(again));
                setCode(made.code);
                close();
                askAgain();
              });
            }}
          >
            <AgainFields of="recovery" value={again} onValue={setAgain} />
            <Failure text={making.failure} />
            <div class="acts">
              <button type="submit" class="accent" disabled={making.busy}>
                {making.busy ? TEXTS.own.busy : text.make}
              </button>
              <button type="button" disabled={making.busy} onClick={close}>
                {text.cancel}
              </button>
            </div>
          </form>
        </Unfolding>
      )}
    </Sheet>
  );
}
