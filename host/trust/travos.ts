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
export const CONFIDENCE_ERROR = 0.2;
/** With this much confidence in what one has seen oneself, nobody else is asked. */
export const CONFIDENCE_ENOUGH = 0.95;
/** What witnesses claim is sorted into this many intervals of equal width. */
export const CLAIM_BINS = 5;
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
 * claim of "nearly always good" it was good 3 times and bad 9 times, and so on.
 */
export type WitnessRecord = readonly Evidence[];

/** A witness nobody has checked yet. */
export const NO_RECORD: WitnessRecord = Array.from({ length: CLAIM_BINS }, () => NO_EVIDENCE);

/**
 * The interval a claim falls into, 0 to 4: by its mode r / (r + s). The paper takes the mean (r + 1) / (r + s + 2), for
 * witnesses who have seen a lot. Here most claims rest on one or two exchanges, whose mean is pulled to one half: a
 * truthful "it was good" (mean 0.67) would be held against a truth of 0.95 and every honest witness be disbelieved.
 * A claim without evidence falls into the middle.
 */
export function claimBin(claim: Evidence): number {
  const sum = claim.positive + claim.negative;
  const mode = sum === 0 ? 0.5 : claim.positive / sum;
  return Math.min(CLAIM_BINS - 1, Math.floor(mode * CLAIM_BINS));
}

/** The record after the witness had made `claim` about somebody and an exchange with them then went well or badly. */
export function recordOutcome(record: WitnessRecord, claim: Evidence, good: boolean): WitnessRecord {
  const bin = claimBin(claim);
  return record.map((seen, i) => (i === bin ? addOutcome(seen, good) : seen));
}

/**
 * ρ: the probability that the true rate lies in the interval that the witness claims, judged by how things turned out
 * after such claims: I_hi(α, β) - I_lo(α, β) with α, β of the record of that interval. 0.2 for an unknown witness.
 *
 * @param standing what others think of a witness whom one has not checked oneself, 0 to 1 (see `standingOf` in
 *   eigentrust.ts). It counts for as much as is uncertain in one's own record: ρ = (1 - u) ρ_own + u standing, with
 *   u = 2 / (n + 2) after n checked claims. Absent: the paper's rule alone.
 */
export function accuracy(record: WitnessRecord, claim: Evidence, standing?: number): number {
  const bin = claimBin(claim);
  const { positive, negative } = record[bin] as Evidence;
  const own =
    incompleteBeta((bin + 1) / CLAIM_BINS, positive + 1, negative + 1) -
    incompleteBeta(bin / CLAIM_BINS, positive + 1, negative + 1);
  if (standing === undefined) {
    return own;
  }
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
