import { useState } from "preact/hooks";
import { isMedcloudletError } from "../../base/index.ts";
import { TEXTS } from "../texts.ts";
import type { Person } from "../worker/messages.ts";
import type { WorkerPort } from "../worker/port.ts";

/** What an address may bring along behind `#`, where no server sees it, at a demo: its login. */
export interface HandedOver {
  readonly handle?: string;
  readonly passphrase?: string;
  readonly session?: { readonly token: string; readonly expiresAt: number };
}

function Field(props: {
  readonly id: string;
  readonly label: string;
  readonly hint?: string;
  readonly type?: "text" | "password";
  readonly value: string;
  readonly autocomplete: string;
  readonly required?: boolean;
  readonly inputMode?: "numeric";
  readonly onValue: (value: string) => void;
}) {
  const { id, label, hint, type = "text", value, autocomplete, required = true, onValue } = props;
  return (
    <label class="field" for={id}>
      <span>{label}</span>
      <input
        id={id}
        type={type}
        value={value}
        autocomplete={autocomplete}
        required={required}
        autocapitalize="none"
        spellcheck={false}
        {...(props.inputMode === undefined ? {} : { inputMode: props.inputMode })}
        {...(hint === undefined ? {} : { "aria-describedby": `${id}-hint` })}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      {hint === undefined ? null : <small id={`${id}-hint`}>{hint}</small>}
    </label>
  );
}

export function LoginView(props: {
  readonly worker: WorkerPort;
  readonly handed: HandedOver;
  readonly onPerson: (person: Person) => void;
}) {
  const { worker, handed, onPerson } = props;
  const [handle, setHandle] = useState(handed.handle ?? "");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [passphrase, setPassphrase] = useState(handed.passphrase ?? "");
  const [session, setSession] = useState(handed.session);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const text = TEXTS.login;

  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setFailure(null);
    try {
      const kept = session === undefined ? {} : { session };
      const second = code === "" ? {} : { code };
      const kdcUrl = location.origin;
      onPerson(await worker.ask("logIn", { kdcUrl, handle, password, passphrase, ...second, ...kept }));
    } catch (error) {
      const known = isMedcloudletError(error);
      if (known && error.code.startsWith("SESSION_")) {
        setSession(undefined);
      }
      const message = error instanceof Error ? error.message : String(error);
      setFailure(known && error.code === "BACKUP_MISSING" ? text.noBackup : message);
      setBusy(false);
    }
  };

  return (
    <main class="login">
      <form class="card" onSubmit={submit}>
        <p class="brand">{TEXTS.product}</p>
        <h1>{text.title}</h1>
        <p class="dim">{session === undefined ? TEXTS.tagline : text.kept}</p>
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
          autocomplete="off"
          onValue={setPassphrase}
        />
        <p class="failure" role="alert">
          {failure}
        </p>
        <button type="submit" class="primary" disabled={busy}>
          {busy ? text.busy : text.button}
        </button>
      </form>
    </main>
  );
}
