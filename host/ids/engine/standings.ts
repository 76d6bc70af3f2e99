import { addOutcome, type Evidence, expectation, forget, lowerBound } from "../../trust/index.ts";
import { howManyToAsk, type Rates, type Stakes } from "../consult.ts";
import { type Correlation, logRatio } from "../fusion.ts";
import { type Counts, measureCorrelations, type Outcome, ratesOf } from "../members.ts";
import type { Member, MemberStanding } from "./contract.ts";

/**
 * What the roster's word is worth: whom the operators put on it is trusted as if seen right eight times. Does not fade,
 * as the roster stands; a lower bound of 0.72 to begin with.
 */
const VOUCHED = 8;
/** Whom less trust is put in does not count towards a quorum. */
const LEAST_TRUST = 0.25;
const TRUST_EPOCH_MS = 24 * 3_600_000;
/** Beyond this many, counts are halved: rates follow the last thousand or so. */
const MOST_COUNTED = 1000;
/** Innocent suspects that two members' errors are compared on. */
const MOST_COMPARED = 200;
/** What one's own silence teaches of a peer, at most once in this time: see {@link Standings.contradicted}. */
const CONTRADICTION_MS = 3_600_000;
/** Part of the best one's log-likelihood ratio from which on the cost model counts on somebody. */
const RELIABLE = 0.7;
/** Outcomes that an officer's ruling is worth. */
const RULING_WEIGHT = 3;

interface Book {
  counts: Counts;
  seen: Evidence;
  /** Day that `seen` is of. */
  day: number;
  outcomes: number;
  lastHeard: number | null;
  contradictedAt: number;
  /** Lower bound for `seen`, computed when asked. */
  trust: number | null;
}

/** How well each member did, as far as this service could tell. */
export interface Standings {
  setRoster(members: readonly Member[]): void;
  heard(member: string, at: number): void;
  /** Own evidence bears a peer's earlier warning out. */
  confirmed(member: string, at: number): void;
  /**
   * Own eyes saw nothing but harmless deeds of whom a peer warned about. Counts once an hour: somebody who attacks one
   * service and behaves at the next cannot quickly ruin the first one's name. False where it did not count.
   */
  contradicted(member: string, suspect: string, at: number): boolean;
  /** Somebody turned out harmless, and these members had kept quiet. */
  quiet(members: readonly string[]): void;
  /** An officer's word. */
  ruled(member: string, alarm: boolean, attack: boolean, suspect: string, at: number): void;
  rates(member: string): Rates;
  /** Lower credible bound, or 0 for whom nobody should listen to. */
  trust(member: string, at: number): number;
  readonly correlation: Correlation;
  /** Operators that must alarm before anybody is blocked, given liars among them and the cost model. */
  quorum(stakes: Stakes): number;
  operators(): number;
  list(at: number): MemberStanding[];
}

