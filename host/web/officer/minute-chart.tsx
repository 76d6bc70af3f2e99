import { TEXTS } from "../texts/index.ts";
import type { MinuteCount } from "../worker/officer/watch-questions.ts";

const [WIDTH, HEIGHT, BOTTOM] = [600, 84, 66];
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
  const most = Math.max(4, ...minutes.map(({ alerts }) => alerts));
  const step = WIDTH / Math.max(1, minutes.length);
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
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${text.chart}: ${summary}`}
      >
        <line class="base" x1="0" x2={WIDTH} y1={BOTTOM} y2={BOTTOM} />
        {minutes.map(({ alerts, decisions }, i) => {
          const height = (alerts / most) * (BOTTOM - 4);
          return (
            // The minutes are a fixed row of places.
            <g key={i}>
              {alerts === 0 ? null : (
                <rect
                  class="bar-alert"
                  x={i * step + 1}
                  y={BOTTOM - height}
                  width={step - 2}
                  height={height}
                />
              )}
              {decisions === 0 ? null : (
                <rect class="bar-decision" x={i * step + 1} y={BOTTOM + 4} width={step - 2} height="6" />
              )}
            </g>
          );
        })}
      </svg>
      <p class="scale dim" aria-hidden="true">
        <span>{label(60)}</span>
        <span>{label(30)}</span>
        <span>{label(0)}</span>
      </p>
    </figure>
  );
}
