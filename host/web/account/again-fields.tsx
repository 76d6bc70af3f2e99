import { usePage } from "../page-context.ts";
import { Field } from "../parts/field.tsx";
import { TEXTS } from "../texts/index.ts";
import type { AgainAsk } from "../worker/account/questions.ts";

const text = TEXTS.own.again;

/** What is asked for once more before what matters. */
export interface Again {
  readonly password: string;
  readonly code: string;
}
export const NOTHING_GIVEN: Again = { password: "", code: "" };

export function againOf({ password, code }: Again): AgainAsk {
  return code === "" ? { password } : { password, code };
}

/** Password, and a code for who has a second factor. */
export function AgainFields(props: {
  /** Before the ids, as several forms may be open. */
  readonly of: string;
  readonly value: Again;
  readonly onValue: (value: Again) => void;
}) {
  const { of, value, onValue } = props;
  const { person } = usePage();
  return (
    <>
      <Field
        id={`${of}-password`}
        label={text.password}
        type="password"
        value={value.password}
        autocomplete="current-password"
        onValue={(password) => onValue({ ...value, password })}
      />
      {person.hasFactor ? (
        <Field
          id={`${of}-code`}
          label={text.code}
          hint={text.codeHint}
          value={value.code}
          autocomplete="one-time-code"
          inputMode="numeric"
          onValue={(code) => onValue({ ...value, code })}
        />
      ) : null}
    </>
  );
}
