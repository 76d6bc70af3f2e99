import type { IdsAlert } from "../../client/index.ts";
import { ageText, dateText } from "../format.ts";
import { addressOf } from "../route.ts";
import { TEXTS } from "../texts/index.ts";
import type { AlertGroup, DecisionRow } from "../worker/officer/watch-questions.ts";
import { Badge } from "./badge.tsx";
import { MoreList } from "./more.tsx";
import { severityOf, shortId } from "./words.ts";

/** So many suspects are shown, and as many more at each wish. */
const STEP = 20;
const { services, subject, severity: words, watch: text } = TEXTS.officer;

/** What fired in which part of a request. */
export function EvidenceList({ evidence }: { readonly evidence: IdsAlert["evidence"] }) {
  return evidence.length === 0 ? null : (
    <ul class="evidence">
      {evidence.map(({ rule, place, name }) => (
        <li key={`${rule} ${place} ${name}`}>
          <code>{text.evidence(rule, place, name)}</code>
        </li>
      ))}
    </ul>
  );
}

function Group(props: {
  readonly group: AlertGroup;
  readonly decision: DecisionRow | undefined;
  readonly now: number;
}) {
  const { group, decision, now } = props;
  const severity = severityOf(group.score);
  return (
    <li class={`item ${severity}`}>
      <details>
        <summary>
          <Badge severity={severity} word={words[severity]} />
          <span class="what">
            <strong>{group.rules.join(", ")}</strong>
            <small>
              {services.name(group.service)} · {subject[group.kind]} <code>{shortId(group.local)}</code>
            </small>
            <small>{group.about}</small>
          </span>
          <span class="count">
            {ageText(group.lastAt, now)}
            <small>{text.times(group.alerts, group.events)}</small>
          </span>
        </summary>
        <ol>
          {group.newest.map((alert) => (
            <li key={alert.id}>
              {dateText(alert.at)} · {alert.rule} · {text.belief(alert.score)} · {text.count(alert.count)}
              <EvidenceList evidence={alert.evidence} />
            </li>
          ))}
        </ol>
        {decision === undefined ? null : (
          <a href={addressOf("watch", decision.service, decision.id)}>{text.seeDecision}</a>
        )}
      </details>
    </li>
  );
}

/** What the services found, a row for each suspect, whoever was seen last first. */
export function AlertList(props: {
  readonly groups: readonly AlertGroup[];
  readonly decisions: readonly DecisionRow[];
  readonly now: number;
}) {
  const { groups, decisions, now } = props;
  const decisionOn = ({ service, kind, local }: AlertGroup) =>
    decisions.find(
      (one) => one.service === service && one.subject.kind === kind && one.subject.local === local,
    );
  return (
    <section aria-labelledby="alerts">
      <h2 id="alerts">{text.alerts}</h2>
      {groups.length === 0 ? <p class="dim">{text.noAlerts}</p> : null}
      <MoreList
        items={groups}
        step={STEP}
        row={(group) => <Group key={group.key} group={group} decision={decisionOn(group)} now={now} />}
      />
    </section>
  );
}
