import type { IdsDetector, IdsTraffic } from "../client/index.ts";
import { type At, time } from "./ids-text.ts";
import { type Colours, table } from "./output.ts";
import { printable } from "./record-text.ts";

interface Share {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const percent = (value: number) => `${(100 * value).toFixed(value !== 0 && value < 0.1 ? 2 : 1)}%`;
const shareText = ({ value, low, high }: Share) => `${percent(value)} (${percent(low)} to ${percent(high)})`;

/** What the detectors were measured to do: rates at an alarm with their 95% intervals, and on what. */
export function selfTestText(detectors: readonly At<IdsDetector>[], colours: Colours): string {
  const rows = detectors.flatMap(({ at, what: { selfTest } }) => {
    if (selfTest === null) {
      return [];
    }
    const { auc, benign, attacks, operatingPoint } = selfTest;
    return [
      [
        at,
        attacks.judged === 0 ? "not yet" : shareText(operatingPoint.detection),
        benign.requests === 0 ? "not yet" : shareText(operatingPoint.falseAlarm),
        auc === null ? "-" : auc.toFixed(3),
        `${attacks.judged} of ${attacks.of}, version ${attacks.version}`,
        String(attacks.carriers),
        `${benign.requests} since ${time(benign.since)}`,
      ],
    ];
  });
  if (rows.length === 0) {
    return "";
  }
  const head = [
    "measured at",
    "attacks found (95%)",
    "false alarms (95%)",
    "AUC",
    "built-in attacks",
    "on kinds of requests",
    "own requests (UTC)",
  ];
  return [
    "",
    table([head, ...rows], colours),
    colours.dim(
      "  One request at a time, at an alarm. The attacks are built in and known to everybody: real attackers differ, and\n" +
        "  what shows only over many requests, as scanning and guessing, is the scenarios' part. --json has the whole curve.",
    ),
  ].join("\n");
}

const BARS = "▁▂▃▄▅▆▇█";

/** Counts as a line of bars; a span before counting began is a dot, an empty one a blank. */
function sparkline(totals: readonly number[], isKnown: (i: number) => boolean): string {
  const most = Math.max(1, ...totals);
  return totals
    .map((total, i) =>
      total > 0
        ? BARS[Math.min(BARS.length - 1, Math.floor((total / most) * BARS.length))]
        : isKnown(i)
          ? " "
          : "·",
    )
    .join("");
}

/** Requests of each service over the last hour or day, by what became of them. */
export function trafficText(
  services: readonly At<IdsTraffic>[],
  span: "hour" | "day",
  colours: Colours,
): string {
  const known = services.filter(({ what }) => what.since !== null);
  const lines = known.map(({ at, what }) => {
    const { counts, stepMs, newestAt } = what[span];
    const totals = counts.map((row) => row.reduce((sum, count) => sum + count, 0));
    const isKnown = (i: number) => newestAt - (counts.length - 1 - i) * stepMs + stepMs > (what.since ?? 0);
    return {
      row: [
        printable(at),
        ...[0, 1, 2, 3].map((column) => String(counts.reduce((sum, row) => sum + (row[column] ?? 0), 0))),
        (Math.max(0, ...totals) / (stepMs / 60_000)).toFixed(stepMs === 60_000 ? 0 : 1),
      ],
      bars: `  ${printable(at).padEnd(10)} ${colours.cyan(sparkline(totals, isKnown))}`,
    };
  });
  const off = services
    .filter(({ what }) => what.since === null)
    .map(({ at }) => `  ${printable(at)}: the detection is off, nothing is counted.`);
  const head = ["at", "answered", "refused", "held", "failed", "most a minute"];
  return [
    ...(lines.length === 0 ? [] : [table([head, ...lines.map(({ row }) => row)], colours), ""]),
    ...lines.map(({ bars }) => bars),
    ...(lines.length === 0
      ? []
      : [
          colours.dim(
            span === "hour"
              ? "  the last hour by minutes, now at the right; · before it was counted"
              : "  the last day by quarters of an hour, now at the right; · before it was counted",
          ),
        ]),
    ...off,
  ].join("\n");
}
