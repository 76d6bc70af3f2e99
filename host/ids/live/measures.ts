import type { Decision, Measure, Subject } from "../engine/contract.ts";

/** The decisions that hold now, in memory: asked at every request. */
export interface Measures {
  /** Takes a decision in. One about somebody who is held more strictly already stays beside that one. */
  put(decision: Decision): void;
  /** Ends one before its time. */
  end(id: string): void;
  /** The strictest that holds for this subject, simulated ones only where no other does; null for nearly everybody. */
  strictest(subject: Pick<Subject, "kind" | "local">, now: number): Decision | null;
  /** Nothing holds for this subject until then (ms), whatever comes in about it; 0 ends that. */
  exempt(subject: Pick<Subject, "kind" | "local">, until: number): void;
  /** Lets a throttled subject through a few times: 0, or the ms to wait. */
  waitFor(decision: Decision, now: number, pace: Pace): number;
  /** How many hold now. */
  count(now: number): number;
  /** Every one that holds now. */
  all(now: number): Decision[];
}

const STRICTNESS: Readonly<Record<Measure, number>> = { throttle: 1, challenge: 2, ban: 3 };

/** A throttled subject may do so many things at once, and one more each so many ms. */
export interface Pace {
  readonly burst: number;
  readonly everyMs: number;
}

/** Most decisions that are held. Far beyond it a service is under attack by more than it can tell apart. */
const CAPACITY = 100_000;

const keyOf = ({ kind, local }: Pick<Subject, "kind" | "local">) => `${kind} ${local}`;
const rank = ({ measure, simulated }: Decision) => STRICTNESS[measure] - (simulated ? 10 : 0);

export function createMeasures(): Measures {
  const bySubject = new Map<string, Decision[]>();
  const subjectOf = new Map<string, string>();
  const exempted = new Map<string, number>();
  const buckets = new Map<string, { level: number; at: number }>();

  const drop = (id: string): void => {
    const subject = subjectOf.get(id);
    const left = (subject === undefined ? [] : (bySubject.get(subject) ?? [])).filter(
      (decision) => decision.id !== id,
    );
    if (subject !== undefined) {
      if (left.length === 0) {
        bySubject.delete(subject);
      } else {
        bySubject.set(subject, left);
      }
    }
    subjectOf.delete(id);
    buckets.delete(id);
  };
  const sweep = (now: number): void => {
    for (const decisions of [...bySubject.values()]) {
      for (const { id, until } of decisions) {
        if (until <= now) {
          drop(id);
        }
      }
    }
  };
  const inForce = (now: number): Decision[] =>
    [...bySubject.values()].flat().filter(({ until }) => until > now);

  return {
    put(decision) {
      drop(decision.id);
      if (subjectOf.size >= CAPACITY) {
        sweep(decision.at);
        const [oldest] = subjectOf.keys();
        if (subjectOf.size >= CAPACITY && oldest !== undefined) {
          drop(oldest);
        }
      }
      const key = keyOf(decision.subject);
      bySubject.set(key, [...(bySubject.get(key) ?? []), decision]);
      subjectOf.set(decision.id, key);
    },
    end: drop,
    strictest(subject, now) {
      const decisions = bySubject.size === 0 ? undefined : bySubject.get(keyOf(subject));
      if (decisions === undefined) {
        return null;
      }
      if ((exempted.get(keyOf(subject)) ?? 0) > now) {
        return null;
      }
      let best: Decision | null = null;
      for (const decision of decisions) {
        if (decision.until <= now) {
          drop(decision.id);
        } else if (best === null || rank(decision) > rank(best)) {
          best = decision;
        }
      }
      return best;
    },
    exempt(subject, until) {
      if (until === 0) {
        exempted.delete(keyOf(subject));
      } else {
        exempted.set(keyOf(subject), until);
      }
    },
    waitFor({ id }, now, { burst, everyMs }) {
      const bucket = buckets.get(id) ?? { level: 0, at: now };
      const level = Math.max(0, bucket.level - Math.max(0, now - bucket.at) / everyMs);
      const waitMs = level + 1 <= burst ? 0 : Math.ceil((level + 1 - burst) * everyMs);
      buckets.set(id, { level: waitMs === 0 ? level + 1 : level, at: now });
      return waitMs;
    },
    count: (now) => inForce(now).length,
    all: inForce,
  };
}
