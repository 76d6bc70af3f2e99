import { LruMap } from "../scenarios/lru.ts";
import type { Alert, Subject, SubjectKind } from "./contract.ts";
import { meshKey } from "./votes.ts";

/** Suspects that are remembered; who was quiet for the longest is forgotten first. */
const MOST_SUSPECTS = 20_000;
/** Different findings on one suspect that count at a time. */
const MOST_FINDINGS = 16;

/** Beginnings of a scenario count this much of what the whole would. */
export const EARLY_WORTH = 0.6;

/** What this service found about somebody by itself. */
export interface Finding {
  readonly rule: string;
  readonly ruleHash: string;
  readonly about: string;
  readonly score: number;
  readonly at: number;
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** A scenario that fired, rather than the beginnings of one. */
  readonly strong: boolean;
  /** The subject of the rule is whom an attacker aims at: an account whose password is guessed. */
  readonly victim: boolean;
  readonly evidence: Alert["evidence"];
  /** Id of the alert that told of it, if any did yet. */
  alert: string | null;
}

/** What this service knows of one pseudonym. */
export interface Suspect {
  readonly kind: SubjectKind;
  readonly local: string;
  /** Pseudonyms in the mesh: the current one and the one before. */
  shared: readonly string[];
  findings: readonly Finding[];
  /** Harmless deeds (uploads taken, logins that succeeded, records read) in this window and the one before. */
  harmless: number;
  harmlessBefore: number;
  windowFrom: number;
  /** Measures so far, the time of the last one, and how many there were before that time. */
  strikes: number;
  struckAt: number;
  strikesBefore: number;
  /** Until then hearsay counts for nothing: an officer lifted a measure. */
  sparedUntil: number;
  /** When an alert about a single request was last written. */
  requestAlertAt: number;
}

export function localKey(kind: SubjectKind, local: string): string {
  return `${kind}:${local}`;
}

/** Subject of a suspect as alerts and decisions name it. */
export function subjectOf({ kind, local, shared }: Suspect): Subject {
  return { kind, local, shared: shared[0] ?? "" };
}

/** Everybody that this service dealt with of late. */
export interface Suspects {
  /** The suspect of a local pseudonym; with its pseudonyms in the mesh, as far as they are known. */
  meet(kind: SubjectKind, local: string, shared: readonly (string | undefined)[], at: number): Suspect;
  find(kind: SubjectKind, local: string): Suspect | undefined;
  /** Who bears this pseudonym in the mesh, if they were here. */
  findShared(kind: SubjectKind, shared: string): Suspect | undefined;
  readonly size: number;
}

export function createSuspects(capacity = MOST_SUSPECTS): Suspects {
  const known = new LruMap<Suspect>(capacity);
  const byShared = new LruMap<string>(2 * capacity);
  return {
    meet(kind, local, shared, at) {
      const key = localKey(kind, local);
      let suspect = known.get(key);
      if (suspect === undefined) {
        suspect = {
          kind,
          local,
          shared: [],
          findings: [],
          harmless: 0,
          harmlessBefore: 0,
          windowFrom: at,
          strikes: 0,
          struckAt: Number.NEGATIVE_INFINITY,
          strikesBefore: 0,
          sparedUntil: 0,
          requestAlertAt: Number.NEGATIVE_INFINITY,
        };
        known.set(key, suspect);
      }
      const names = shared.filter((one) => one !== undefined && one !== "") as string[];
      if (names.length > 0 && (names[0] !== suspect.shared[0] || names.length > suspect.shared.length)) {
        suspect.shared = [...new Set([...names, ...suspect.shared])].slice(0, 2);
      }
      for (const name of names) {
        const named = meshKey(kind, name);
        if (byShared.get(named) !== key) {
          byShared.set(named, key);
        }
      }
      return suspect;
    },
    find: (kind, local) => known.get(localKey(kind, local)),
    findShared(kind, shared) {
      const key = byShared.get(meshKey(kind, shared));
      return key === undefined ? undefined : known.get(key);
    },
    get size() {
      return known.size;
    },
  };
}

/** Findings of at most that age, the newest of each rule; a strong one is not displaced by its own beginnings. */
export function addFinding(suspect: Suspect, finding: Finding, oldest: number): void {
  const before = suspect.findings.find(({ rule }) => rule === finding.rule);
  if (before?.strong === true && !finding.strong && before.at >= oldest) {
    return;
  }
  suspect.findings = [
    ...suspect.findings.filter(({ rule, at }) => rule !== finding.rule && at >= oldest),
    finding,
  ].slice(-MOST_FINDINGS);
}

/** The weightiest finding that still counts. */
export function bestFinding(suspect: Suspect, oldest: number): Finding | undefined {
  let best: Finding | undefined;
  for (const finding of suspect.findings) {
    if (finding.at < oldest) {
      continue;
    }
    const weight = finding.score * (finding.strong ? 1 : EARLY_WORTH);
    const bestWeight = best === undefined ? -1 : best.score * (best.strong ? 1 : EARLY_WORTH);
    if (weight > bestWeight || (weight === bestWeight && best !== undefined && finding.rule < best.rule)) {
      best = finding;
    }
  }
  return best;
}
