import { useState } from "preact/hooks";
import { groups } from "../format.ts";
import { lazily } from "../lazily.tsx";
import { keepLockAfter, LOCK_AFTER_MINUTES, readLockAfter } from "../lock-after.ts";
import { usePage } from "../page-context.ts";
import "../style/account.css";
import { TEXTS } from "../texts/index.ts";
import { AccountEvents } from "./events.tsx";
import { Guardians } from "./guardians.tsx";
import { Guarding } from "./guarding.tsx";
import { RecoveryCode } from "./recovery-code.tsx";
import { ChangePassphrase, ChangePassword } from "./secrets.tsx";
import { Sessions } from "./sessions.tsx";

/** Patients' alone, with their words. */
const DeleteData = lazily(async () => (await import("../patient/delete-data.tsx")).DeleteData, null);

/** Who somebody is here, and how this machine treats them. */
export function AccountView() {
  const { person } = usePage();
  const [lockAfter, setLockAfter] = useState(readLockAfter() / 60_000);
  const text = TEXTS.account;
  return (
    <main>
      <h1>{text.title}</h1>
      <dl class="facts">
        <dt>{text.name}</dt>
        <dd>{person.name}</dd>
        <dt>{text.handle}</dt>
        <dd>{person.handle}</dd>
        <dt>{text.role}</dt>
        <dd>{person.role}</dd>
        <dt>{TEXTS.patient.fingerprint}</dt>
        <dd>
          <code>{groups(person.fingerprint)}</code>
          <small class="dim">{text.fingerprintHint}</small>
        </dd>
      </dl>
      <label class="field narrow" for="lock-after">
        <span>{text.lockAfter}</span>
        <select
          id="lock-after"
          value={lockAfter}
          onChange={(event) => {
            const minutes = Number(event.currentTarget.value);
            keepLockAfter(minutes);
            setLockAfter(minutes);
          }}
        >
          {LOCK_AFTER_MINUTES.map((minutes) => (
            <option key={minutes} value={minutes}>
              {text.lockAfterMinutes(minutes)}
            </option>
          ))}
        </select>
      </label>
      <div class="sheets">
        <RecoveryCode />
        <Guardians />
        {person.role === "patient" || person.role === "doctor" ? <Guarding /> : null}
        <ChangePassword />
        <ChangePassphrase />
        <Sessions />
        <AccountEvents />
        {person.role === "patient" ? <DeleteData /> : null}
      </div>
    </main>
  );
}
