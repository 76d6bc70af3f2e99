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

/** Within so long what says the same is one line. */
const TOGETHER_MS = 60 * 60_000;

/** Entries that say the same, as one line. */
export interface TrailLine {
  /** The newest of them. */
  readonly entry: TrailEntry;
  /** All of them, the newest first. */
  readonly all: readonly TrailEntry[];
}

/**
 * Newest first, as they come: a doctor who reads all day gets a ticket every five minutes, and keys in between. What one
 * person did within an hour is one line where its newest stands; neighbours are one however long it went on.
 */
export function linesOf(entries: readonly TrailEntry[]): TrailLine[] {
  const lines: { readonly entry: TrailEntry; readonly all: TrailEntry[] }[] = [];
  const newest = new Map<string, (typeof lines)[number]>();
  for (const entry of entries) {
    const says = JSON.stringify([whoText(entry), whatText(entry)]);
    const line = entry.grave ? undefined : newest.get(says);
    if (line !== undefined && (line === lines.at(-1) || line.entry.at - entry.at <= TOGETHER_MS)) {
      line.all.push(entry);
      continue;
    }
    const next = { entry, all: [entry] };
    lines.push(next);
    newest.set(says, next);
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
