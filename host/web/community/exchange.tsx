import { useState } from "preact/hooks";
import { dateText } from "../format.ts";
import { SureButton } from "../parts/sure-button.tsx";
import { TextForm } from "../parts/text-form.tsx";
import { TEXTS } from "../texts/index.ts";
import type { ExchangeLine } from "../worker/community/questions.ts";
import { AsMyself, MOST_WORDS } from "./ask-form.tsx";
import type { InPlace } from "./place.tsx";

const text = TEXTS.community;

function troubleText(code: string): string {
  return code in text.troubles ? text.troubles[code as keyof typeof text.troubles] : text.troubles.other;
}

function AnswerForm(props: {
  readonly exchange: string;
  readonly within: InPlace;
  readonly onDone: () => void;
}) {
  const { exchange, within, onDone } = props;
  const [asMyself, setAsMyself] = useState(false);
  return (
    <TextForm
      id={`answer-${exchange}`}
      label={text.yourAnswer}
      button={text.send}
      cancel={text.cancel}
      maxLength={MOST_WORDS}
      busy={within.doing.busy}
      onCancel={onDone}
      onText={async (words) => {
        if (await within.act({ act: "answer", exchange, text: words, asMyself })) {
          onDone();
        }
      }}
    >
      <AsMyself checked={asMyself} onChange={setAsMyself} />
    </TextForm>
  );
}

function Rating({ exchange, within }: { readonly exchange: string; readonly within: InPlace }) {
  const rate = (good: boolean) => within.act({ act: "rate", exchange, good });
  return (
    <p class="acts">
      <button type="button" disabled={within.doing.busy} onClick={() => rate(true)}>
        {text.good}
      </button>
      <button type="button" disabled={within.doing.busy} onClick={() => rate(false)}>
        {text.bad}
      </button>
      <small class="dim">{text.badHint}</small>
    </p>
  );
}

/** A question and its answer, with what can be done about them. */
export function ExchangeCard(props: { readonly exchange: ExchangeLine; readonly within: InPlace }) {
  const { within } = props;
  const { exchange, name, mine, at, state, question, answer, good, reported, trouble } = props.exchange;
  const [answering, setAnswering] = useState(false);
  const theirs = mine ? answer : question;
  return (
    <li class="panel exchange">
      <p class="dim">
        {mine ? text.youAsked(name) : text.theyAsk(name)} · {dateText(at)}
      </p>
      <blockquote>{question ?? (trouble === null ? "…" : troubleText(trouble))}</blockquote>
      {answer === null ? null : (
        <>
          <p class="dim">{mine ? text.theyAnswered(name) : text.youAnswered}</p>
          <blockquote>{answer}</blockquote>
        </>
      )}
      {state === "answered" && mine && answer === null && trouble !== null ? (
        <p class="dim">{troubleText(trouble)}</p>
      ) : null}
      {state === "waiting" && mine ? <p class="dim">{text.noAnswer}</p> : null}
      {state === "declined" ? <p class="dim">{text.declined}</p> : null}
      {good === null ? null : <p class="dim">{good ? text.calledGood : text.calledBad}</p>}
      {reported ? <p class="dim">{text.reported}</p> : null}
      {mine && state === "answered" && good === null ? <Rating exchange={exchange} within={within} /> : null}
      <p class="acts">
        {!mine && state === "waiting" && question !== null && !answering ? (
          <>
            <button type="button" class="accent" onClick={() => setAnswering(true)}>
              {text.answer}
            </button>
            <SureButton
              label={text.decline}
              question={text.declineQuestion}
              disabled={within.doing.busy}
              onSure={() => within.act({ act: "decline", exchange })}
            />
          </>
        ) : null}
        {theirs !== null && !reported ? (
          <SureButton
            label={text.report}
            question={text.reportQuestion}
            disabled={within.doing.busy}
            onSure={() => within.act({ act: "report", exchange })}
          />
        ) : null}
      </p>
      {answering ? (
        <AnswerForm exchange={exchange} within={within} onDone={() => setAnswering(false)} />
      ) : null}
    </li>
  );
}
