import type { Rates, Stakes } from "./consult.ts";

/** What one member says about one suspect. */
export interface Vote {
  readonly member: string;
  /** Who runs the member; several members of one operator are one voice. */
  readonly operator: string;
  readonly alarm: boolean;
  /** As measured, see `createRateBook`. */
  readonly rates: Rates;
  /** 0 (does not count) to 1. */
  readonly trust: number;
}

/** One operator's share of a decision. */
export interface Voice {
  readonly operator: string;
  readonly members: readonly string[];
  readonly alarm: boolean;
  /** Log-likelihood ratio after trust and correlation. */
  readonly weight: number;
  /** True where the voice was left out as one of the most extreme. */
  readonly trimmed: boolean;
}

export interface Fused {
  readonly block: boolean;
  /** Natural logarithm of the likelihood ratio, and what it must reach. */
  readonly logRatio: number;
  readonly threshold: number;
  /** Distinct operators that alarm, and how many must. */
  readonly alarms: number;
  readonly quorum: number;
  /** Liars that the decision stands. */
  readonly tolerates: number;
  readonly voices: readonly Voice[];
}

/** Rates are kept away from 0 and 1: nobody is measured to be infallible. */
const LEAST_RATE = 0.001;
const MOST_WEIGHT = 6;

function bounded(rate: number): number {
  return Math.min(1 - LEAST_RATE, Math.max(LEAST_RATE, rate));
}

/** What an alarm or a silence is worth: the logarithm of its likelihood ratio (Chair and Varshney, IEEE TAES 22(1), 1986). */
export function logRatio(alarm: boolean, rates: Rates): number {
  const detection = bounded(rates.detection);
  const falseAlarm = bounded(rates.falseAlarm);
  const ratio = alarm ? Math.log(detection / falseAlarm) : Math.log((1 - detection) / (1 - falseAlarm));
  // A member whose alarm speaks for innocence is no detector; it is not listened to rather than read backwards, which
  // would let a liar choose the sign.
  const sensible = alarm ? Math.max(0, ratio) : Math.min(0, ratio);
  return Math.max(-MOST_WEIGHT, Math.min(MOST_WEIGHT, sensible));
}

/** Correlation of two members' verdicts, -1 to 1. */
export type Correlation = (one: string, other: string) => number;

const INDEPENDENT: Correlation = () => 0;

/**
 * Decides on one suspect from the members' votes. Deterministic: the order of the votes does not matter.
 *
 * Chair and Varshney's rule, optimal for independent members, with four guards. (1) Correlation: a voice counts
 * 1 / (1 + sum of its positive correlations with the others), the design effect of Kish. (2) Members of one operator
 * are one voice, their mean. (3) Liars: of m voices the b = floor((m - 1) / 3) most alarming and the b least alarming
 * are left out and the rest is scaled back to m, so that b liars can move the sum no further than honest voices already
 * go. (4) A quorum of operators, at least b + 1 and at least two where there are two, must alarm.
 */
export function fuseVotes(
  votes: readonly Vote[],
  stakes: Pick<Stakes, "prior" | "missCost">,
  options: { readonly correlation?: Correlation; readonly quorum?: number } = {},
): Fused {
  const correlation = options.correlation ?? INDEPENDENT;
  const operators = new Map<string, Vote[]>();
  for (const vote of votes) {
    operators.set(vote.operator, [...(operators.get(vote.operator) ?? []), vote]);
  }
  const voices = [...operators].map(([operator, own]) => {
    const weights = own.map((vote) => {
      if (vote.trust <= 0) {
        return 0;
      }
      // Who is not listened to repeats nothing.
      const others = votes.filter((other) => other.operator !== operator && other.trust > 0);
      const shared = others.reduce(
        (sum, other) => sum + Math.max(0, correlation(vote.member, other.member)),
        0,
      );
      return (logRatio(vote.alarm, vote.rates) * Math.min(1, vote.trust)) / (1 + shared);
    });
    const weight = weights.reduce((sum, one) => sum + one, 0) / weights.length;
    // An operator alarms where its members' alarms outweigh their silence.
    return { operator, members: own.map(({ member }) => member).sort(), alarm: weight > 0, weight };
  });
  voices.sort((a, b) => a.weight - b.weight || (a.operator < b.operator ? -1 : 1));
  const tolerates = Math.max(0, Math.floor((voices.length - 1) / 3));
  const kept = voices.slice(tolerates, voices.length - tolerates);
  const sum =
    kept.reduce((total, { weight }) => total + weight, 0) *
    (kept.length === 0 ? 0 : voices.length / kept.length);
  const threshold = Math.log((1 - stakes.prior) / (stakes.missCost * stakes.prior));
  const alarms = voices.filter(({ alarm }) => alarm).length;
  const quorum = options.quorum ?? Math.max(Math.min(2, voices.length), tolerates + 1);
  return {
    block: voices.length > 0 && alarms >= quorum && sum >= threshold,
    logRatio: sum,
    threshold,
    alarms,
    quorum,
    tolerates,
    voices: voices.map((voice, i) => ({
      ...voice,
      trimmed: i < tolerates || i >= voices.length - tolerates,
    })),
  };
}

/** Odds as a logarithm, bounded so that one member's certainty cannot outvote everybody. */
const MOST_LOG_ODDS = 12;

function logOdds(score: number): number {
  const inside = Math.min(1 - 1e-9, Math.max(1e-9, score));
  return Math.max(-MOST_LOG_ODDS, Math.min(MOST_LOG_ODDS, Math.log(inside / (1 - inside))));
}

/**
 * Several members' scores of one request as one: the mean of their log-odds weighted by trust (a logarithmic opinion
 * pool; Genest and Zidek, Statistical Science 1(1), 1986). A mean rather than a sum, as members who learned from the
 * same kind of traffic do not err independently.
 */
export function fuseScores(scores: readonly number[], weights?: readonly number[]): number {
  let sum = 0;
  let total = 0;
  for (const [i, score] of scores.entries()) {
    const weight = weights?.[i] ?? 1;
    sum += weight * logOdds(score);
    total += weight;
  }
  return total <= 0 ? 0 : 1 / (1 + Math.exp(-sum / total));
}
