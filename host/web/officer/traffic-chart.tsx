import { useEffect, useState } from "preact/hooks";
import { useAsked } from "../hooks.ts";
import { TEXTS } from "../texts/index.ts";
import { Bars } from "./bars.tsx";
import { Scroll } from "./blocks.tsx";
import { clock } from "./minute-chart.tsx";
import { type Span, sumOf, together } from "./traffic-of.ts";

const ASK_EVERY_MS = 15_000;
const SPAN_MS = { hour: 3_600_000, day: 24 * 3_600_000 } as const;
/** What became of requests: two are bars upon each other, two are marks below. */
const CLASSES = ["answered", "refused", "held", "failed"] as const;
const { traffic: text, services } = TEXTS.officer;

/** How many requests the services had, and what became of them. Nobody's: counts, and nothing else. */
export function TrafficChart() {
  const { answer, again } = useAsked("traffic", null);
  const [span, setSpan] = useState<Span>("hour");
  useEffect(() => {
    const timer = setInterval(again, ASK_EVERY_MS);
    return () => clearInterval(timer);
  }, [again]);
  const all = answer ?? [];
  const sums = all.flatMap((one) => sumOf(one, span) ?? []);
  const total = CLASSES.map((_, at) =>
    sums.reduce((sum, count, i) => (i % CLASSES.length === at ? sum + count : sum), 0),
  );
  const rows = together(all, span);
  const until = Math.max(0, ...all.map(({ traffic }) => traffic?.at ?? 0));
  return (
    <figure class="minutes traffic" aria-busy={answer === null}>
      <figcaption>
        {text[span]}
        <span class="acts">
          {(["hour", "day"] as const).map((one) => (
            <button key={one} type="button" aria-pressed={span === one} onClick={() => setSpan(one)}>
              {text[`${one}Short`]}
            </button>
          ))}
        </span>
      </figcaption>
      <Bars
        label={`${text[span]}: ${text.summary(total)}`}
        rows={rows}
        above={CLASSES.slice(0, 2)}
        below={CLASSES.slice(2)}
      />
      <p class="scale dim" aria-hidden="true">
        <span>{clock.format(until - SPAN_MS[span])}</span>
        <span>{text.most(Math.max(0, ...rows.map((row) => row.reduce((sum, count) => sum + count))))}</span>
        <span>{clock.format(until)}</span>
      </p>
      <Scroll label={text[span]}>
        <table>
          <thead>
            <tr>
              <th scope="col">{text.service}</th>
              {CLASSES.map((name, at) => (
                <th key={name} scope="col" class="number">
                  <i class={name} /> {text.outcomes[at]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {all.map((one) => {
              const sum = sumOf(one, span);
              return (
                <tr key={one.service}>
                  <th scope="row">{services.name(one.service)}</th>
                  {sum === null ? (
                    <td colSpan={CLASSES.length}>{one.traffic === null ? text.away : text.off}</td>
                  ) : (
                    sum.map((count, at) => (
                      <td key={CLASSES[at]} class="number">
                        {count.toLocaleString("en")}
                      </td>
                    ))
                  )}
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
    </figure>
  );
}
