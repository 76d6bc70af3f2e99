import { useState } from "preact/hooks";
import { useDoing } from "../hooks.ts";
import { Failure } from "../parts/failure.tsx";
import { Field } from "../parts/field.tsx";
import { TEXTS } from "../texts/index.ts";
import type { Questions } from "../worker/messages.ts";
import type { WorkerPort } from "../worker/port.ts";
import type { LockedVault, Places } from "../worker/session-questions.ts";

/** A page that was left, or opened again: the passphrase alone brings it back. */
export function UnlockView(props: {
  readonly port: WorkerPort;
  readonly places: Places;
  readonly vault: LockedVault;
  readonly onOpened: (opened: Questions["unlock"]["answer"]) => void;
  /** Forgets the vault, and goes to the login. */
  readonly onLeave: (note?: string) => void;
}) {
  const { port, places, vault } = props;
  const [passphrase, setPassphrase] = useState("");
  const unlocking = useDoing();
  const text = TEXTS.unlock;

  const submit = (event: Event) => {
    event.preventDefault();
    unlocking.run(async () => {
      try {
        props.onOpened(await port.ask("unlock", { places, vault, passphrase }));
      } catch (error) {
        if ((error as { code?: string }).code?.startsWith("SESSION_")) {
          props.onLeave(text.sessionOver);
          return;
        }
        throw error;
      }
    });
  };

  return (
    <main class="login">
      <form class="card" onSubmit={submit}>
        <p class="brand">{TEXTS.product}</p>
        <h1>{text.title}</h1>
        <p class="dim">{text.who(vault.handle)}</p>
        <Field
          id="passphrase"
          label={TEXTS.login.passphrase}
          type="password"
          value={passphrase}
          onValue={setPassphrase}
        />
        <Failure text={unlocking.failure} />
        <button type="submit" class="primary" disabled={unlocking.busy}>
          {unlocking.busy ? TEXTS.login.busy : text.button}
        </button>
        <button type="button" class="plain" onClick={() => props.onLeave()}>
          {text.other}
        </button>
      </form>
    </main>
  );
}