export function createStandings(): Standings {
  let roster: readonly Member[] = [];
  let records = new Map<string, Book>();
  let verdicts = new Map<string, Map<string, Outcome>>();
  let correlation: Correlation | null = null;
  let quorumKept: { readonly stakes: Stakes; readonly needed: number } | null = null;

  const fresh = (): Book => ({
    counts: { detected: 0, missed: 0, falseAlarm: 0, quiet: 0 },
    seen: { positive: 0, negative: 0 },
    day: 0,
    outcomes: 0,
    lastHeard: null,
    contradictedAt: Number.NEGATIVE_INFINITY,
    trust: null,
  });

  const aged = ({ seen, day }: Book, today: number): Evidence =>
    today > day && day > 0 ? forget(seen, today - day) : seen;
  const age = (record: Book, at: number): void => {
    const today = Math.floor(at / TRUST_EPOCH_MS);
    if (today > record.day) {
      record.seen = aged(record, today);
      record.day = today;
      record.trust = null;
    }
  };
  const vouched = ({ positive, negative }: Evidence): Evidence => ({
    positive: positive + VOUCHED,
    negative,
  });

  const count = (record: Book, what: keyof Counts): void => {
    const counts = { ...record.counts, [what]: record.counts[what] + 1 };
    const sum = counts.detected + counts.missed + counts.falseAlarm + counts.quiet;
    const scale = sum > MOST_COUNTED ? 0.5 : 1;
    record.counts = {
      detected: counts.detected * scale,
      missed: counts.missed * scale,
      falseAlarm: counts.falseAlarm * scale,
      quiet: counts.quiet * scale,
    };
    quorumKept = null;
  };

  const learn = (record: Book, good: boolean, at: number, weight: number): void => {
    age(record, at);
    record.seen = addOutcome(record.seen, good, weight);
    record.trust = null;
    record.outcomes++;
  };

  // Errors in common betray copying. Alarms on the same attacker do not, so only the harmless are compared.
  const erred = (member: string, suspect: string): void => {
    for (const { id } of roster) {
      const own = verdicts.get(id) ?? new Map<string, Outcome>();
      verdicts.set(id, own);
      const alarm = id === member || own.get(suspect)?.alarm === true;
      own.delete(suspect);
      own.set(suspect, { alarm, attack: false });
      if (own.size > MOST_COMPARED) {
        own.delete(own.keys().next().value as string);
      }
    }
    correlation = null;
  };

  return {
    setRoster(members) {
      const kept = new Map<string, Book>();
      for (const member of members) {
        const before = roster.find(({ id }) => id === member.id);
        // Another key or operator under a known id is somebody else.
        const same =
          before !== undefined &&
          before.signingKey === member.signingKey &&
          before.operator === member.operator;
        kept.set(member.id, (same ? records.get(member.id) : undefined) ?? fresh());
        if (!same) {
          verdicts.delete(member.id);
        }
      }
      roster = [...members].sort((a, b) => (a.id < b.id ? -1 : 1));
      records = kept;
      verdicts = new Map([...verdicts].filter(([id]) => kept.has(id)));
      correlation = null;
      quorumKept = null;
    },
    heard(member, at) {
      const record = records.get(member);
      if (record !== undefined) {
        record.lastHeard = at;
      }
    },
    confirmed(member, at) {
      const record = records.get(member);
      if (record !== undefined) {
        count(record, "detected");
        learn(record, true, at, 1);
      }
    },
    contradicted(member, suspect, at) {
      const record = records.get(member);
      if (record === undefined || at - record.contradictedAt < CONTRADICTION_MS) {
        return false;
      }
      record.contradictedAt = at;
      count(record, "falseAlarm");
      learn(record, false, at, 1);
      erred(member, suspect);
      return true;
    },
    quiet(members) {
      for (const member of members) {
        const record = records.get(member);
        if (record !== undefined) {
          count(record, "quiet");
        }
      }
    },
    ruled(member, alarm, attack, suspect, at) {
      const record = records.get(member);
      if (record === undefined) {
        return;
      }
      count(record, attack ? (alarm ? "detected" : "missed") : alarm ? "falseAlarm" : "quiet");
      if (alarm) {
        learn(record, attack, at, RULING_WEIGHT);
        if (!attack) {
          erred(member, suspect);
        }
      }
    },
    rates: (member) => ratesOf((records.get(member) ?? fresh()).counts),
    trust(member, at) {
      const record = records.get(member);
      if (record === undefined) {
        return 0;
      }
      age(record, at);
      record.trust ??= lowerBound(vouched(record.seen));
      return record.trust < LEAST_TRUST ? 0 : record.trust;
    },
    get correlation() {
      correlation ??= measureCorrelations(verdicts);
      return correlation;
    },
    quorum(stakes) {
      if (quorumKept === null || quorumKept.stakes !== stakes) {
        const byOperator = new Map<string, Rates[]>();
        for (const { id, operator } of roster) {
          const rates = byOperator.get(operator) ?? [];
          rates.push(ratesOf((records.get(id) as Book).counts));
          byOperator.set(operator, rates);
        }
        const operators = byOperator.size;
        const liars = Math.max(0, Math.floor((operators - 1) / 3));
        const mean = (all: readonly Rates[], pick: (rates: Rates) => number) =>
          all.reduce((sum, one) => sum + pick(one), 0) / all.length;
        const worth = [...byOperator.values()].map((all) => ({
          detection: mean(all, ({ detection }) => detection),
          falseAlarm: mean(all, ({ falseAlarm }) => falseAlarm),
        }));
        // The cost model says how many of those to wait for whom it is worth asking, the best first. Whose alarms are
        // known to be worth much less is not counted on: they would raise the number for everybody.
        worth.sort((a, b) => logRatio(true, b) - logRatio(true, a));
        const best = worth[0] === undefined ? 0 : logRatio(true, worth[0]);
        const reliable = worth.filter((rates) => logRatio(true, rates) >= RELIABLE * best);
        const cheapest = operators === 0 ? 1 : howManyToAsk(reliable, stakes).needed;
        // Never more than the honest can give, or liars would hide an attacker by keeping quiet.
        const needed = Math.max(liars + 1, Math.min(2, operators), Math.min(cheapest, operators - liars));
        quorumKept = { stakes, needed };
      }
      return quorumKept.needed;
    },
    operators: () => new Set(roster.map(({ operator }) => operator)).size,
    list(at) {
      return roster.map((member) => {
        const record = records.get(member.id) as Book;
        // Without writing it down: who looks must not change what a replay, where nobody looks, would compute.
        const seen = vouched(aged(record, Math.floor(at / TRUST_EPOCH_MS)));
        return {
          member,
          ...ratesOf(record.counts),
          trust: lowerBound(seen),
          expectation: expectation(seen),
          outcomes: record.outcomes,
          lastHeard: record.lastHeard,
        };
      });
    },
  };
}
