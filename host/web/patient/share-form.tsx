import { useEffect, useRef, useState } from "preact/hooks";
import type { Region } from "../../sealing/index.ts";
import { useDoing } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Choice } from "../parts/choice.tsx";
import { Failure } from "../parts/failure.tsx";
import { Field } from "../parts/field.tsx";
import { TEXTS } from "../texts/index.ts";
import type {
  FoundReader,
  Purpose,
  ShareTerms,
  ShownPreview,
  ShownRequest,
} from "../worker/patient/questions.ts";
import { Compare } from "./compare.tsx";
import { PreviewOf } from "./preview.tsx";

const text = TEXTS.home.sharing;

const DAY_MS = 24 * 60 * 60 * 1000;
const LENGTHS = { day: DAY_MS, month: 30 * DAY_MS, year: 365 * DAY_MS } as const;
type Length = keyof typeof LENGTHS | "asked";
const REGIONS = Object.keys(TEXTS.home.regions) as Region[];

/** What a doctor or researcher asks for. */
export type AskedTerms = Pick<ShownRequest, "requestId" | "handle" | "regions" | "days">;

/** The KDC takes a consent for treatment from doctors alone, one for research from researchers: nobody has to choose. */
const PURPOSE_OF: Readonly<Record<string, Purpose>> = {
  doctor: "treatment",
  researcher: "research",
  patient: "self-care",
};

/** Terms of one share, as somebody chooses them; sensible ones are chosen already. */
function TermsForm(props: {
  readonly found: FoundReader;
  readonly fingerprint: string;
  /** What they asked for, where they did. */
  readonly asked: AskedTerms | null;
  readonly onShared: (regions: readonly Region[], until: number) => void;
  readonly onCancel: () => void;
}) {
  const { found, fingerprint, asked, onShared, onCancel } = props;
  const { port } = usePage();
  const [regions, setRegions] = useState<readonly Region[]>(asked?.regions ?? ["medical"]);
  const [length, setLength] = useState<Length>(asked === null ? "month" : "asked");
  const [since, setSince] = useState<"all" | "now">("all");
  const [preview, setPreview] = useState<ShownPreview | null>(null);
  const doing = useDoing();
  const submit = useRef<HTMLButtonElement>(null);
  useEffect(() => submit.current?.focus(), []);

  const purpose = PURPOSE_OF[found.role] ?? "treatment";
  const terms: ShareTerms = {
    ...{ handle: found.handle, regions, purpose, fromNow: since === "now" },
    forMs: length === "asked" ? (asked?.days ?? 1) * DAY_MS : LENGTHS[length],
  };
  const changing =
    <T,>(set: (value: T) => void) =>
    (value: T) => {
      setPreview(null);
      set(value);
    };

  return (
    <form
      class="terms"
      onSubmit={(event) => {
        event.preventDefault();
        doing.run(async () => {
          const { until } = await port.ask("share", { ...terms, fingerprint });
          onShared(regions, until);
        });
      }}
    >
      <h3>{text.termsTitle(found.handle)}</h3>
      {found.known === "same" ? <p class="dim">{text.knownSame}</p> : null}
      <fieldset class="choices">
        <legend>{text.what}</legend>
        {REGIONS.map((region) => (
          <label key={region} class={regions.includes(region) ? "chosen wide" : "wide"}>
            <input
              type="checkbox"
              checked={regions.includes(region)}
              onChange={(event) => {
                const without = regions.filter((chosen) => chosen !== region);
                changing(setRegions)(event.currentTarget.checked ? [...without, region] : without);
              }}
            />
            <span>
              {TEXTS.home.regions[region]}
              <small>{TEXTS.home.contents[region]}</small>
            </span>
          </label>
        ))}
      </fieldset>
      <p>
        <strong>{text.purpose}</strong> {TEXTS.home.purposes[purpose]}{" "}
        <span class="dim">{text.purposeWhy}</span>
      </p>
      <Choice
        name="length"
        legend={text.howLong}
        value={length}
        options={
          asked === null ? text.lengths : { ...text.lengths, asked: TEXTS.home.requests.asked(asked.days) }
        }
        onValue={changing(setLength)}
      />
      <Choice
        name="since"
        legend={text.historyLabel}
        value={since}
        options={{ all: text.historyAll, now: text.historyNow }}
        onValue={changing(setSince)}
      />
      <Failure text={doing.failure} />
      <div class="acts">
        <button type="submit" class="accent" ref={submit} disabled={doing.busy || regions.length === 0}>
          {doing.busy ? TEXTS.home.busy : text.share(found.handle)}
        </button>
        <button
          type="button"
          disabled={doing.busy || regions.length === 0}
          onClick={() => doing.run(async () => setPreview(await port.ask("previewShare", terms)))}
        >
          {text.preview(found.handle)}
        </button>
        <button type="button" disabled={doing.busy} onClick={onCancel}>
          {text.cancel}
        </button>
      </div>
      {preview === null ? null : <PreviewOf who={found.handle} preview={preview} />}
    </form>
  );
}

/** From a handle to a share: who it is, whether the key is theirs, and on what terms. */
export function ShareForm(props: {
  readonly known: readonly string[];
  /** Somebody who asked and is to be let. */
  readonly asked: AskedTerms | null;
  readonly onShared: (who: string, regions: readonly Region[], until: number) => void;
}) {
  const { known, asked, onShared } = props;
  const { port } = usePage();
  const [handle, setHandle] = useState("");
  const [found, setFound] = useState<FoundReader | null>(null);
  const [compared, setCompared] = useState<string | null>(null);
  const finding = useDoing();
  const box = useRef<HTMLDivElement>(null);

  const find = (wanted: string) =>
    finding.run(async () => {
      const reader = await port.ask("findReader", { handle: wanted });
      setFound(reader);
      setCompared(reader.known === "same" ? reader.fingerprint : null);
    });
  // The function is another at each drawing; what was asked for is the same.
  const newest = useRef(find);
  newest.current = find;
  useEffect(() => {
    if (asked !== null) {
      setFound(null);
      newest.current(asked.handle);
    }
  }, [asked]);
  const cancel = () => {
    setFound(null);
    setCompared(null);
    setTimeout(() => box.current?.querySelector("input")?.focus());
  };

  if (found !== null && compared === found.fingerprint) {
    return (
      <TermsForm
        found={found}
        fingerprint={compared}
        asked={asked?.handle === found.handle ? asked : null}
        onCancel={cancel}
        onShared={(regions, until) => {
          setFound(null);
          setCompared(null);
          setHandle("");
          onShared(found.handle, regions, until);
        }}
      />
    );
  }
  if (found !== null) {
    return <Compare found={found} busy={finding.busy} onSame={setCompared} onCancel={cancel} />;
  }
  return (
    <div ref={box}>
      {known.length === 0 ? null : (
        <div class="known">
          <p>{text.known}</p>
          <div class="acts">
            {known.map((name) => (
              <button type="button" key={name} disabled={finding.busy} onClick={() => find(name)}>
                {name}
              </button>
            ))}
          </div>
        </div>
      )}
      <form
        class="inline"
        onSubmit={(event) => {
          event.preventDefault();
          find(handle);
        }}
      >
        <Field
          id="share-handle"
          label={text.handle}
          hint={text.handleHint}
          value={handle}
          maxLength={60}
          onValue={setHandle}
        />
        <button type="submit" class="accent" disabled={finding.busy}>
          {text.find}
        </button>
      </form>
      <Failure text={finding.failure} />
    </div>
  );
}
