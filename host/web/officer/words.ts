import type { IdsDecision } from "../../client/index.ts";
import { TEXTS } from "../texts/index.ts";
import type { DecisionRow } from "../worker/officer/watch-questions.ts";

const text = TEXTS.officer;
const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;

/** How long something still holds, in words. Times in ms. */
export function leftText(until: number, now: number): string {
  const minutes = Math.ceil((until - now) / MINUTE_MS);
  if (minutes <= 0) {
    return text.left.over;
  }
  if (minutes < 60) {
    return text.left.minutes(minutes);
  }
  return minutes < 2 * DAY_MINUTES
    ? text.left.hours(Math.floor(minutes / 60), minutes % 60)
    : text.left.days(Math.round(minutes / DAY_MINUTES));
}

export function isInForce({ endedAt, until }: Pick<DecisionRow, "endedAt" | "until">, now: number): boolean {
  return endedAt === null && until > now;
}

/** What has become of a decision, in a word or two. */
export function stateText(
  decision: Pick<IdsDecision, "endedAt" | "until" | "ruling" | "simulated">,
  now: number,
): string {
  if (decision.ruling?.ruling === "lift") {
    return text.left.lifted;
  }
  if (!isInForce(decision, now)) {
    return decision.ruling === null ? text.left.over : text.left.confirmed;
  }
  const left = leftText(decision.until, now);
  return decision.simulated ? `${text.left.simulated}, ${left}` : left;
}

/** How bad something looks: the class of its colour, with a word of its own. */
export type Severity = "severe" | "serious" | "slight";

export function severityOf(score: number): Severity {
  if (score >= 0.9) {
    return "severe";
  }
  return score >= 0.7 ? "serious" : "slight";
}

export const MEASURE_SEVERITY: Readonly<Record<IdsDecision["measure"], Severity>> = {
  ban: "severe",
  challenge: "serious",
  throttle: "slight",
};

/** The beginning of a pseudonym or an id: enough to tell two apart on a screen. */
export function shortId(id: string): string {
  return id.length <= 14 ? id : `${id.slice(0, 12)}…`;
}

const SECONDS = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** To the second: a log is read for the order of things. */
export function timeText(time: number): string {
  return SECONDS.format(time);
}

export const percent = (share: number) => {
  const value = 100 * share;
  return `${value !== 0 && value < 1 ? value.toPrecision(2) : Math.round(value)}\u00a0%`;
};
