import { useEffect, useRef, useState } from "preact/hooks";
import { dateText } from "../format.ts";
import { useDoing } from "../hooks.ts";
import { Choice } from "../parts/choice.tsx";
import { download } from "../parts/download.ts";
import { Failure } from "../parts/failure.tsx";
import { Field } from "../parts/field.tsx";
import { Fingerprint } from "../patient/compare.tsx";
import "../style/patient.css";
import { TEXTS } from "../texts/index.ts";
import type { Questions } from "../worker/messages.ts";
import type { WorkerPort } from "../worker/port.ts";
import type { Places } from "../worker/session-questions.ts";

const text = TEXTS.own.recover;
type Recovered = Questions["recover"]["answer"];

/** Two fields for a secret that is new, both of which have to say the same. */
function NewSecret(props: {
  readonly id: string;
  readonly label: string;
  readonly hint: string;
  readonly value: readonly [string, string];
  readonly onValue: (value: readonly [string, string]) => void;
}) {
  const { id, label, hint, value, onValue } = props;
  const given = { type: "password", autocomplete: "new-password" } as const;
  return (
    <>
      <Field
        {...given}
        id={id}
        label={label}
        hint={hint}
        value={value[0]}
        onValue={(first) => onValue([first, value[1]])}
      />
      <Field
        {...given}
        id={`${id}-again`}
        label={text.again(label)}
        value={value[1]}
        onValue={(second) => onValue([value[0], second])}
      />
    </>
  );
}

/** For who lost password, passphrase or everything: back in with a code, or with the guardians' help. */
export function RecoverView(props: {
  readonly port: WorkerPort;
  readonly places: Places;
  readonly onOpened: (opened: Recovered) => void;
  readonly onBack: () => void;
}) {
  const { port, places, onOpened, onBack } = props;
  const [handle, setHandle] = useState("");
  const [way, setWay] = useState<keyof typeof text.ways>("guardians");
  const [code, setCode] = useState("");
  const [asked, setAsked] = useState<{ fingerprint: string; expiresAt: number } | null>(null);
  const [password, setPassword] = useState<readonly [string, string]>(["", ""]);
  const [passphrase, setPassphrase] = useState<readonly [string, string]>(["", ""]);
  const [unsaved, setUnsaved] = useState<Recovered | null>(null);
  const doing = useDoing();
  const box = useRef<HTMLFormElement>(null);
  useEffect(() => box.current?.querySelector("input")?.focus(), []);
  const differs = password[0] !== password[1] || passphrase[0] !== passphrase[1];
  const plainHandle = handle.trim().toLowerCase();
  const isAsking = way === "guardians" && asked === null;

  if (unsaved !== null) {
    return (
      <main class="login">
        <div class="card">
          <h1>{text.saveTitle}</h1>
          <p role="alert">{text.saveWhat}</p>
          <button
            type="button"
            class="primary"
            onClick={() => download("keystore.json", unsaved.vault.keystore)}
          >
            {text.save}
          </button>
          <button type="button" onClick={() => onOpened(unsaved)}>
            {text.saved}
          </button>
        </div>
      </main>
    );
  }
  return (
    <main class="login">
      <form
        class="card"
        ref={box}
        onSubmit={(event) => {
          event.preventDefault();
          doing.run(async () => {
            if (isAsking) {
              setAsked(await port.ask("askGuardians", { places, handle: plainHandle }));
              return;
            }
            if (differs) {
              throw new Error(text.differs);
            }
            const opened = await port.ask("recover", {
              ...{ places, handle: plainHandle, code: way === "code" ? code : null },
              ...{ newPassword: password[0], passphrase: passphrase[0] },
            });
            if (opened.kept) {
              onOpened(opened);
            } else {
              setUnsaved(opened);
            }
          });
        }}
      >
        <p class="brand">{TEXTS.product}</p>
        <h1>{text.title}</h1>
        <Field
          id="recover-handle"
          label={text.handle}
          value={handle}
          autocomplete="username"
          maxLength={60}
          onValue={(typed) => {
            setHandle(typed);
            setAsked(null);
          }}
        />
        <Choice name="recover-way" legend={text.way} value={way} options={text.ways} onValue={setWay} />
        {way === "code" ? (
          <Field id="recover-code" label={text.code} value={code} maxLength={120} onValue={setCode} />
        ) : null}
        {asked === null || way === "code" ? null : (
          <div role="status">
            <p>{text.asked(dateText(asked.expiresAt))}</p>
            <Fingerprint hex={asked.fingerprint} />
          </div>
        )}
        {isAsking ? null : (
          <>
            <NewSecret
              id="recover-password"
              label={text.password}
              hint={text.passwordHint}
              value={password}
              onValue={setPassword}
            />
            <NewSecret
              id="recover-passphrase"
              label={text.passphrase}
              hint={text.passphraseHint}
              value={passphrase}
              onValue={setPassphrase}
            />
            <p class="dim">{text.afterwards}</p>
          </>
        )}
        <Failure text={doing.failure} />
        <button type="submit" class="primary" disabled={doing.busy}>
          {doing.busy ? (isAsking ? TEXTS.own.busy : text.busy) : isAsking ? text.ask : text.button}
        </button>
        <button type="button" class="plain" disabled={doing.busy} onClick={onBack}>
          {text.back}
        </button>
      </form>
    </main>
  );
}
