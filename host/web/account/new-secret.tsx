import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { useDoing } from "../hooks.ts";
import { Done } from "../parts/done.tsx";
import { Failure } from "../parts/failure.tsx";
import { Field } from "../parts/field.tsx";
import { Sheet } from "../parts/sheet.tsx";
import { Unfolding } from "../parts/unfolding.tsx";
import { TEXTS } from "../texts/index.ts";

/** What a form that changes a secret says. */
interface SecretTexts {
  readonly title: string;
  readonly what: string;
  readonly start: string;
  readonly next: string;
  readonly nextHint: string;
  readonly repeat: string;
  readonly differs: string;
  readonly make: string;
  readonly cancel: string;
  readonly done: string;
}

/** Changes a password or passphrase: proves the one in force, asks for the new one twice. */
export function NewSecret(props: {
  readonly id: string;
  readonly text: SecretTexts;
  /** Fields that prove who does it. */
  readonly proof: ComponentChildren;
  readonly onNew: (next: string) => Promise<void>;
  /** The form was closed: what was typed is to be forgotten. */
  readonly onClosed: () => void;
}) {
  const { id, text, proof, onNew, onClosed } = props;
  const [open, setOpen] = useState(false);
  const [next, setNext] = useState("");
  const [repeated, setRepeated] = useState("");
  const [differs, setDiffers] = useState(false);
  const [done, setDone] = useState<readonly string[]>([]);
  const changing = useDoing();
  const close = () => {
    setOpen(false);
    setNext("");
    setRepeated("");
    setDiffers(false);
    onClosed();
  };
  return (
    <Sheet id={id} title={text.title} what={text.what}>
      <Done lines={done} />
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
            setDiffers(next !== repeated);
            if (next === repeated) {
              changing.run(async () => {
                await onNew(next);
                close();
                setDone([text.done]);
              });
            }
          }}
        >
          {proof}
          <Field
            id={`${id}-next`}
            label={text.next}
            hint={text.nextHint}
            type="password"
            value={next}
            autocomplete="new-password"
            onValue={setNext}
          />
          <Field
            id={`${id}-repeat`}
            label={text.repeat}
            type="password"
            value={repeated}
            autocomplete="new-password"
            onValue={setRepeated}
          />
          <Failure text={differs ? text.differs : changing.failure} />
          <div class="acts">
            <button type="submit" class="accent" disabled={changing.busy}>
              {changing.busy ? TEXTS.own.busy : text.make}
            </button>
            <button type="button" disabled={changing.busy} onClick={close}>
              {text.cancel}
            </button>
          </div>
        </form>
      </Unfolding>
    </Sheet>
  );
}
