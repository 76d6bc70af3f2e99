import { useEffect, useRef, useState } from "preact/hooks";
import { Field } from "../parts/field.tsx";
import { TEXTS } from "../texts/index.ts";
import type { OwnWish } from "../worker/doctor/questions.ts";

const LONGEST_REASON = 500;

/** Ends an alert for good, with what it was. */
export function ResolveForm(props: {
  readonly id: string;
  readonly busy: boolean;
  readonly onWish: (wish: OwnWish) => void;
  readonly onCancel: () => void;
}) {
  const { id, busy, onWish, onCancel } = props;
  const [reason, setReason] = useState("");
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector("input")?.focus(), []);
  const text = TEXTS.alerts;
  return (
    <form
      class="acting"
      ref={form}
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          event.stopPropagation();
          onCancel();
        }
      }}
      onSubmit={(event) => {
        event.preventDefault();
        onWish({ type: "resolve", reason: reason.trim() });
      }}
    >
      <Field
        id={`why-${id}`}
        label={text.resolveWhy}
        hint={text.resolveHint}
        value={reason}
        maxLength={LONGEST_REASON}
        onValue={setReason}
      />
      <div class="acts">
        <button type="submit" disabled={busy}>
          {text.resolveButton}
        </button>
        <button type="button" onClick={onCancel}>
          {text.cancel}
        </button>
      </div>
    </form>
  );
}
