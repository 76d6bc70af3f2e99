import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { IdsExplanation } from "../../client/index.ts";
import { dateText } from "../format.ts";
import { useAsked, useDoing } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Failure } from "../parts/failure.tsx";
import { Field } from "../parts/field.tsx";
import { SureButton } from "../parts/sure-button.tsx";
import { addressOf } from "../route.ts";
import { TEXTS } from "../texts/index.ts";
import type { Questions } from "../worker/messages.ts";
import type { ServiceId } from "../worker/officer/watch-questions.ts";
import { EvidenceList } from "./alert-list.tsx";
import { Badge } from "./badge.tsx";
import { Scroll } from "./blocks.tsx";
import { ExemptionForm, ExemptionResult } from "./exemptions.tsx";
import { ShareBar, WeightBar } from "./weight-bar.tsx";
import { isInForce, MEASURE_SEVERITY, percent, severityOf, stateText } from "./words.ts";

const {
  services,
  subject,
  measure: measures,
  measureMeans,
  severity: words,
  watch,
  decision: text,
} = TEXTS.officer;

function Voices({ decision }: { readonly decision: IdsExplanation["decision"] }) {
  const { voices, logRatio, threshold, quorum } = decision;
  if (voices.length === 0) {
    return <p class="dim">{text.noVoices}</p>;
  }
  const most = Math.max(...voices.map(({ weight }) => Math.abs(weight)));
  const head = text.voice;
  return (
    <>
      <Scroll label={text.voices}>
        <table>
          <thead>
            <tr>
              <th scope="col">{head.who}</th>
              <th scope="col">{head.says}</th>
              <th scope="col" colSpan={2}>
                {head.weight}
              </th>
              <th scope="col">{head.trust}</th>
              <th scope="col">{head.finds}</th>
              <th scope="col">{head.errs}</th>
            </tr>
          </thead>
          <tbody>
            {voices.map((voice) => (
              <tr key={voice.operator}>
                <th scope="row">{voice.operator === "" ? text.self : voice.operator}</th>
                <td>{voice.trimmed ? text.trimmed : voice.alarm ? text.alarm : text.quiet}</td>
                <td>
                  <WeightBar weight={voice.weight} most={most} />
                </td>
                <td class="number">{`${voice.weight >= 0 ? "+" : ""}${voice.weight.toFixed(2)}`}</td>
                <td class="number">{percent(voice.trust)}</td>
                <td class="number">{percent(voice.detection)}</td>
                <td class="number">{percent(voice.falseAlarm)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <p class="dim">
        {text.voicesHint(logRatio?.toFixed(2) ?? text.certain, threshold?.toFixed(2) ?? text.any, quorum)}
      </p>
    </>
  );
}

function Evidence({ alerts }: { readonly alerts: IdsExplanation["alerts"] }) {
  return alerts.length === 0 ? (
    <p class="dim">{text.none}</p>
  ) : (
    <ul class="items">
      {alerts.map((alert) => {
        const severity = severityOf(alert.score);
        return (
          <li key={alert.id} class={`item proof ${alert.cause ? severity : "quiet"}`}>
            <span class="what">
              <strong>{alert.rule}</strong>
              <small>{alert.about}</small>
              <EvidenceList evidence={alert.evidence} />
            </span>
            <span class="belief">
              <ShareBar share={alert.score} />
              <small>
                {words[severity]}, {watch.belief(alert.score)}
              </small>
            </span>
            <span class="count">
              {alert.cause ? text.cause : text.beside}
              <small>
                {dateText(alert.at)}, {watch.count(alert.count)}
              </small>
            </span>
          </li>
        );
      })}
    </ul>
  );
}

/** Lifting and confirming: a reason that is there already, and two clicks. */
function Ruling(props: {
  readonly service: ServiceId;
  readonly decision: IdsExplanation["decision"];
  readonly onRuled: () => void;
}) {
  const { service, decision, onRuled } = props;
  const { port } = usePage();
  const [reason, setReason] = useState("");
  const [ruled, setRuled] = useState<{ what: string; stillHeld: readonly string[] } | null>(null);
  const ruling = useDoing();
  const rule = (what: "lift" | "confirm") =>
    ruling.run(async () => {
      const { stillHeld } = await port.ask("ruleDecision", {
        ...{ service, decision: decision.id, ruling: what },
        reason: reason.trim() === "" ? text.reasons[what] : reason.trim(),
      });
      setRuled({ what: what === "lift" ? text.lifted : text.confirmed, stillHeld });
      onRuled();
    });
  return (
    <section aria-labelledby="ruling">
      <h2 id="ruling">{text.rule}</h2>
      {decision.ruling === null ? (
        <div class="narrow">
          <Field
            id="ruling-reason"
            label={watch.reason}
            hint={text.reasonHint}
            value={reason}
            required={false}
            maxLength={500}
            onValue={setReason}
          />
          <Failure text={ruling.failure} />
          <div class="acts">
            <SureButton
              label={text.lift}
              question={text.liftSure}
              disabled={ruling.busy}
              onSure={() => rule("lift")}
            />
            <SureButton
              label={text.confirm}
              question={text.confirmSure}
              disabled={ruling.busy}
              onSure={() => rule("confirm")}
            />
          </div>
          <p class="dim">{text.teaches}</p>
        </div>
      ) : (
        <p>
          {text.ruled(
            decision.ruling.ruling === "lift" ? text.lifted : text.confirmed,
            dateText(decision.ruling.at),
            decision.ruling.by.slice(0, 8),
          )}
          <q>{decision.ruling.reason}</q>
        </p>
      )}
      <div role="status">
        {ruled === null ? null : (
          <>
            <p class="good">{ruled.what}</p>
            {ruled.stillHeld.length === 0 ? null : (
              <p>
                {text.stillHeld}{" "}
                {ruled.stillHeld.map((id) => (
                  <a key={id} href={addressOf("watch", service, id)}>
                    <code>{id.slice(0, 8)}</code>{" "}
                  </a>
                ))}
              </p>
            )}
          </>
        )}
      </div>
    </section>
  );
}

function Exempt(props: { readonly service: ServiceId; readonly decision: string }) {
  const { service, decision } = props;
  const [open, setOpen] = useState(false);
  const [result, setResult] = useState<Questions["exempt"]["answer"] | null>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const close = () => {
    setOpen(false);
    requestAnimationFrame(() => opener.current?.focus());
  };
  return (
    <div class="narrow">
      <ExemptionResult result={result} />
      {open ? (
        <ExemptionForm
          about={{ service, decision }}
          onCancel={close}
          onDone={(done) => {
            setResult(done);
            close();
          }}
        />
      ) : (
        <button type="button" ref={opener} onClick={() => setOpen(true)}>
          {text.exempt}
        </button>
      )}
    </div>
  );
}

/** One decision: what it means, what it rests on, and the officer's word on it. */
export function DecisionView(props: {
  readonly service: ServiceId;
  readonly id: string;
  readonly now: number;
  readonly onBack: () => void;
}) {
  const { service, id, now, onBack } = props;
  const explained = useAsked("explainDecision", { service, decision: id });
  const top = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => top.current?.focus(), []);
  const back = (
    <button type="button" class="back" ref={top} onClick={onBack}>
      ← {text.back}
    </button>
  );
  if (explained.answer === null) {
    return (
      <main class="officer" aria-busy={explained.failure === null}>
        {back}
        {explained.failure === null ? (
          <p class="dim">{text.loading}</p>
        ) : (
          <Failure text={explained.failure} />
        )}
      </main>
    );
  }
  const { decision, alerts, appeals } = explained.answer;
  const holds = isInForce(decision, now);
  return (
    <main class="officer">
      {back}
      <h1>
        <Badge
          severity={holds ? MEASURE_SEVERITY[decision.measure] : "quiet"}
          word={stateText(decision, now)}
        />{" "}
        {text.title(measures[decision.measure], subject[decision.subject.kind])}
      </h1>
      <p class="reasoning">{decision.text}</p>
      <div class="columns">
        <dl class="facts">
          <dt>{text.at}</dt>
          <dd>{services.name(service)}</dd>
          <dt>{text.means}</dt>
          <dd>{measureMeans[decision.measure]}</dd>
          <dt>{text.suspect}</dt>
          <dd>
            <code>{decision.subject.local}</code>
          </dd>
          <dt>{text.decided}</dt>
          <dd>{dateText(decision.at)}</dd>
          <dt>{text.until}</dt>
          <dd>{dateText(decision.until)}</dd>
          <dt>{text.grounds}</dt>
          <dd>{decision.origin === "mesh" ? text.mesh : text.local}</dd>
        </dl>
        <div>
          <Ruling service={service} decision={decision} onRuled={explained.again} />
          {holds ? <Exempt service={service} decision={decision.id} /> : null}
        </div>
      </div>
      <section aria-labelledby="evidence">
        <h2 id="evidence">{text.evidence}</h2>
        <Evidence alerts={alerts} />
      </section>
      <section aria-labelledby="voices">
        <h2 id="voices">{text.voices}</h2>
        <Voices decision={decision} />
      </section>
      {appeals.length === 0 ? null : (
        <section aria-labelledby="objections">
          <h2 id="objections">{text.objections}</h2>
          {appeals.map((appeal) => (
            <blockquote key={appeal.id}>
              {appeal.text} <small class="dim">{dateText(appeal.at)}</small>
            </blockquote>
          ))}
        </section>
      )}
    </main>
  );
}
