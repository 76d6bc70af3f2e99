import { type Evidence, expectation, lowerBound, uncertainty } from "./beta.ts";
import type { Overlap } from "./similarity.ts";
import {
  accuracy,
  CONFIDENCE_ENOUGH,
  combine,
  confidence,
  type Testimony,
  type WitnessRecord,
} from "./travos.ts";

/** Above this uncertainty nothing is shared, whatever the mean: fewer than two outcomes' worth of evidence. */
export const MOST_UNCERTAINTY = 0.5;
/** A witness believed less than this counts as discounted when a decision explains itself. */
const BELIEVED = 0.5;

/** Somebody who says what they have seen of the partner. */
export interface Witness {
  readonly claim: Evidence;
  /** How their earlier claims turned out for oneself. */
  readonly record: WitnessRecord;
  /** What the clinicians' chain of trust gives them, 0 to 1; absent where nothing is known. */
  readonly standing?: number;
}

/** What is known of a partner, and from whom. */
export interface Assessment {
  /** Own and adjusted evidence together, without the prior. */
  readonly evidence: Evidence;
  readonly expectation: number;
  /** Lower 95 % credible bound of the rate of good outcomes. */
  readonly bound: number;
  readonly uncertainty: number;
  /** Own exchanges, after forgetting. */
  readonly exchanges: number;
  /** Witnesses that were heard, and how many of them were believed less than half. */
  readonly witnesses: number;
  readonly discounted: number;
}

/**
 * One's own evidence together with what witnesses say, at what each is worth. Where one's own is confident enough (TRAVOS,
 * γ >= 0.95) the paper asks nobody any more, and one's own rate of good outcomes stands; here witnesses may then still
 * make it surer, and never better ({@link narrowed}). Without that, the good exchange with which one's own evidence
 * becomes confident would make the bound drop by as much as the witnesses had given, and close an open gate.
 */
export function assess(own: Evidence, witnesses: readonly Witness[]): Assessment {
  const heard: Testimony[] = witnesses.map(({ claim, record, standing }) => ({
    claim,
    accuracy: accuracy(record, claim, standing),
  }));
  const together = combine(own, heard);
  if (confidence(own) < CONFIDENCE_ENOUGH) {
    return assessmentOf(own, together, heard);
  }
  const surer = narrowed(own, together);
  return lowerBound(surer) > lowerBound(own) ? assessmentOf(own, surer, heard) : assessmentOf(own, own, []);
}

/**
 * As much evidence as all have together, at one's own rate of good outcomes or the common one, whichever is worse: somebody
 * who serves others well and oneself badly gains nothing by the others' praise.
 */
function narrowed(own: Evidence, together: Evidence): Evidence {
  const rate = Math.min(rateOf(own), rateOf(together));
  const sum = together.positive + together.negative;
  return { positive: sum * rate, negative: sum * (1 - rate) };
}

function rateOf({ positive, negative }: Evidence): number {
  const sum = positive + negative;
  return sum === 0 ? 0 : positive / sum;
}

function assessmentOf(own: Evidence, seen: Evidence, heard: readonly Testimony[]): Assessment {
  return {
    evidence: seen,
    expectation: expectation(seen),
    bound: lowerBound(seen),
    uncertainty: uncertainty(seen),
    exchanges: own.positive + own.negative,
    witnesses: heard.length,
    discounted: heard.filter((testimony) => testimony.accuracy < BELIEVED).length,
  };
}

/** Why a share is or is not made; the first that applies, in this order. */
export type GateReason =
  | "CREDENTIAL_MISSING"
  | "NOT_SIMILAR"
  | "TOO_UNCERTAIN"
  | "BELOW_THRESHOLD"
  | "CONSENT_MISSING"
  | "SHARE";

export interface GateInput {
  /** The partner holds a valid credential of this community. */
  readonly credential: boolean;
  readonly overlap: Overlap;
  /** Least Jaccard index, 0 to 1, that makes somebody a candidate. */
  readonly leastSimilarity: number;
  readonly assessment: Assessment;
  /** The patient's own threshold for the lower credible bound, 0 to 1. */
  readonly threshold: number;
  readonly consents: { readonly mine: boolean; readonly theirs: boolean };
}

