import { ageText } from "../format.ts";
import { addressOf } from "../route.ts";
import { TEXTS } from "../texts/index.ts";
import type { AppealRow, DecisionRow } from "../worker/officer/watch-questions.ts";
import { Badge } from "./badge.tsx";
import { MoreList } from "./more.tsx";
import { isInForce, MEASURE_SEVERITY, shortId, stateText } from "./words.ts";

/** So many at first, and as many more at each wish. */
const DECISIONS = 12;
const APPEALS = 5;
const { services, subject, measure: measures, watch: text } = TEXTS.officer;

function Row(props: { readonly decision: DecisionRow; readonly now: number }) {
  const { decision, now } = props;
  const holds = isInForce(decision, now);
  const severity = holds ? MEASURE_SEVERITY[decision.measure] : "quiet";
  return (
    <li class={`item ${severity}`}>
      <a class="decision" href={addressOf("watch", decision.service, decision.id)}>
        <Badge severity={severity} word={measures[decision.measure]} />
        <span class="what">
          <strong>
            {subject[decision.subject.kind]} <code>{shortId(decision.subject.local)}</code>
          </strong>
          <small>
            {services.name(decision.service)} · {decision.rules.join(", ")}
          </small>
          <small class="go">{text.why} →</small>
        </span>
        <span class="count">
          {stateText(decision, now)}
          <small>{ageText(decision.at, now)}</small>
        </span>
      </a>
    </li>
  );
}

/** What is held against whom now, and what was. */
export function DecisionList(props: { readonly decisions: readonly DecisionRow[]; readonly now: number }) {
  const { decisions, now } = props;
  const running = decisions.filter((decision) => isInForce(decision, now));
  const over = decisions.filter((decision) => !isInForce(decision, now));
  const rowOf = (decision: DecisionRow) => (
    <Row key={`${decision.service} ${decision.id}`} decision={decision} now={now} />
  );
  return (
    <section aria-labelledby="decisions">
      <h2 id="decisions">{text.decisions}</h2>
      {running.length === 0 ? <p class="dim">{text.noDecisions}</p> : null}
      <MoreList items={running} step={DECISIONS} row={rowOf} />
      {over.length === 0 ? null : (
        <details class="before">
          <summary>{text.over(over.length)}</summary>
          <MoreList items={over} step={DECISIONS} row={rowOf} />
        </details>
      )}
    </section>
  );
}

/** What those say who are held back. */
export function AppealList(props: { readonly appeals: readonly AppealRow[]; readonly now: number }) {
  const { appeals, now } = props;
  return (
    <section aria-labelledby="appeals">
      <h2 id="appeals">{text.appeals}</h2>
      {appeals.length === 0 ? <p class="dim">{text.noAppeals}</p> : null}
      <MoreList
        items={appeals}
        step={APPEALS}
        row={(appeal) => (
          <li key={appeal.id} class="item appeal">
            <blockquote>{appeal.text}</blockquote>
            <p>
              <small>
                {services.name(appeal.service)} · {ageText(appeal.at, now)} ·{" "}
                <a href={addressOf("watch", appeal.service, appeal.decision)}>{text.seeDecision}</a>
              </small>
            </p>
          </li>
        )}
      />
    </section>
  );
}
