import {
  addEvidence,
  addOutcome,
  type Evidence,
  expectation,
  NO_EVIDENCE,
  standardDeviation,
} from "./beta.ts";
import { incompleteBeta } from "./incomplete-beta.ts";

// TRAVOS: Teacy, Patel, Jennings and Luck, "TRAVOS: Trust and reputation in the context of inaccurate information
// sources", Autonomous Agents and Multi-Agent Systems 12(2), 2006, doi 10.1007/s10458-006-5952-x.

/** Half the width of the interval that {@link confidence} asks about. */
const CONFIDENCE_ERROR = 0.2;
/** With this much confidence in what one has seen oneself, nobody else is asked. */
export const CONFIDENCE_ENOUGH = 0.95;
/** What witnesses claim is sorted into at most this many intervals of equal width. */
const MOST_INTERVALS = 3;
/** σ of the uniform distribution on [0, 1], 1/sqrt(12) = 0.288675…: what a claim worth nothing comes down to. */
const UNIFORM_DEVIATION = Math.sqrt(1 / 12);

/**
 * γ = I_{E+ε}(α, β) - I_{E-ε}(α, β): the probability that the true rate lies within ε of its expectation E, with
 * α = r + 1 and β = s + 1.
 */
export function confidence(seen: Evidence, error = CONFIDENCE_ERROR): number {
  const mean = expectation(seen);
  const alpha = seen.positive + 1;
  const beta = seen.negative + 1;
  return incompleteBeta(mean + error, alpha, beta) - incompleteBeta(mean - error, alpha, beta);
}

/**
 * How things turned out when a witness had claimed something before, one count for each interval of claims: after a
 * claim of "good, twice" it was good 3 times and bad 9 times, and so on. See {@link claimInterval}.
 */
export type WitnessRecord = readonly Evidence[];

/** A witness nobody has checked yet: two cells for claims of one exchange, three for those of more. */
export const NO_RECORD: WitnessRecord = Array.from({ length: 5 }, () => NO_EVIDENCE);

/** Where a claim lies: among how many equal intervals of [0, 1], in which, and where its count is kept. */
export interface ClaimInterval {
  readonly low: number;
  readonly high: number;
  readonly cell: number;
}

/**
 * The interval of rates that a claim stands for. The paper sorts claims into five equal intervals by their mean
 * (r + 1) / (r + s + 2), for witnesses who have seen a lot. Here most claims rest on one or two exchanges: their mean is
 * pulled to one half, and an honest "it was good, once" would be called wrong because the true rate is 0.9 and not
 * within [0.6, 0.8). n outcomes can tell n + 1 rates apart, so a claim is sorted by its mode r / (r + s) into
 * min(3, n + 1) intervals: good or bad after one exchange; good, mixed or bad after more. Five would leave each interval
 * with too few checks to believe anybody (measured in docs/TRUST.md). n is rounded, since evidence fades.
 */
export function claimInterval(claim: Evidence): ClaimInterval {
  const sum = claim.positive + claim.negative;
  const count = Math.min(MOST_INTERVALS, Math.max(1, Math.round(sum)) + 1);
  const mode = sum === 0 ? 0.5 : claim.positive / sum;
  const index = Math.min(count - 1, Math.floor(mode * count));
  return { low: index / count, high: (index + 1) / count, cell: count === 2 ? index : 2 + index };
}

/** The record after the witness had made `claim` about somebody and an exchange with them then went well or badly. */
export function recordOutcome(record: WitnessRecord, claim: Evidence, good: boolean): WitnessRecord {
  const { cell } = claimInterval(claim);
  const next = record.slice();
  next[cell] = addOutcome(record[cell] as Evidence, good);
  return next;
}

/**
 * ρ: how far to believe a witness. The paper takes the probability that the true rate lies in the interval that the
 * witness claims, judged by how things turned out after such claims: p = I_hi(α, β) - I_lo(α, β) with α, β of the record
 * of that interval. A witness nobody has checked gets the interval's width w by that, and one half is a lot for a
 * stranger. Here counts what exceeds chance: ρ = max(0, (p - w) / (1 - w)). An unknown witness is worth nothing, and
 * so is one who is wrong more often than chance would be.
 *
 * @param standing what others think of a witness whom one has not checked oneself, 0 to 1 (see `standingOf` in
 *   eigentrust.ts). It counts for as much as is uncertain in one's own record: ρ = (1 - u) ρ_own + u standing, with
 *   u = 2 / (n + 2) after n checked claims. Absent: 0.
 */
export function accuracy(record: WitnessRecord, claim: Evidence, standing = 0): number {
  const { low, high, cell } = claimInterval(claim);
  const { positive, negative } = record[cell] as Evidence;
  const probability =
    incompleteBeta(high, positive + 1, negative + 1) - incompleteBeta(low, positive + 1, negative + 1);
  const width = high - low;
  const own = Math.max(0, (probability - width) / (1 - width));
  const unknown = 2 / (positive + negative + 2);
  return (1 - unknown) * own + unknown * standing;
}

/**
 * A claim at what it is worth: mean and deviation are pulled to those of the uniform distribution,
 * E' = 0.5 + ρ(E - 0.5), σ' = σ_uniform + ρ(σ - σ_uniform), and turned back into a Beta distribution,
 * α' = (E'² - E'³) / σ'² - E', β' = ((1 - E')² - (1 - E')³) / σ'² - (1 - E').
 * Returned is the evidence in it, (α' - 1, β' - 1): the prior stays out, so that adding many claims adds no prior.
 */
export function adjusted(claim: Evidence, accurate: number): Evidence {
  const mean = 0.5 + accurate * (expectation(claim) - 0.5);
  const deviation = UNIFORM_DEVIATION + accurate * (standardDeviation(claim) - UNIFORM_DEVIATION);
  const variance = deviation * deviation;
  const alpha = (mean ** 2 * (1 - mean)) / variance - mean;
  const beta = ((1 - mean) ** 2 * mean) / variance - (1 - mean);
  return { positive: Math.max(0, alpha - 1), negative: Math.max(0, beta - 1) };
}

/** What a witness says of somebody, and how far to believe it. */
export interface Testimony {
  readonly claim: Evidence;
  /** ρ, from {@link accuracy}. */
  readonly accuracy: number;
}

/**
 * One's own evidence and everybody's adjusted claims as one: r = r_own + Σ(α' - 1), s = s_own + Σ(β' - 1). The one
 * uniform prior comes in where the sum is read (`expectation`, `lowerBound`). Adding α' and β' as they are, as a known
 * implementation does, adds a prior for each witness: a crowd that knows nothing would look like certainty of one half.
 */
export function combine(own: Evidence, testimonies: readonly Testimony[]): Evidence {
  let sum = own;
  for (const testimony of testimonies) {
    sum = addEvidence(sum, adjusted(testimony.claim, testimony.accuracy));
  }
  return sum;
}