/** A decision as its owner sees it. It is about one partner and goes to nobody else. */
export interface Decision {
  readonly share: boolean;
  readonly reason: GateReason;
  /** Every number that the decision rests on. */
  readonly similarity: number;
  readonly leastSimilarity: number;
  readonly bound: number;
  readonly threshold: number;
  readonly uncertainty: number;
  readonly exchanges: number;
  readonly witnesses: number;
  readonly discounted: number;
  /** The same in words, such as "Not shared: trust is 0.61 of 0.70 needed: 4 exchanges, 9 witnesses (2 discounted)." */
  readonly text: string;
}

/**
 * The gate. Similarity picks candidates and opens nothing: a condition is easily claimed. Trust opens it, by its lower
 * credible bound and never with u > 0.5; and then only if both want it.
 */
export function decide(input: GateInput): Decision {
  const { overlap, leastSimilarity, assessment, threshold } = input;
  const reason = reasonOf(input);
  const numbers = {
    similarity: overlap.jaccard,
    leastSimilarity,
    bound: assessment.bound,
    threshold,
    uncertainty: assessment.uncertainty,
    exchanges: assessment.exchanges,
    witnesses: assessment.witnesses,
    discounted: assessment.discounted,
  };
  return { share: reason === "SHARE", reason, ...numbers, text: explain(reason, numbers, input.consents) };
}

function reasonOf({
  credential,
  overlap,
  leastSimilarity,
  assessment,
  threshold,
  consents,
}: GateInput): GateReason {
  if (!credential) {
    return "CREDENTIAL_MISSING";
  }
  if (!(overlap.jaccard >= leastSimilarity)) {
    return "NOT_SIMILAR";
  }
  if (!(assessment.uncertainty <= MOST_UNCERTAINTY)) {
    return "TOO_UNCERTAIN";
  }
  if (!(assessment.bound >= threshold)) {
    return "BELOW_THRESHOLD";
  }
  return consents.mine && consents.theirs ? "SHARE" : "CONSENT_MISSING";
}

type Numbers = Omit<Decision, "share" | "reason" | "text">;

function explain(reason: GateReason, numbers: Numbers, consents: GateInput["consents"]): string {
  const basis = `${basisOf(numbers)}.`;
  const trust = ofNeeded(numbers.bound, numbers.threshold);
  switch (reason) {
    case "CREDENTIAL_MISSING":
      return "Not shared: the partner shows no valid credential of this community.";
    case "NOT_SIMILAR":
      return `Not shared: similarity is ${ofNeeded(numbers.similarity, numbers.leastSimilarity)}.`;
    case "TOO_UNCERTAIN":
      return `Not shared: too little is known, uncertainty is ${numbers.uncertainty.toFixed(2)} and 0.50 is the most: ${basis}`;
    case "BELOW_THRESHOLD":
      return `Not shared: trust is ${trust}: ${basis}`;
    case "CONSENT_MISSING":
      return `Not shared yet: trust is ${trust}, and ${consents.mine ? "the partner has" : "you have"} not agreed: ${basis}`;
    case "SHARE":
      return `Shared: trust is ${trust}: ${basis}`;
  }
}

/** Two digits each; where the value falls short, rounded apart, so that nobody reads "0.70 of 0.70 needed". */
function ofNeeded(value: number, needed: number): string {
  if (value >= needed) {
    return `${value.toFixed(2)} of ${needed.toFixed(2)} needed`;
  }
  // A hair less than the product, which for 0.07 comes out above 7.
  const most = Math.ceil(needed * 100 - 1e-9);
  return `${(Math.floor(value * 100) / 100).toFixed(2)} of ${(most / 100).toFixed(2)} needed`;
}

function basisOf({ exchanges, witnesses, discounted }: Numbers): string {
  const own = `${counted(Math.round(exchanges), "exchange")} of your own`;
  if (witnesses === 0) {
    return `${own}, no witnesses asked`;
  }
  return `${own}, ${counted(witnesses, "witness", "witnesses")} (${discounted} discounted)`;
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
