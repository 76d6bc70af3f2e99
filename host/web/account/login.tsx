import { useState } from "preact/hooks";
import type { HandedOver } from "../handed-over.ts";
import { useDoing } from "../hooks.ts";
import { lazily } from "../lazily.tsx";
import { Failure } from "../parts/failure.tsx";
import { Field } from "../parts/field.tsx";
import { TEXTS } from "../texts/index.ts";
import type { Questions } from "../worker/messages.ts";
import type { WorkerPort } from "../worker/port.ts";
import type { Places } from "../worker/session-questions.ts";

const RecoverView = lazily(async () => (await import("./recover.tsx")).RecoverView);

export function LoginView(props: {
  readonly port: WorkerPort;
  readonly places: Places;
  readonly handed: HandedOver;
  /** Why somebody is here again. */
  readonly note: string | undefined;
  readonly onOpened: (opened: Questions["logIn"]["answer"], mayKeep: boolean) => void;
}) {
  const { port, places, handed, note } = props;
  const [handle, setHandle] = useState(handed.handle ?? "");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [passphrase, setPassphrase] = useState(handed.passphrase ?? "");
  const [session, setSession] = useState(handed.session);
  const [mayKeep, setMayKeep] = useState(false);
  const [recovering, setRecovering] = useState(false);
  const login = useDoing();
  const text = TEXTS.login;

  const submit = (event: Event) => {
    event.preventDefault();
    login.run(async () => {
      const kept = session === undefined ? {} : { session };
      const second = code === "" ? {} : { code };
      try {
        const asked = { places, handle, password, passphrase, ...second, ...kept };
        props.onOpened(await port.ask("logIn", asked), mayKeep);
      } catch (error) {
        if ((error as { code?: string }).code?.startsWith("SESSION_")) {
          setSession(undefined);
        }
        throw error;
      }
    });
  };

  if (recovering) {
    return (
      <RecoverView
        port={port}
        places={places}
        onOpened={(opened) => props.onOpened(opened, false)}
        onBack={() => setRecovering(false)}
      />
    );
  }
  return (
    <main class="login">
      <form class="card" onSubmit={submit}>
        <p class="brand">{TEXTS.product}</p>
        <h1>{text.title}</h1>
        <p class="dim">{note ?? (session === undefined ? TEXTS.tagline : text.kept)}</p>
        <Field id="handle" label={text.handle} value={handle} autocomplete="username" onValue={setHandle} />
        {session === undefined ? (
          <>
            <Field
              id="password"
              label={text.password}
              type="password"
              value={password}
              autocomplete="current-password"
              onValue={setPassword}
            />
            <Field
              id="code"
              label={text.code}
              hint={text.codeHint}
              value={code}
              autocomplete="one-time-code"
              required={false}
              inputMode="numeric"
              onValue={setCode}
            />
          </>
        ) : null}
        <Field
          id="passphrase"
          label={text.passphrase}
          hint={text.passphraseHint}
          type="password"
          value={passphrase}
          onValue={setPassphrase}
        />
        <label class="choice">
          <input
            type="checkbox"
            checked={mayKeep}
            onChange={(event) => setMayKeep(event.currentTarget.checked)}
          />
          <span>{text.keep}</span>
        </label>
        <Failure text={login.code === "BACKUP_MISSING" ? text.noBackup : login.failure} />
        <button type="submit" class="primary" disabled={login.busy}>
          {login.busy ? text.busy : text.button}
        </button>
        <button type="button" class="plain" onClick={() => setRecovering(true)}>
          {TEXTS.own.recover.open}
        </button>
      </form>
    </main>
  );
}
