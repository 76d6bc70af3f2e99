import { useState } from "preact/hooks";
import { dateText } from "../format.ts";
import { useAsked } from "../hooks.ts";
import { Failure } from "../parts/failure.tsx";
import "../style/patient.css";
import { TEXTS } from "../texts/index.ts";
import type { Trail } from "../worker/patient/questions.ts";
import { FILTERS, type Filter, linesOf, whatText, whoText } from "./trail-words.ts";

const text = TEXTS.home.trail;

/** What was checked, and what that proves and does not. */
function Verdict({ trail }: { readonly trail: Trail }) {
  const { checked, faults, total } = trail;
  const whole = faults.length === 0;
  const { checks } = text;
  return (
    <section class={`verdict ${whole ? "whole" : "broken"}`} role={whole ? "status" : "alert"}>
      <p>
        <strong>
          <span aria-hidden="true">{whole ? "✓ " : "✗ "}</span>
          {whole ? text.good(total, checked.headSequence ?? 0) : text.bad(faults.length)}
        </strong>
      </p>
      {whole ? null : (
        <ul>
          {faults.map(({ kind, sequence }) => (
            <li key={`${kind} ${sequence}`}>{text.fault(text.faults[kind] ?? kind, sequence)}</li>
          ))}
        </ul>
      )}
      <details>
        <summary>{text.proves}</summary>
        {whole ? (
          <ul>
            <li>{checks.hash}</li>
            <li>{checks.links(checked.links)}</li>
            <li>{checks.head(dateText(checked.headAt ?? 0))}</li>
            <li>
              {checked.before === null ? checks.first : checks.again(checked.seenAgain, checked.before)}
            </li>
          </ul>
        ) : null}
        <p>{text.notProven}</p>
      </details>
    </section>
  );
}

/** Who did what with this patient's record, as the KDC's log says, checked here. */
export function TrailView() {
  const { answer, failure, again } = useAsked("trail", null);
  const [filter, setFilter] = useState<Filter>("others");
  const shown = (answer?.entries ?? []).filter(FILTERS[filter]);
  return (
    <main>
      <h1>{text.title}</h1>
      <p class="dim">{text.what}</p>
      <Failure text={failure} />
      {answer === null ? (
        failure === null ? (
          <p class="dim verdict">{text.loading}</p>
        ) : null
      ) : (
        <Verdict trail={answer} />
      )}
      <fieldset class="ranges" aria-label={text.filterLabel}>
        {(Object.keys(FILTERS) as Filter[]).map((name) => (
          <button type="button" key={name} aria-pressed={filter === name} onClick={() => setFilter(name)}>
            {text.filters[name]}
          </button>
        ))}
        <button type="button" class="apart" onClick={again}>
          {text.again}
        </button>
      </fieldset>
      <table class="trail">
        <thead>
          <tr>
            <th scope="col">{text.columns.when}</th>
            <th scope="col">{text.columns.who}</th>
            <th scope="col">{text.columns.what}</th>
          </tr>
        </thead>
        <tbody>
          {linesOf(shown).map(({ entry, all }) => (
            <tr key={entry.sequence} class={entry.grave ? "grave" : entry.code === null ? "" : "refused"}>
              <td>
                {dateText(entry.at)}
                {all.length === 1 ? null : (
                  <details class="folded">
                    <summary>{text.times(all.length, dateText(all.at(-1)?.at ?? entry.at))}</summary>
                    <ul>
                      {all.map(({ sequence, at }) => (
                        <li key={sequence}>{text.one(sequence, dateText(at))}</li>
                      ))}
                    </ul>
                  </details>
                )}
              </td>
              <th scope="row">{whoText(entry)}</th>
              <td>
                {entry.grave ? <strong class="chip is-open">{text.grave}</strong> : null} {whatText(entry)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {answer !== null && shown.length === 0 ? <p class="dim">{text.none}</p> : null}
      {answer !== null && answer.entries.length < answer.total ? (
        <p class="dim">{text.shown(answer.entries.length, answer.total)}</p>
      ) : null}
    </main>
  );
}
