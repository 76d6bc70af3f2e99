import { z } from "zod";
import type { Clock } from "../../base/index.ts";
import { idSchema } from "../../sealing/index.ts";
import {
  type Assessment,
  addEvidence,
  addOutcome,
  assess,
  type Decision,
  decide,
  type Evidence,
  forget,
  NO_EVIDENCE,
  NO_RECORD,
  type Overlap,
  recordOutcome,
  trustEpoch,
  type Witness,
  type WitnessRecord,
} from "../../trust/index.ts";

const countSchema = z.number().nonnegative();
const unitSchema = z.number().min(0).max(1);
const evidenceSchema = z.strictObject({ positive: countSchema, negative: countSchema });
const timeSchema = z.number().int().nonnegative();

const RATING = z.strictObject({
  exchange: idSchema,
  epoch: z.number().int().nonnegative(),
  rater: idSchema,
  target: idSchema,
  good: z.boolean(),
});
/** Somebody's word on an exchange, its statement and receipt checked by whoever enters it here. */
export type BookRating = z.infer<typeof RATING>;

const DECISION = z.strictObject({
  number: z.number().int().positive(),
  at: timeSchema,
  partner: idSchema,
  /** What made it be taken: a question to be sent, a new rating, a withdrawn agreement … */
  occasion: z.string(),
  share: z.boolean(),
  reason: z.enum([
    "CREDENTIAL_MISSING",
    "NOT_SIMILAR",
    "TOO_UNCERTAIN",
    "BELOW_THRESHOLD",
    "CONSENT_MISSING",
    "SHARE",
  ]),
  similarity: z.number(),
  leastSimilarity: z.number(),
  bound: z.number(),
  threshold: z.number(),
  uncertainty: z.number(),
  exchanges: z.number(),
  witnesses: z.number(),
  discounted: z.number(),
  text: z.string(),
});
/** A decision as it is kept: about one partner, for its owner alone. */
export type KeptDecision = z.infer<typeof DECISION>;

/** All that a member knows of partners; kept locked in the member's folder. */
export const TRUST_BOOK = z.strictObject({
  threshold: unitSchema,
  leastSimilarity: unitSchema,
  /** Own ratings and those of witnesses, oldest first. */
  ratings: z.array(RATING),
  /** By pseudonym of the witness: how things turned out after such claims (TRAVOS). */
  records: z.record(idSchema, z.array(evidenceSchema).length(5)),
  /** By pseudonym: what the clinicians' chain of trust gives them. */
  standings: z.record(idSchema, unitSchema),
  /** By pseudonym: how much of one's conditions somebody shares, from a run of one's own. */
  overlaps: z.record(
    idSchema,
    z.strictObject({
      common: countSchema,
      mine: countSchema,
      theirs: countSchema,
      jaccard: unitSchema,
      at: timeSchema,
    }),
  ),
  decisions: z.array(DECISION),
});
export type TrustBookState = z.infer<typeof TRUST_BOOK>;

/** As the simulation's patients: a lower credible bound of 0.70; a tenth of the conditions of both in common. */
const DEFAULT_THRESHOLD = 0.7;
const DEFAULT_LEAST_SIMILARITY = 0.1;
/** The newest decisions are kept: enough to look back years, and a bound for the folder. */
const MOST_DECISIONS = 2_000;

export function emptyTrustBook(): TrustBookState {
  return {
    threshold: DEFAULT_THRESHOLD,
    leastSimilarity: DEFAULT_LEAST_SIMILARITY,
    ratings: [],
    records: {},
    standings: {},
    overlaps: {},
    decisions: [],
  };
}

/** What a decision needs that does not lie in the book. */
export interface GateCircumstances {
  readonly credential: boolean;
  readonly consents: { readonly mine: boolean; readonly theirs: boolean };
}

/** One's own view of everybody, and what follows from it. */
export interface TrustBook {
  /** To be kept after every change. */
  readonly state: TrustBookState;
  setThreshold(threshold: number): void;
  setLeastSimilarity(least: number): void;
  /**
   * Enters one's own word on an exchange; what witnesses had claimed of that partner before is held against it first.
   * There is one voice for a pair and epoch, and for oneself the worst of an epoch counts: whoever was good once in a week
   * shall not have the rest of it free.
   */
  rate(rating: BookRating): void;
  /** True where one's voice about somebody in an epoch was given. */
  hasSpoken(target: string, epoch: number): boolean;
  /** True where this rater's word on this exchange is in the book. */
  knows(rater: string, exchange: string): boolean;
  /** Enters a witness's word. A word on record stays, whatever the relay shows later. Gives whether it was new. */
  hear(rating: BookRating): boolean;
  setStanding(pseudonym: string, standing: number): void;
  setOverlap(pseudonym: string, overlap: Overlap): void;
  overlapWith(pseudonym: string): Overlap | null;
  assess(partner: string): Assessment;
  /**
   * Decides, without keeping it.
   * @param fadedTo ms; the evidence as it would be had nothing faded since then, and with all that was said since.
   *   Absent: now
   */
  weigh(partner: string, circumstances: GateCircumstances, fadedTo?: number): Decision;
  /** Decides and keeps the decision, unless it is word for word the last one about this partner on that occasion. */
  decide(partner: string, circumstances: GateCircumstances, occasion: string): Decision;
  /** Newest first; of one partner or of all. */
  decisions(partner?: string): KeptDecision[];
}

