import { useEffect, useRef, useState } from "preact/hooks";
import { useDoing } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Choice } from "../parts/choice.tsx";
import { Failure } from "../parts/failure.tsx";
import { Field } from "../parts/field.tsx";
import { TEXTS } from "../texts/index.ts";
import type { FoundReader } from "../worker/patient/questions.ts";
import { Compare } from "./compare.tsx";

const text = TEXTS.home.emergency;
const LEAST = 2;

interface Chosen {
  readonly handle: string;
  readonly fingerprint: string;
}

/** Chooses trustees one by one, each compared, and how many of them it takes. */
export function TrusteesForm(props: {
  readonly most: number;
  readonly onSaved: () => void;
  readonly onCancel: () => void;
}) {
  const { most, onSaved, onCancel } = props;
  const { port } = usePage();
  const [handle, setHandle] = useState("");
  const [found, setFound] = useState<FoundReader | null>(null);
  const [chosen, setChosen] = useState<readonly Chosen[]>([]);
  const [threshold, setThreshold] = useState(LEAST);
  const [note, setNote] = useState<string | null>(null);
  const doing = useDoing();
  const box = useRef<HTMLDivElement>(null);
  const focusField = () => setTimeout(() => box.current?.querySelector("input")?.focus());
  useEffect(() => box.current?.querySelector("input")?.focus(), []);

  const add = (given: Chosen) => {
    setFound(null);
    setHandle("");
    setNote(chosen.some((other) => other.handle === given.handle) ? text.twice : null);
    const { handle: name, fingerprint } = given;
    setChosen([...chosen.filter((other) => other.handle !== name), { handle: name, fingerprint }]);
    focusField();
  };
  const find = () =>
    doing.run(async () => {
      const reader = await port.ask("findTrustee", { handle });
      if (reader.known === "same") {
        add(reader);
      } else {
        setFound(reader);
      }
    });
  const remove = (gone: string) => {
    setChosen(chosen.filter((other) => other.handle !== gone));
    focusField();
  };
  const counts = Object.fromEntries(
    Array.from({ length: Math.max(0, chosen.length - LEAST + 1) }, (_, i) => [
      `${i + LEAST}`,
      `${i + LEAST}`,
    ]),
  );
  const inForce = Math.min(threshold, Math.max(LEAST, chosen.length));

  if (found !== null) {
    return (
      <Compare
        found={found}
        busy={doing.busy}
        onSame={(fingerprint) => add({ ...found, fingerprint })}
        onCancel={() => {
          setFound(null);
          focusField();
        }}
      />
    );
  }
  return (
    <div ref={box} class="terms">
      <h3>{text.chooseTitle}</h3>
      <p class="dim">{text.chooseWhat(most)}</p>
      <form
        class="inline"
        onSubmit={(event) => {
          event.preventDefault();
          find();
        }}
      >
        <Field
          id="trustee-handle"
          label={text.handle}
          hint={text.handleHint}
          value={handle}
          maxLength={60}
          onValue={setHandle}
        />
        <button type="submit" disabled={doing.busy || chosen.length >= most}>
          {text.find}
        </button>
      </form>
      <Failure text={doing.failure ?? note} />
      {chosen.length === 0 ? null : (
        <>
          <p>{text.chosen}</p>
          <ul class="people">
            {chosen.map(({ handle: name }) => (
              <li key={name}>
                <strong>{name}</strong>
                <button type="button" aria-label={text.remove(name)} onClick={() => remove(name)}>
                  {text.removeShort}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
      {chosen.length < LEAST ? (
        <p class="dim">{text.tooFew}</p>
      ) : (
        <Choice
          name="threshold"
          legend={text.threshold}
          value={`${inForce}`}
          options={counts}
          onValue={(value) => setThreshold(Number(value))}
        />
      )}
      <div class="acts">
        <button
          type="button"
          class="accent"
          disabled={doing.busy || chosen.length < LEAST}
          onClick={() =>
            doing.run(async () => {
              await port.ask("prepareEmergency", { trustees: chosen, threshold: inForce });
              onSaved();
            })
          }
        >
          {doing.busy ? TEXTS.home.busy : text.save}
        </button>
        <button type="button" disabled={doing.busy} onClick={onCancel}>
          {text.cancel}
        </button>
      </div>
    </div>
  );
}
