import { useCallback, useEffect, useState } from "preact/hooks";
import { type Doing, useDoing } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { download } from "../parts/download.ts";
import { Failure } from "../parts/failure.tsx";
import { SureButton } from "../parts/sure-button.tsx";
import { addressOf } from "../route.ts";
import { TEXTS } from "../texts/index.ts";
import type { CommunityAct, CommunityPlace, ExchangeLine } from "../worker/community/questions.ts";
import { AskForm } from "./ask-form.tsx";
import { ExchangeCard } from "./exchange.tsx";
import { PartnerCard } from "./partner.tsx";
import { StillReads } from "./still-reads.tsx";

const text = TEXTS.community;
/** How often the relay is visited while somebody looks. */
const VISIT_EVERY_MS = 60_000;

/** What the cards of a place do: one act at a time, and its failure is said at the top. */
export interface InPlace {
  readonly doing: Doing;
  /** True when it went through. */
  readonly act: (act: CommunityAct) => Promise<boolean>;
}

/** True where something waits to be done with an exchange. */
function isDue({ mine, state, question, good }: ExchangeLine): boolean {
  return mine ? state === "answered" && good === null : state === "waiting" && question !== null;
}

function Waiting(props: { readonly place: CommunityPlace; readonly within: InPlace }) {
  const { place, within } = props;
  const due = place.exchanges.filter(isDue);
  const offers = place.partners.filter(({ agreed }) => agreed.theirs && !agreed.mine);
  const words = place.moderation;
  if (due.length + offers.length + words.length + place.closed.length === 0) {
    return <p class="dim">{text.nothingWaits}</p>;
  }
  return (
    <ul class="tiles">
      {place.closed.map(({ name, why, reads }) => (
        <li key={name} class="panel banner">
          <strong>{text.closed(name)}</strong> {why}
          {reads ? <StillReads name={name} /> : null}
        </li>
      ))}
      {due.map((exchange) => (
        <ExchangeCard key={exchange.exchange} exchange={exchange} within={within} />
      ))}
      {offers.map(({ pseudonym, name }) => (
        <li key={pseudonym} class="panel">
          <p>{text.agreeOffer(name)}</p>
          <SureButton
            label={text.agree}
            question={text.agreeQuestion}
            disabled={within.doing.busy}
            onSure={() => within.act({ act: "agree", partner: pseudonym, days: text.agreeDays })}
          />
        </li>
      ))}
      {words.map(({ report, mine, action, reason, note }) => (
        <li key={`${report}-${action}`} class="panel">
          <p>
            {text.moderated(mine, text.actions[action])} ({reason})
          </p>
          {note === null ? null : <blockquote>{note}</blockquote>}
        </li>
      ))}
    </ul>
  );
}

function Careful(props: { readonly place: CommunityPlace; readonly within: InPlace }) {
  const { place, within } = props;
  const [threshold, setThreshold] = useState(place.threshold);
  return (
    <label class="field narrow" for="threshold">
      <span>
        {text.careful}: {threshold.toFixed(2)}
      </span>
      <input
        id="threshold"
        type="range"
        min="0.3"
        max="0.95"
        step="0.05"
        value={threshold}
        disabled={within.doing.busy}
        onInput={(event) => setThreshold(Number(event.currentTarget.value))}
        onChange={({ currentTarget }) =>
          // By the keyboard both events come at once: what the first one set is not drawn yet.
          within.act({ act: "threshold", threshold: Number(currentTarget.value) })
        }
      />
      <small>{text.carefulHint}</small>
    </label>
  );
}

/** One's place in a community: what waits, who is there, what was said. */
export function PlaceView({ community }: { readonly community: string }) {
  const { port } = usePage();
  const [place, setPlace] = useState<CommunityPlace | null>(null);
  const [asking, setAsking] = useState(false);
  const doing = useDoing();

  const { run } = doing;
  const act = useCallback(
    (wanted: CommunityAct) =>
      run(async () => {
        setPlace(await port.ask("inCommunity", { community, act: wanted }));
      }),
    [port, community, run],
  );
  useEffect(() => {
    act({ act: "visit" });
    const timer = setInterval(() => act({ act: "visit" }), VISIT_EVERY_MS);
    return () => clearInterval(timer);
  }, [act]);

  const within: InPlace = { doing, act };
  const back = <a href={addressOf("partners")}>← {text.back}</a>;
  if (place === null) {
    return (
      <main aria-busy={doing.failure === null}>
        {back}
        <Failure text={doing.failure} />
        {doing.failure === null ? <p class="dim">{text.looking}</p> : null}
      </main>
    );
  }
  const fresh = place.partners.filter(({ overlap, clinician }) => overlap === null && !clinician);
  const compareAll = async () => {
    for (const { pseudonym } of fresh) {
      if (!(await act({ act: "compare", partner: pseudonym }))) {
        return;
      }
    }
  };
  const said = place.exchanges.filter((exchange) => !isDue(exchange));
  return (
    <main class="place">
      {back}
      <h1>{place.title}</h1>
      <p class="dim">{text.you(place.name)}</p>
      <Failure text={doing.failure} />
      <h2>{text.waiting}</h2>
      <Waiting place={place} within={within} />
      <h2>{text.partners}</h2>
      <p class="acts">
        {fresh.length === 0 ? null : (
          <button type="button" onClick={compareAll} disabled={doing.busy}>
            {text.compareAll}
          </button>
        )}
        {place.partners.some(({ share }) => share) && !asking ? (
          <button type="button" class="accent" onClick={() => setAsking(true)}>
            {text.askEverybody}
          </button>
        ) : null}
      </p>
      {asking ? <AskForm partner={null} within={within} onDone={() => setAsking(false)} /> : null}
      {place.partners.length === 0 ? <p class="dim">{text.nobody}</p> : null}
      <ul class="tiles">
        {place.partners.map((partner) => (
          <PartnerCard key={partner.pseudonym} partner={partner} place={place} within={within} />
        ))}
      </ul>
      <details class="panel">
        <summary>{text.earlier(said.length)}</summary>
        <ul class="tiles">
          {said.map((exchange) => (
            <ExchangeCard key={exchange.exchange} exchange={exchange} within={within} />
          ))}
        </ul>
      </details>
      <section class="panel">
        <Careful place={place} within={within} />
        <p class="dim">{text.keptHere}</p>
        <button
          type="button"
          onClick={async () => download("member", (await port.ask("exportPlace", { community })).file)}
        >
          {text.copy}
        </button>
      </section>
    </main>
  );
}
