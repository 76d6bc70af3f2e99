import { useRef, useState } from "preact/hooks";
import { useDoing } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Choice } from "../parts/choice.tsx";
import { Failure } from "../parts/failure.tsx";
import { Field } from "../parts/field.tsx";
import { Compare } from "../patient/compare.tsx";
import { TEXTS } from "../texts/index.ts";
import type { FoundGuardian } from "../worker/account/questions.ts";
import { AgainFields, againOf, NOTHING_GIVEN } from "./again-fields.tsx";

const text = TEXTS.own.guardians;
const LEAST = 2;
const MOST = 8;
const LONGEST_CARD = 20_000;

/** Names guardians one by one, each compared, and how many of them it takes. */
export function GuardiansForm(props: { readonly onSaved: () => void; readonly onCancel: () => void }) {
  const { onSaved, onCancel } = props;
  const { port } = usePage();
  const [given, setGiven] = useState("");
  const [found, setFound] = useState<FoundGuardian | null>(null);
  const [chosen, setChosen] = useState<readonly FoundGuardian[]>([]);
  const [threshold, setThreshold] = useState(LEAST);
  const [again, setAgain] = useState(NOTHING_GIVEN);
  const [note, setNote] = useState<string | null>(null);
  const finding = useDoing();
  const saving = useDoing();
  const box = useRef<HTMLDivElement>(null);
  const focusField = () => setTimeout(() => box.current?.querySelector("input")?.focus());

  const add = (one: FoundGuardian) => {
    setFound(null);
    setGiven("");
    const others = chosen.filter(({ fingerprint }) => fingerprint !== one.fingerprint);
    setNote(others.length < chosen.length ? text.twice : null);
    setChosen([...others, one]);
    focusField();
  };
  const find = (wanted: string) =>
    finding.run(async () => {
      const one = await port.ask("findGuardian", { given: wanted });
      if (one.known === "same") {
        add(one);
      } else {
        setFound(one);
      }
    });

  if (found !== null) {
    const { compareTitle, compareHow, compareWhy } = TEXTS.home.sharing;
    return (
      <Compare
        found={found}
        busy={finding.busy}
        words={{
          title: compareTitle(found.handle),
          how: compareHow(found.handle),
          why: compareWhy,
          differentDone: text.compareDone(found.handle),
          typedDiffers: text.compareDiffers(found.handle),
        }}
        onSame={(fingerprint) => add({ ...found, fingerprint })}
        onCancel={() => {
          setFound(null);
          focusField();
        }}
      />
    );
  }
  const inForce = Math.min(threshold, Math.max(LEAST, chosen.length));
  const counts = Object.fromEntries(
    Array.from({ length: Math.max(0, chosen.length - LEAST + 1) }, (_, i) => [
      `${i + LEAST}`,
      `${i + LEAST}`,
    ]),
  );
  return (
    <div ref={box} class="terms">
      <p class="dim">{text.chooseWhat(LEAST, MOST)}</p>
      <form
        class="inline"
        onSubmit={(event) => {
          event.preventDefault();
          find(given);
        }}
      >
        <Field
          id="guardian-given"
          label={text.given}
          hint={text.givenHint}
          value={given}
          maxLength={LONGEST_CARD}
          onValue={setGiven}
        />
        <button type="submit" disabled={finding.busy || chosen.length >= MOST}>
          {text.find}
        </button>
      </form>
      <label class="field" for="guardian-file">
        <span>{text.file}</span>
        <input
          id="guardian-file"
          type="file"
          accept=".json,.txt"
          onChange={async ({ currentTarget }) => {
            const [file] = currentTarget.files ?? [];
            if (file !== undefined) {
              find((await file.slice(0, LONGEST_CARD).text()) || "{");
              currentTarget.value = "";
            }
          }}
        />
      </label>
      <Failure text={finding.failure ?? note} />
      {chosen.length === 0 ? null : (
        <>
          <p>{text.chosen}</p>
          <ul class="people">
            {chosen.map(({ handle, fingerprint }) => (
              <li key={fingerprint}>
                <strong>{handle}</strong>
                <button
                  type="button"
                  aria-label={text.remove(handle)}
                  onClick={() => {
                    setChosen(chosen.filter((other) => other.fingerprint !== fingerprint));
                    focusField();
                  }}
                >
                  {text.removeShort}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
      <form
        class="narrow"
        onSubmit={(event) => {
          event.preventDefault();
          saving.run(async () => {
            await port.ask("nameGuardians", {
              ...againOf(again),
              guardians: chosen.map(({ handle, fingerprint, card }) => ({ handle, fingerprint, card })),
              threshold: inForce,
            });
            onSaved();
          });
        }}
      >
        {chosen.length < LEAST ? (
          <p class="dim">{text.tooFew}</p>
        ) : (
          <>
            <Choice
              name="guardian-threshold"
              legend={text.threshold}
              value={`${inForce}`}
              options={counts}
              onValue={(value) => setThreshold(Number(value))}
            />
            <AgainFields of="guardians" value={again} onValue={setAgain} />
          </>
        )}
        <Failure text={saving.failure} />
        <div class="acts">
          <button type="submit" class="accent" disabled={saving.busy || chosen.length < LEAST}>
            {saving.busy ? TEXTS.own.busy : text.save}
          </button>
          <button type="button" disabled={saving.busy} onClick={onCancel}>
            {text.cancel}
          </button>
        </div>
      </form>
    </div>
  );
}
