import { TEXTS } from "./texts/index.ts";
import type { PatientRow, Score } from "./worker/streams.ts";

/** How long ago, in words. Times in ms. */
export function ageText(time: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - time) / 1000));
  if (seconds < 5) {
    return TEXTS.age.now;
  }
  if (seconds < 90) {
    return TEXTS.age.seconds(seconds);
  }
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) {
    return TEXTS.age.minutes(minutes);
  }
  const hours = Math.round(minutes / 60);
  return hours < 48 ? TEXTS.age.hours(hours) : TEXTS.age.days(Math.round(hours / 24));
}

/** What a score asks for: the guideline's thresholds of 5 and 7, and a single 3. */
export type Urgency = "high" | "medium" | "lowMedium" | "low" | "none";

export function urgencyOf(score: Score | null): Urgency {
  if (score === null) {
    return "none";
  }
  if (score.lowerBound >= 7) {
    return "high";
  }
  if (score.lowerBound >= 5) {
    return "medium";
  }
  return score.redFlag ? "lowMedium" : "low";
}

/** Those who need somebody first; among equals whose readings are newest. */
export function byUrgency(a: PatientRow, b: PatientRow): number {
  const scored = ({ score }: PatientRow) => score?.lowerBound ?? -1;
  return scored(b) - scored(a) || (b.lastTime ?? 0) - (a.lastTime ?? 0) || (a.name < b.name ? -1 : 1);
}

/** Whole minutes until then. */
export function minutesLeft(until: number, now: number): number {
  return Math.max(0, Math.floor((until - now) / 60_000));
}

/** In fours, as people read them out. */
export function groups(fingerprint: string): string {
  return fingerprint.replace(/(.{4})(?=.)/g, "$1 ");
}

export function dateText(time: number): string {
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }).format(time);
}
