import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** Some words of a person's to be sent: the field has the focus at once, Escape gives up. */
export function TextForm(props: {
  readonly id: string;
  readonly label: string;
  readonly button: string;
  readonly cancel: string;
  readonly maxLength: number;
  readonly busy: boolean;
  readonly children?: ComponentChildren;
  readonly onText: (text: string) => void;
  readonly onCancel: () => void;
}) {
  const { id, label, button, cancel, maxLength, busy, onText, onCancel } = props;
  const [text, setText] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus(), []);
  return (
    <form
      class="words"
      onSubmit={(event) => {
        event.preventDefault();
        onText(text.trim());
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          event.stopPropagation();
          onCancel();
        }
      }}
    >
      <label class="field" for={id}>
        <span>{label}</span>
        <textarea
          id={id}
          ref={field}
          rows={3}
          required
          maxLength={maxLength}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      {props.children}
      <p class="acts">
        <button type="submit" class="accent" disabled={busy || text.trim() === ""}>
          {button}
        </button>
        <button type="button" onClick={onCancel}>
          {cancel}
        </button>
      </p>
    </form>
  );
}
