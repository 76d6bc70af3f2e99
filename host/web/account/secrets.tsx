import { useState } from "preact/hooks";
import { usePage } from "../page-context.ts";
import { Field } from "../parts/field.tsx";
import { TEXTS } from "../texts/index.ts";
import { AgainFields, againOf, NOTHING_GIVEN } from "./again-fields.tsx";
import { NewSecret } from "./new-secret.tsx";

/** The password of the account. */
export function ChangePassword() {
  const { port } = usePage();
  const [again, setAgain] = useState(NOTHING_GIVEN);
  return (
    <NewSecret
      id="password-change"
      text={TEXTS.own.password}
      proof={<AgainFields of="password-change" value={again} onValue={setAgain} />}
      onNew={async (newPassword) => {
        await port.ask("changePassword", { ...againOf(again), newPassword });
      }}
      onClosed={() => setAgain(NOTHING_GIVEN)}
    />
  );
}

/** The passphrase of the keys, here and in their backup. */
export function ChangePassphrase() {
  const { port } = usePage();
  const [current, setCurrent] = useState("");
  return (
    <NewSecret
      id="passphrase-change"
      text={TEXTS.own.passphrase}
      proof={
        <Field
          id="passphrase-change-current"
          label={TEXTS.own.passphrase.current}
          type="password"
          value={current}
          onValue={setCurrent}
        />
      }
      onNew={async (next) => {
        await port.ask("changePassphrase", { current, next });
      }}
      onClosed={() => setCurrent("")}
    />
  );
}