/** @param own pseudonym of the book's owner */
export function createTrustBook(options: {
  readonly own: string;
  readonly state: TrustBookState;
  readonly clock: Clock;
}): TrustBook {
  const { own, clock } = options;
  const state = structuredClone(options.state);
  const NOT_COMPARED: Overlap = { common: 0, mine: 0, theirs: 0, jaccard: 0 };

  /** Both things that a voice uses up. */
  const voicesOf = ({ exchange, epoch, rater, target }: BookRating) => [
    `${rater} on ${exchange}`,
    `${rater} of ${target} in ${epoch}`,
  ];
  const voices = new Set(state.ratings.flatMap(voicesOf));
  const known = (rating: BookRating): boolean => voicesOf(rating).some((voice) => voices.has(voice));
  const enter = (rating: BookRating): void => {
    const parsed = RATING.parse(rating);
    state.ratings.push(parsed);
    for (const voice of voicesOf(parsed)) {
      voices.add(voice);
    }
  };

  const ownWord = (target: string, epoch: number): BookRating | null =>
    state.ratings.find((there) => there.rater === own && there.target === target && there.epoch === epoch) ??
    null;

  const recordOf = (witness: string): WitnessRecord => state.records[witness] ?? NO_RECORD;

  /** What everybody but oneself said of somebody before an epoch, as it was said: nothing faded. */
  const claimsBefore = (target: string, epoch: number): Map<string, Evidence> => {
    const claims = new Map<string, Evidence>();
    for (const rating of state.ratings) {
      if (rating.target === target && rating.rater !== own && rating.epoch < epoch) {
        claims.set(rating.rater, addOutcome(claims.get(rating.rater) ?? NO_EVIDENCE, rating.good));
      }
    }
    return claims;
  };

  /** What each rater says of somebody, faded to a moment; what was said after it counts whole. */
  const claimsAt = (target: string, at: number): Map<string, Evidence> => {
    const now = trustEpoch(at);
    const claims = new Map<string, Evidence>();
    for (const { rater, target: about, good, epoch } of state.ratings) {
      if (about === target) {
        const one = forget(addOutcome(NO_EVIDENCE, good), Math.max(0, now - epoch));
        claims.set(rater, addEvidence(claims.get(rater) ?? NO_EVIDENCE, one));
      }
    }
    return claims;
  };

  const assessPartner = (partner: string, at = clock.now()): Assessment => {
    const claims = claimsAt(partner, at);
    const witnesses: Witness[] = [];
    for (const [rater, claim] of claims) {
      if (rater !== own) {
        const standing = state.standings[rater];
        witnesses.push({
          claim,
          record: recordOf(rater),
          ...(standing === undefined ? {} : { standing }),
        });
      }
    }
    return assess(claims.get(own) ?? NO_EVIDENCE, witnesses);
  };

  const weigh: TrustBook["weigh"] = (partner, { credential, consents }, fadedTo) =>
    decide({
      credential,
      overlap: state.overlaps[partner] ?? NOT_COMPARED,
      leastSimilarity: state.leastSimilarity,
      assessment: assessPartner(partner, fadedTo),
      threshold: state.threshold,
      consents,
    });

  return {
    state,
    setThreshold(threshold) {
      state.threshold = unitSchema.parse(threshold);
    },
    setLeastSimilarity(least) {
      state.leastSimilarity = unitSchema.parse(least);
    },
    rate(rating) {
      const there = ownWord(rating.target, rating.epoch);
      const changes = there === null ? !known(rating) : there.good && !rating.good;
      if (rating.rater !== own || !changes) {
        return;
      }
      for (const [witness, claim] of claimsBefore(rating.target, rating.epoch)) {
        state.records[witness] = recordOutcome(recordOf(witness), claim, rating.good).map((cell) => ({
          ...cell,
        }));
      }
      if (there === null) {
        enter(rating);
      } else {
        there.good = false;
      }
    },
    hasSpoken: (target, epoch) => ownWord(target, epoch) !== null,
    knows: (rater, exchange) => voices.has(`${rater} on ${exchange}`),
    hear(rating) {
      if (rating.rater === own || rating.rater === rating.target || known(rating)) {
        return false;
      }
      enter(rating);
      return true;
    },
    setStanding(pseudonym, standing) {
      state.standings[pseudonym] = unitSchema.parse(standing);
    },
    setOverlap(pseudonym, overlap) {
      state.overlaps[pseudonym] = { ...overlap, at: clock.now() };
    },
    overlapWith: (pseudonym) => state.overlaps[pseudonym] ?? null,
    assess: (partner) => assessPartner(partner),
    weigh,
    decide(partner, circumstances, occasion) {
      const decision = weigh(partner, circumstances);
      const last = state.decisions.findLast((kept) => kept.partner === partner);
      if (last?.text !== decision.text || last.occasion !== occasion) {
        state.decisions.push({
          number: (state.decisions.at(-1)?.number ?? 0) + 1,
          at: clock.now(),
          partner,
          occasion,
          ...decision,
        });
        state.decisions.splice(0, state.decisions.length - MOST_DECISIONS);
      }
      return decision;
    },
    decisions: (partner) =>
      state.decisions.filter((kept) => partner === undefined || kept.partner === partner).reverse(),
  };
}
