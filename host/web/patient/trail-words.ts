import { TEXTS } from "../texts/index.ts";
import type { TrailEntry } from "../worker/patient/questions.ts";

const text = TEXTS.home.trail;

/** Who did it. */
export function whoText({ by, name, role }: TrailEntry): string {
  switch (by) {
    case "me":
      return text.you;
    case "device":
      return text.wearable(name ?? "");
    case "service":
      return text.service;
    case "stranger":
      return text.stranger;
    default:
      return text.other(name ?? "", text.roles[role ?? ""] ?? role ?? "");
  }
}

/** What they did. */
export function whatText({ action, region, code, reason }: TrailEntry): string {
  const what = region === null ? text.record : text.region[region];
  const verb = text.verbs[action]?.(what) ?? action;
  const said = code === null ? verb : text.refused(verb, code);
  return reason === null ? said : said + text.because(reason);
}

/** Entries that say the same one after the other, as one line. */
export interface TrailLine {
  readonly entry: TrailEntry;
  readonly times: number;
  /** Time of the first of them. */
  readonly since: number;
}

/** Newest first, as they come: a doctor who reads all day gets a ticket every five minutes. */
export function linesOf(entries: readonly TrailEntry[]): TrailLine[] {
  const lines: TrailLine[] = [];
  for (const entry of entries) {
    const last = lines.at(-1);
    const same =
      last !== undefined &&
      !entry.grave &&
      whoText(last.entry) === whoText(entry) &&
      whatText(last.entry) === whatText(entry);
    if (same) {
      lines[lines.length - 1] = { ...last, times: last.times + 1, since: entry.at };
    } else {
      lines.push({ entry, times: 1, since: entry.at });
    }
  }
  return lines;
}

/** What of the trail somebody wants to see. */
export const FILTERS = {
  others: ({ by }: TrailEntry) => by === "other" || by === "stranger",
  emergency: ({ action, grave }: TrailEntry) => grave || action.startsWith("emergency."),
  mine: ({ by }: TrailEntry) => by === "me" || by === "device",
  refused: ({ code }: TrailEntry) => code !== null,
  all: () => true,
} as const;
export type Filter = keyof typeof FILTERS;
