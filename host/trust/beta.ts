import { MedcloudletError } from "../base/index.ts";
import { betaQuantile } from "./incomplete-beta.ts";

/**
 * What somebody has seen of somebody: r good and s bad outcomes, fractions allowed, both at least 0. It stands for the
 * distribution Beta(r + 1, s + 1): the prior is the uniform one, and it is added here, once, never stored.
 */
export interface Evidence {
  readonly positive: number;
  readonly negative: number;
}

/** Nothing seen. */
export const NO_EVIDENCE: Evidence = { positive: 0, negative: 0 };

/** The weight of the prior: W = 2, a uniform Beta(1, 1) (Jøsang and Ismail, 2002). */
const PRIOR_WEIGHT = 2;

/** What is left of good and of bad outcomes after one epoch. */
export interface Forgetting {
  /** In (0, 1]. */
  readonly positive: number;
  /** In (0, 1]. */
  readonly negative: number;
}

/**
 * Bad outcomes fade more slowly than good ones: with one factor for both, somebody who alternates between serving well
 * and badly is forgiven as fast as they misbehave. Measured in docs/TRUST.md.
 */
export const FORGETTING: Forgetting = { positive: 0.95, negative: 0.99 };

/** @throws MedcloudletError `TRUST_NUMBER_INVALID` unless both counts are finite and at least 0 */
export function evidence(positive: number, negative: number): Evidence {
  if (!(positive >= 0 && negative >= 0 && Number.isFinite(positive) && Number.isFinite(negative))) {
    throw invalid("evidence is two finite counts from 0");
  }
  return { positive, negative };
}

/** Evidence after one more outcome; `weight` 1 is one exchange. */
export function addOutcome(seen: Evidence, good: boolean, weight = 1): Evidence {
  return good
    ? { positive: seen.positive + weight, negative: seen.negative }
    : { positive: seen.positive, negative: seen.negative + weight };
}

/** Evidence of two independent sources together: the counts add. */
export function addEvidence(a: Evidence, b: Evidence): Evidence {
  return { positive: a.positive + b.positive, negative: a.negative + b.negative };
}

/**
 * Forgetting: r(t + n) = λ^n r(t), so that r is the sum of λ^age over all good outcomes (Jøsang and Ismail, "The Beta
 * Reputation System", 2002); here with a λ of their own for good and for bad outcomes.
 * @param epochs whole epochs that went by, at least 0
 * @throws MedcloudletError `TRUST_NUMBER_INVALID`
 */
export function forget(seen: Evidence, epochs: number, factors: Forgetting = FORGETTING): Evidence {
  const inRange = (factor: number) => factor > 0 && factor <= 1;
  if (!(epochs >= 0) || !inRange(factors.positive) || !inRange(factors.negative)) {
    throw invalid("epochs count from 0 and each factor lies in (0, 1]");
  }
  return {
    positive: seen.positive * factors.positive ** epochs,
    negative: seen.negative * factors.negative ** epochs,
  };
}

/** E = (r + 1) / (r + s + 2), the mean of Beta(r + 1, s + 1) (Jøsang and Ismail, 2002). */
export function expectation({ positive, negative }: Evidence): number {
  return (positive + 1) / (positive + negative + PRIOR_WEIGHT);
}

/** σ = sqrt(αβ / ((α + β)² (α + β + 1))) of Beta(α, β) with α = r + 1 and β = s + 1. */
export function standardDeviation({ positive, negative }: Evidence): number {
  const alpha = positive + 1;
  const beta = negative + 1;
  const sum = alpha + beta;
  return Math.sqrt((alpha * beta) / (sum * sum * (sum + 1)));
}

/** u = 2 / (r + s + 2): the part of an opinion that no evidence stands behind. 1 with none, 0.5 with two outcomes. */
export function uncertainty({ positive, negative }: Evidence): number {
  return PRIOR_WEIGHT / (positive + negative + PRIOR_WEIGHT);
}

/**
 * The lower credible bound: the x that the true rate of good outcomes exceeds with probability `credibility`, that is
 * the (1 - credibility) quantile of Beta(r + 1, s + 1). Little evidence gives a low bound, whatever its mean.
 * @param credibility in (0, 1)
 */
export function lowerBound(seen: Evidence, credibility = 0.95): number {
  return betaQuantile(1 - credibility, seen.positive + 1, seen.negative + 1);
}

