import { TEXTS } from "../texts/index.ts";
import type { MinuteCount } from "../worker/officer/watch-questions.ts";
import { Bars } from "./bars.tsx";

const text = TEXTS.officer.watch;
export const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

/** Alerts of each minute of the last hour; a mark below where something was decided. */
export function MinuteChart(props: { readonly minutes: readonly MinuteCount[]; readonly until: number }) {
  const { minutes, until } = props;
  const sum = (pick: (minute: MinuteCount) => number) =>
    minutes.reduce((total, minute) => total + pick(minute), 0);
  const summary = text.chartSummary(
    sum(({ alerts }) => alerts),
    sum(({ events }) => events),
    sum(({ decisions }) => decisions),
  );
  const label = (minutesAgo: number) => clock.format(until - minutesAgo * 60_000);
  return (
    <figure class="minutes">
      <figcaption>
        {text.chart} <span class="dim">{summary}</span>
      </figcaption>
      <Bars
        label={`${text.chart}: ${summary}`}
        rows={minutes.map(({ alerts, decisions }) => [alerts, decisions])}
        above={["bar-alert"]}
        below={["bar-decision"]}
      />
      <p class="scale dim" aria-hidden="true">
        <span>{label(60)}</span>
        <span>{label(30)}</span>
        <span>{label(0)}</span>
      </p>
    </figure>
  );
}
