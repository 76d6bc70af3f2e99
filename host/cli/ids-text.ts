import type {
  IdsAlert,
  IdsDecision,
  IdsDetector,
  IdsExplanation,
  IdsMember,
  IdsNews,
} from "../client/index.ts";
import { type Colours, table } from "./output.ts";
import { printable } from "./record-text.ts";

/** What a service said, with the service it came from. */
export interface At<T> {
  readonly at: string;
  readonly what: T;
}

const BAR_WIDTH = 20;

/** A bar to the right of a middle for what speaks for an attack, to the left for what speaks against. */
function weightBar(weight: number, most: number): string {
  const half = BAR_WIDTH / 2;
  const length = most <= 0 ? 0 : Math.min(half, Math.round((Math.abs(weight) / most) * half));
  const bar = "█".repeat(length);
  return weight < 0 ? `${bar.padStart(half)}│${" ".repeat(half)}` : `${" ".repeat(half)}│${bar.padEnd(half)}`;
}

const share = (value: number) => `${(100 * value).toFixed(0)}%`;

export function time(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace("T", " ");
}

/** How long something still holds, in its two largest units. */
export function left(until: number, now: number): string {
  const minutes = Math.ceil((until - now) / 60_000);
  if (minutes <= 0) {
    return "over";
  }
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function stateOf({ endedAt, ruling, until, simulated }: IdsDecision, now: number, colours: Colours): string {
  if (ruling?.ruling === "lift") {
    return colours.green("lifted");
  }
  if (endedAt !== null || until <= now) {
    return colours.dim("over");
  }
  return simulated ? colours.dim(`simulated, ${left(until, now)}`) : left(until, now);
}

export function measureText(measure: IdsDecision["measure"], colours: Colours): string {
  const colour = { throttle: colours.yellow, challenge: colours.magenta, ban: colours.red }[measure];
  return colour(measure);
}

/** Colours only after the columns stand: their codes have a width for `padEnd`. */
function coloured(text: string, colours: Colours): string {
  return text
    .replace(/\bban\b/g, (word) => colours.red(word))
    .replace(/\bchallenge\b/g, (word) => colours.magenta(word))
    .replace(/\bthrottle\b/g, (word) => colours.yellow(word));
}

export function decisionsTable(decisions: readonly At<IdsDecision>[], now: number, colours: Colours): string {
  const none = { ...colours, green: String, dim: String } as Colours;
  const rows = decisions.map(({ at, what }) => [
    what.id,
    time(what.at),
    at,
    what.measure,
    `${what.subject.kind} ${printable(what.subject.local)}`,
    what.origin,
    printable(what.rules.join(", ")),
    stateOf(what, now, none),
  ]);
  const head = ["decision", "time (UTC)", "at", "measure", "about", "by", "rules", "left"];
  return coloured(table([head, ...rows], colours), colours);
}

export function alertsTable(alerts: readonly At<IdsAlert>[], colours: Colours): string {
  const rows = alerts.map(({ at, what }) => [
    time(what.at),
    at,
    printable(what.rule),
    `${what.subject.kind} ${printable(what.subject.local)}`,
    what.score.toFixed(2),
    String(what.count),
    printable(what.about),
  ]);
  return table([["time (UTC)", "at", "rule", "about", "belief", "events", "what"], ...rows], colours);
}

export function membersTable(members: readonly At<IdsMember>[], now: number, colours: Colours): string {
  const ago = (time: number | null): string => {
    const since = time === null ? "never" : left(now, time);
    return time === null ? since : since === "over" ? "now" : `${since} ago`;
  };
  const rows = members.map(({ at, what }) => {
    const { member, trust, expectation, detection, falseAlarm, outcomes, lastHeard, alerts, contact } = what;
    const filled = Math.round(trust * 10);
    return [
      at,
      printable(member.id),
      printable(member.operator),
      `${"█".repeat(filled)}${"░".repeat(10 - filled)} ${share(trust)}`,
      share(expectation),
      share(detection),
      share(falseAlarm),
      String(outcomes),
      String(alerts),
      ago(lastHeard),
      contact === null
        ? "-"
        : `${ago(contact.lastContact)}${contact.failures > 0 ? ` (${contact.failures} failed)` : ""}`,
    ];
  });
  const head = [
    "at",
    "member",
    "operator",
    "trust",
    "mean",
    "finds",
    "false",
    "outcomes",
    "alerts",
    "heard",
    "seen",
  ];
  return table([head, ...rows], colours);
}

export function detectorTable(detectors: readonly At<IdsDetector>[], colours: Colours): string {
  const rows = detectors.map(({ at, what: { mode, alarmAt, rules, model } }) => [
    at,
    mode,
    String(rules.count),
    printable(rules.hash.slice(0, 12)),
    String(alarmAt),
    model === null ? "none" : printable(model.hash?.slice(0, 12) ?? "unnamed"),
    ...(model === null
      ? ["-", "-", "-"]
      : [
          String(model.requests),
          `${model.operatingPoint.bits.toFixed(1)} bits`,
          `1 in ${Math.round(1 / model.operatingPoint.falseAlarm)}`,
        ]),
  ]);
  const head = [
    "at",
    "mode",
    "rules",
    "hash",
    "alarm at",
    "model",
    "learned from",
    "strange at",
    "false alarms",
  ];
  return table([head, ...rows], colours);
}

/** What happened just now, on a line or two. */
export function newsText(news: IdsNews, colours: Colours): string {
  switch (news.event) {
    case "alert": {
      const { rule, subject, score, about } = news.alert;
      return `${colours.yellow("alert")}     ${printable(rule)} ${subject.kind} ${printable(subject.local)} ${score.toFixed(2)} ${colours.dim(printable(about))}`;
    }
    case "decision": {
      const { id, measure, subject, text } = news.decision;
      return `${colours.red("decision")}  ${measureText(measure, colours)} ${subject.kind} ${printable(subject.local)} ${id}\n            ${printable(text)}`;
    }
    case "ended":
      return `${colours.green("ended")}     ${printable(news.decision)}`;
    case "appeal":
      return `${colours.cyan("objection")} ${printable(news.appeal.decision)}: ${printable(news.appeal.text)}`;
    case "fault":
      return `${colours.bold(colours.red("FAULT"))}     the detection itself failed (${printable(news.what)}); requests go on without it`;
  }
}

/** One decision for a person who has to answer for it. */
export function explanationText(explained: At<IdsExplanation>, now: number, colours: Colours): string {
  const { decision, alerts, appeals } = explained.what;
  const { bold, dim } = colours;
  const lines = [
    `  ${bold(measureText(decision.measure, colours))} of ${decision.subject.kind} ${printable(decision.subject.local)} at ${explained.at}: ${stateOf(decision, now, colours)}`,
    `  ${dim("decided")} ${time(decision.at)}, ${dim("until")} ${time(decision.until)} UTC, ${decision.origin === "mesh" ? "by the members together" : "on this service's own evidence"}`,
    "",
    `  ${printable(decision.text)}`,
    "",
  ];
  const most = Math.max(0, ...decision.voices.map(({ weight }) => Math.abs(weight)));
  const voices = decision.voices.map((voice) => [
    printable(voice.operator),
    voice.alarm ? "alarm" : "quiet",
    weightBar(voice.weight, most),
    `${voice.weight >= 0 ? "+" : ""}${voice.weight.toFixed(2)}${voice.trimmed ? " left out" : ""}`,
    share(voice.trust),
    share(voice.detection),
    share(voice.falseAlarm),
  ]);
  if (voices.length > 0) {
    const head = ["voice", "says", "innocence │attack", "weight", "trust", "finds", "false"];
    lines.push(
      table([head, ...voices], colours).replace(
        /(█*)│(█*)/g,
        (_bar, against: string, attack: string) => `${colours.green(against)}│${colours.red(attack)}`,
      ),
      `  ${dim("together")} ${decision.logRatio?.toFixed(2) ?? "certain"} ${dim("of")} ${decision.threshold?.toFixed(2) ?? "any"} ${dim("needed; quorum")} ${decision.quorum}`,
      "",
    );
  }
  for (const alert of alerts) {
    lines.push(
      `  ${alert.cause ? colours.red("●") : dim("○")} ${time(alert.at)} ${printable(alert.rule)} ${dim(`belief ${alert.score.toFixed(2)}, ${alert.count} events`)}`,
    );
    for (const { rule, place, name } of alert.evidence) {
      lines.push(`      ${printable(rule)} ${dim("in")} ${printable(place)} ${printable(name)}`);
    }
  }
  for (const { at, text } of appeals) {
    lines.push(`  ${colours.cyan("objection")} ${time(at)}: ${printable(text)}`);
  }
  if (decision.ruling !== null) {
    const { ruling, by, reason, at } = decision.ruling;
    lines.push(
      `  ${bold(ruling === "lift" ? "lifted" : "confirmed")} ${time(at)} by ${by}: ${printable(reason)}`,
    );
  }
  return lines.join("\n");
}