/** A binomial opinion of subjective logic: b + d + u = 1, and the base rate a that stands in for u. */
export interface Opinion {
  readonly belief: number;
  readonly disbelief: number;
  readonly uncertainty: number;
  readonly baseRate: number;
}

/**
 * b = r / (r + s + 2), d = s / (r + s + 2), u = 2 / (r + s + 2) (Jøsang, "A Logic for Uncertain Probabilities", 2001).
 */
export function opinionOf({ positive, negative }: Evidence, baseRate = 0.5): Opinion {
  const sum = positive + negative + PRIOR_WEIGHT;
  return { belief: positive / sum, disbelief: negative / sum, uncertainty: PRIOR_WEIGHT / sum, baseRate };
}

/**
 * The inverse of {@link opinionOf}: r = 2b / u, s = 2d / u.
 * @throws MedcloudletError `TRUST_NUMBER_INVALID` for a dogmatic opinion (u = 0), which no finite evidence gives
 */
export function evidenceOf(opinion: Opinion): Evidence {
  if (!(opinion.uncertainty > 0)) {
    throw invalid("an opinion without uncertainty stands for infinite evidence");
  }
  return evidence(
    (PRIOR_WEIGHT * opinion.belief) / opinion.uncertainty,
    (PRIOR_WEIGHT * opinion.disbelief) / opinion.uncertainty,
  );
}

/** E = b + a u: the probability an opinion comes down to. */
export function projected({ belief, uncertainty: u, baseRate }: Opinion): number {
  return belief + baseRate * u;
}

/**
 * What A may think of C when B, of whom A thinks `adviser`, thinks `advice` of C. Uncertainty-favouring discounting
 * (Jøsang, 2001; Jøsang, Marsh and Pope, "Exploring Different Types of Trust Propagation", 2006):
 * b' = b_AB b_BC, d' = b_AB d_BC, u' = d_AB + u_AB + b_AB u_BC. A distrusted adviser is worth nothing, not the
 * opposite of what they say.
 */
export function discount(adviser: Opinion, advice: Opinion): Opinion {
  return {
    belief: adviser.belief * advice.belief,
    disbelief: adviser.belief * advice.disbelief,
    uncertainty: adviser.disbelief + adviser.uncertainty + adviser.belief * advice.uncertainty,
    baseRate: advice.baseRate,
  };
}

/**
 * Two independent opinions as one: cumulative fusion (Jøsang, "Subjective Logic", 2016, chapter 12). With
 * κ = u1 + u2 - u1 u2: b = (b1 u2 + b2 u1) / κ, d likewise, u = u1 u2 / κ. Two dogmatic opinions (u1 = u2 = 0) are
 * averaged, which is the limit for equally fast vanishing uncertainties. For opinions made of evidence it is the same
 * as adding the evidence.
 */
export function fuse(one: Opinion, two: Opinion): Opinion {
  const u1 = one.uncertainty;
  const u2 = two.uncertainty;
  if (u1 === 0 && u2 === 0) {
    return {
      belief: (one.belief + two.belief) / 2,
      disbelief: (one.disbelief + two.disbelief) / 2,
      uncertainty: 0,
      baseRate: (one.baseRate + two.baseRate) / 2,
    };
  }
  const kappa = u1 + u2 - u1 * u2;
  return {
    belief: (one.belief * u2 + two.belief * u1) / kappa,
    disbelief: (one.disbelief * u2 + two.disbelief * u1) / kappa,
    uncertainty: (u1 * u2) / kappa,
    baseRate: fusedBaseRate(one, two),
  };
}

/**
 * a = (a1 u2 (1 - u1) + a2 u1 (1 - u2)) / (u2 (1 - u1) + u1 (1 - u2)); the mean of both where neither knows anything.
 * It is the book's formula with its terms gathered: as written there, (a1 u2 + a2 u1 - (a1 + a2) u1 u2) loses every
 * digit for two opinions that know next to nothing.
 */
function fusedBaseRate(one: Opinion, two: Opinion): number {
  const weightOne = two.uncertainty * (1 - one.uncertainty);
  const weightTwo = one.uncertainty * (1 - two.uncertainty);
  const weight = weightOne + weightTwo;
  return weight === 0
    ? (one.baseRate + two.baseRate) / 2
    : (one.baseRate * weightOne + two.baseRate * weightTwo) / weight;
}

function invalid(why: string): MedcloudletError {
  return new MedcloudletError("TRUST_NUMBER_INVALID", `Trust cannot be computed: ${why}.`, { status: 400 });
}
