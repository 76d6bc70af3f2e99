import { useState } from "preact/hooks";
import { TextForm } from "../parts/text-form.tsx";
import { TEXTS } from "../texts/index.ts";
import type { InPlace } from "./place.tsx";

/** What a question or an answer may be long: it has to fit its largest size. */
export const MOST_WORDS = 3000;

/** A choice that cannot be taken back. */
export function AsMyself(props: {
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}) {
  return (
    <label class="choice">
      <input
        type="checkbox"
        checked={props.checked}
        onChange={(event) => props.onChange(event.currentTarget.checked)}
      />
      <span>{TEXTS.community.asMyself}</span>
    </label>
  );
}

/** A question to one partner, or to everybody who passes for null. */
export function AskForm(props: {
  readonly partner: string | null;
  readonly within: InPlace;
  readonly onDone: () => void;
}) {
  const { partner, within, onDone } = props;
  const [asMyself, setAsMyself] = useState(false);
  return (
    <TextForm
      id={`ask-${partner ?? "all"}`}
      label={TEXTS.community.yourQuestion}
      button={TEXTS.community.send}
      cancel={TEXTS.community.cancel}
      maxLength={MOST_WORDS}
      busy={within.doing.busy}
      onCancel={onDone}
      onText={async (text) => {
        if (await within.act({ act: "ask", partner, text, asMyself })) {
          onDone();
        }
      }}
    >
      <AsMyself checked={asMyself} onChange={setAsMyself} />
    </TextForm>
  );
}
