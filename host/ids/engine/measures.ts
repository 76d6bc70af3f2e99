import type { Decision, EngineSettings, Measure, Subject } from "./contract.ts";
import { localKey, type Suspect } from "./suspects.ts";

/** From mild to strict. */
const LADDER: readonly Measure[] = ["throttle", "challenge", "ban"];
/** After this long without a measure somebody starts at the bottom again. */
const REPEAT_MS = 24 * 3_600_000;
/** A ban by the mesh doubles with each repetition, up to this many times. */
const MOST_DOUBLINGS = 4;
const MOST_HELD = 50_000;
const MOST_EXEMPT = 10_000;

/** True where `one` is at least as strict as `other`. */
export function atLeastAsStrict(one: Measure, other: Measure): boolean {
  return LADDER.indexOf(one) >= LADDER.indexOf(other);
}

/** Measures before this moment that still count against somebody; two at the same moment are one repetition. */
export function repetitions(suspect: Suspect, at: number): number {
  const before = suspect.struckAt < at ? suspect.strikes : suspect.strikesBefore;
  return at - suspect.struckAt > REPEAT_MS ? 0 : before;
}

export function strike(suspect: Suspect, at: number): void {
  suspect.strikesBefore = repetitions(suspect, at);
  suspect.strikes = suspect.strikesBefore + 1;
  suspect.struckAt = at;
}

/**
 * What one service does on its own word: short, and mild at first. Whom a scenario names with a score of 0.9 or more
 * is challenged at once. A `victim`, whose account others attack, is never banned.
 */
export function localMeasure(
  score: number,
  repeated: number,
  victim: boolean,
  settings: EngineSettings,
): { measure: Measure; lastsMs: number } {
  const rung = Math.min((score >= 0.9 ? 1 : 0) + repeated, victim ? 1 : 2);
  const measure = LADDER[rung] as Measure;
  return { measure, lastsMs: lastingMs(measure, settings) };
}

/** What is done on the word of a quorum. @param mild a challenge at most */
export function meshMeasure(
  repeated: number,
  mild: boolean,
  settings: EngineSettings,
): { measure: Measure; lastsMs: number } {
  const measure = mild ? "challenge" : "ban";
  return { measure, lastsMs: lastingMs(measure, settings) * 2 ** Math.min(repeated, MOST_DOUBLINGS) };
}

function lastingMs(measure: Measure, settings: EngineSettings): number {
  return { throttle: settings.throttleMs, challenge: settings.challengeMs, ban: settings.banMs }[measure];
}

/** Decisions that run, and who is exempt. */
export interface Held {
  add(decision: Decision): void;
  find(id: string): Decision | undefined;
  /** Notes that an officer called it right; false where one had. */
  confirm(id: string): boolean;
  /** Ends a decision; false where it was over. */
  end(id: string): boolean;
  /** The strictest that runs on this subject; simulated ones too where asked for. */
  strictest(
    subject: Pick<Subject, "kind" | "local">,
    at: number,
    options?: { readonly simulated?: boolean; readonly origin?: Decision["origin"] },
  ): Decision | null;
  running(subject: Pick<Subject, "kind" | "local">, at: number): readonly Decision[];
  exempt(subject: Pick<Subject, "kind" | "local">, until: number, at: number): void;
  isExempt(subject: Pick<Subject, "kind" | "local">, at: number): boolean;
  readonly size: number;
}

export function createHeld(): Held {
  const bySubject = new Map<string, readonly Decision[]>();
  const byId = new Map<string, Decision>();
  const exempt = new Map<string, number>();
  const confirmed = new Set<string>();

  const running = (subject: Pick<Subject, "kind" | "local">, at: number): readonly Decision[] =>
    (bySubject.get(localKey(subject.kind, subject.local)) ?? []).filter(({ until }) => until > at);

  const drop = (decision: Decision): void => {
    const key = localKey(decision.subject.kind, decision.subject.local);
    const rest = (bySubject.get(key) ?? []).filter(({ id }) => id !== decision.id);
    if (rest.length === 0) {
      bySubject.delete(key);
    } else {
      bySubject.set(key, rest);
    }
    byId.delete(decision.id);
    confirmed.delete(decision.id);
  };

  return {
    add(decision) {
      const { subject, at } = decision;
      const key = localKey(subject.kind, subject.local);
      // What is over stays known by its id, as officers rule on it later.
      bySubject.set(key, [...running(subject, at), decision]);
      byId.set(decision.id, decision);
      if (byId.size > MOST_HELD) {
        for (const old of [...byId.values()].filter(({ until }) => until <= at)) {
          drop(old);
        }
        while (byId.size > 0.9 * MOST_HELD) {
          drop(byId.values().next().value as Decision);
        }
      }
    },
    find: (id) => byId.get(id),
    confirm(id) {
      const first = byId.has(id) && !confirmed.has(id);
      if (first) {
        confirmed.add(id);
      }
      return first;
    },
    end(id) {
      const decision = byId.get(id);
      if (decision !== undefined) {
        drop(decision);
      }
      return decision !== undefined;
    },
    strictest(subject, at, options = {}) {
      let best: Decision | null = null;
      for (const decision of running(subject, at)) {
        if (decision.simulated && options.simulated !== true) {
          continue;
        }
        if (options.origin !== undefined && decision.origin !== options.origin) {
          continue;
        }
        const stricter = best === null || !atLeastAsStrict(best.measure, decision.measure);
        if (stricter || (best?.measure === decision.measure && decision.until > best.until)) {
          best = decision;
        }
      }
      return best;
    },
    running,
    exempt(subject, until, at) {
      const key = localKey(subject.kind, subject.local);
      exempt.delete(key);
      if (until > at) {
        exempt.set(key, until);
      }
      if (exempt.size > MOST_EXEMPT) {
        exempt.delete(exempt.keys().next().value as string);
      }
    },
    isExempt: (subject, at) => (exempt.get(localKey(subject.kind, subject.local)) ?? 0) > at,
    get size() {
      return byId.size;
    },
  };
}
