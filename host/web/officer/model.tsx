import "../style/officer.css";
import "../style/officer-tables.css";
import type { IdsDetector, IdsSelfTest } from "../../client/index.ts";
import { useAsked } from "../hooks.ts";
import { Failure } from "../parts/failure.tsx";
import { TEXTS } from "../texts/index.ts";
import type { DetectorAt } from "../worker/officer/model-questions.ts";
import { Prose } from "./blocks.tsx";
import { RocCurve } from "./roc-curve.tsx";
import { percent } from "./words.ts";

const { model: text, services } = TEXTS.officer;

function ModelFacts({ model }: { readonly model: NonNullable<IdsDetector["model"]> }) {
  const { operatingPoint, requests, heldOut, hash } = model;
  return (
    <>
      <dt>{text.learned}</dt>
      <dd>{text.learnedIs(requests, heldOut)}</dd>
      <dt>{text.hash}</dt>
      <dd>{hash === null ? text.noHash : <code>{hash}</code>}</dd>
      <dt>{text.pointHead}</dt>
      <dd>{text.pointIs(operatingPoint.bits.toFixed(1), percent(operatingPoint.falseAlarm))}</dd>
    </>
  );
}

function ModelOf({ model }: { readonly model: IdsDetector["model"] }) {
  if (model === null) {
    return (
      <>
        <p>{text.noModel}</p>
        <p class="dim lead">
          <Prose of={text.noModelHow} />
        </p>
      </>
    );
  }
  const { operatingPoint, benign } = model;
  const reached = benign.some(({ falseAlarm }) => falseAlarm <= operatingPoint.falseAlarm);
  return reached ? null : <p class="lead">{text.beyond}</p>;
}

/** Services whose detectors are set alike, and what each measured its own to do. */
interface Alike {
  readonly names: string[];
  readonly detector: Omit<IdsDetector, "selfTest">;
  readonly tests: { readonly name: string; readonly test: IdsSelfTest }[];
}

function Detector({ names, detector, tests }: Alike) {
  const { mode, rules, alarmAt, prior, model } = detector;
  return (
    <section>
      <h2>{text.service(names.join(", "))}</h2>
      <dl class="facts">
        <dt>{text.mode}</dt>
        <dd class={mode === "off" ? "failure" : ""}>{text.modes[mode]}</dd>
        <dt>{text.rules}</dt>
        <dd>
          {text.rulesAre(rules.count)} <code>{rules.hash.slice(0, 16)}</code>
        </dd>
        <dt>{text.alarm}</dt>
        <dd>{text.alarmIs(alarmAt, prior)}</dd>
        {model === null ? null : <ModelFacts model={model} />}
      </dl>
      {tests.length === 0 ? null : (
        <>
          <div class="spread">
            {tests.map(({ name, test }) => (
              <RocCurve key={name} name={name} test={test} />
            ))}
          </div>
          <p class="lead">{TEXTS.officer.roc.differ}</p>
        </>
      )}
      <ModelOf model={model} />
    </section>
  );
}

/** Services whose detectors are the same stand together. */
function together(all: readonly DetectorAt[]): Alike[] {
  const bySetting = new Map<string, Alike>();
  for (const { service, detector: found } of all) {
    if (found !== null) {
      const { selfTest, ...detector } = found;
      const key = JSON.stringify(detector);
      const alike = bySetting.get(key) ?? { names: [], detector, tests: [] };
      const name = services.name(service);
      alike.names.push(name);
      if (selfTest !== null) {
        alike.tests.push({ name, test: selfTest });
      }
      bySetting.set(key, alike);
    }
  }
  return [...bySetting.values()];
}

/** What judges requests at each service, where its alarm was set, and what that was measured on. */
export function ModelView() {
  const asked = useAsked("detectors", null);
  const away = asked.answer?.filter(({ detector }) => detector === null) ?? [];
  return (
    <main class="officer" aria-busy={asked.answer === null}>
      <h1>{text.title}</h1>
      {asked.failure === null ? null : <Failure text={asked.failure} />}
      {asked.answer === null ? <p class="dim">{text.loading}</p> : null}
      {away.map(({ service, trouble }) => (
        <p key={service} class="banner">
          {text.away(services.name(service), trouble ?? "")}
        </p>
      ))}
      {together(asked.answer ?? []).map((alike) => (
        <Detector key={alike.names.join(" ")} {...alike} />
      ))}
    </main>
  );
}
