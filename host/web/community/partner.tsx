import { useState } from "preact/hooks";
import { dateText, groups } from "../format.ts";
import { useAsked } from "../hooks.ts";
import { Done } from "../parts/done.tsx";
import { SureButton } from "../parts/sure-button.tsx";
import { TEXTS } from "../texts/index.ts";
import type { CommunityPlace, PartnerLine } from "../worker/community/questions.ts";
import { AskForm } from "./ask-form.tsx";
import type { InPlace } from "./place.tsx";
import { PartnerShareForm } from "./share-form.tsx";
import { StillReads } from "./still-reads.tsx";
import { TrustBar } from "./trust-bar.tsx";

const text = TEXTS.community;

function agreementText({ agreed }: PartnerLine): string {
  if (agreed.mine && agreed.theirs) {
    return text.agreements.both;
  }
  if (agreed.mine) {
    return text.agreements.mine;
  }
  return agreed.theirs ? text.agreements.theirs : text.agreements.none;
}

function History({ community, partner }: { readonly community: string; readonly partner: PartnerLine }) {
  const { answer } = useAsked("gateDecisions", { community, partner: partner.pseudonym });
  return (
    <div class="history">
      <h4>{text.history(partner.name)}</h4>
      {answer?.length === 0 ? <p class="dim">{text.undecided}</p> : null}
      <ol>
        {answer?.map(({ number, at, occasion, bound, threshold, text: words }) => (
          <li key={number}>
            <small class="dim">
              {dateText(at)} · {occasion}
            </small>
            <TrustBar bound={bound} threshold={threshold} />
            <small>{words}</small>
          </li>
        ))}
      </ol>
    </div>
  );
}

function OpeningForm(props: {
  readonly partner: string;
  readonly questions: readonly string[];
  readonly within: InPlace;
  readonly onDone: () => void;
}) {
  const { partner, questions, within, onDone } = props;
  const [question, setQuestion] = useState(0);
  return (
    <form
      class="words"
      onSubmit={async (event) => {
        event.preventDefault();
        if (await within.act({ act: "open", partner, question })) {
          onDone();
        }
      }}
    >
      <label class="field" for={`opening-${partner}`}>
        <span>{text.chooseQuestion}</span>
        <select
          id={`opening-${partner}`}
          value={question}
          onChange={(event) => setQuestion(Number(event.currentTarget.value))}
        >
          {questions.map((words, i) => (
            <option key={words} value={i}>
              {words}
            </option>
          ))}
        </select>
        <small>{text.openingHint}</small>
      </label>
      <p class="acts">
        <button type="submit" class="accent" disabled={within.doing.busy}>
          {text.send}
        </button>
        <button type="button" onClick={onDone}>
          {text.cancel}
        </button>
      </p>
    </form>
  );
}

/** What is open beneath a partner. */
type Unfolded = "nothing" | "opening" | "ask" | "share" | "history";

/** Another member: how far they are trusted, why, and what can be done next. */
export function PartnerCard(props: {
  readonly partner: PartnerLine;
  readonly place: CommunityPlace;
  readonly within: InPlace;
}) {
  const { partner, place, within } = props;
  const { pseudonym, name, overlap, card, share, agreed } = partner;
  const [unfolded, setUnfolded] = useState<Unfolded>("nothing");
  const [shared, setShared] = useState<string | null>(null);
  const fold = () => setUnfolded("nothing");
  const compared = overlap !== null;
  return (
    <li class="panel partner">
      <h3>
        {name} {partner.clinician ? <span class="tag">{text.clinician}</span> : null}
      </h3>
      {card === null ? null : (
        <p class="dim">
          {text.saysToBe(card.name === "" ? card.handle : `${card.name} (${card.handle})`)}{" "}
          <code>{groups(card.fingerprint)}</code>
        </p>
      )}
      {partner.valid ? null : <p class="failure">{text.over}</p>}
      {partner.suspendedUntil === null ? null : (
        <p class="failure">{text.suspended(dateText(partner.suspendedUntil))}</p>
      )}
      <TrustBar bound={partner.bound} threshold={partner.threshold} />
      <p>
        {compared ? text.overlap(overlap.common, overlap.mine, overlap.theirs) : null}
        {compared || partner.clinician ? null : text.notCompared}
        {compared || !partner.clinician ? <br /> : null}
        {agreementText(partner)}
      </p>
      {partner.reads ? <StillReads name={name} /> : null}
      {compared ? <p class={share ? "open" : "dim"}>{partner.why}</p> : null}
      <p class="acts">
        {compared || partner.clinician || !partner.valid ? null : (
          <button
            type="button"
            disabled={within.doing.busy}
            onClick={() => within.act({ act: "compare", partner: pseudonym })}
          >
            {text.compare}
          </button>
        )}
        {partner.valid && place.openingQuestions.length > 0 ? (
          <button type="button" onClick={() => setUnfolded("opening")}>
            {text.openingQuestion}
          </button>
        ) : null}
        {partner.reason === "CONSENT_MISSING" && !agreed.mine ? (
          <SureButton
            label={text.agree}
            question={text.agreeQuestion}
            disabled={within.doing.busy}
            onSure={() => within.act({ act: "agree", partner: pseudonym, days: text.agreeDays })}
          />
        ) : null}
        {share ? (
          <button type="button" class="accent" onClick={() => setUnfolded("ask")}>
            {text.ask}
          </button>
        ) : null}
        {card === null || partner.clinician ? null : (
          <button
            type="button"
            onClick={() => {
              setShared(null);
              setUnfolded("share");
            }}
          >
            {text.shareRecord}
          </button>
        )}
        {agreed.mine ? (
          <SureButton
            label={text.withdraw}
            question={text.withdrawQuestion}
            disabled={within.doing.busy}
            onSure={() => within.act({ act: "withdraw", partner: pseudonym })}
          />
        ) : null}
        <button
          type="button"
          aria-expanded={unfolded === "history"}
          onClick={() => setUnfolded(unfolded === "history" ? "nothing" : "history")}
        >
          {text.why}
        </button>
      </p>
      {unfolded === "opening" ? (
        <OpeningForm partner={pseudonym} questions={place.openingQuestions} within={within} onDone={fold} />
      ) : null}
      {unfolded === "ask" ? <AskForm partner={pseudonym} within={within} onDone={fold} /> : null}
      {unfolded === "share" && card !== null ? (
        <PartnerShareForm
          partner={partner}
          card={card}
          within={within}
          onShared={() => {
            fold();
            setShared(text.shared(card.handle));
          }}
          onCancel={fold}
        />
      ) : null}
      <Done lines={shared === null ? [] : [shared]} />
      {unfolded === "history" ? <History community={place.community} partner={partner} /> : null}
    </li>
  );
}
