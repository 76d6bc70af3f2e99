export {
  ATTESTED_LIST_BYTES,
  ATTESTED_SEED_BYTES,
  ATTESTED_SET,
  type AttestedAsker,
  type AttestedSet,
  answerAttested,
  askAttested,
  blindSet,
  verifyAttestedSet,
} from "./attested-set.ts";
export {
  addEvidence,
  addOutcome,
  discount,
  type Evidence,
  evidence,
  evidenceOf,
  expectation,
  FORGETTING,
  type Forgetting,
  forget,
  fuse,
  lowerBound,
  NO_EVIDENCE,
  type Opinion,
  opinionOf,
  projected,
  standardDeviation,
  uncertainty,
} from "./beta.ts";
export { createEigenTrust, type EigenTrust, type EigenTrustOptions, standingOf } from "./eigentrust.ts";
export { createEnrolments, credentialsOf, type Enrolment, type Enrolments } from "./enrolments.ts";
export {
  type Assessment,
  assess,
  type Decision,
  decide,
  type GateInput,
  type GateReason,
  MOST_UNCERTAINTY,
  type Witness,
} from "./gate.ts";
export type { RatingColumns } from "./rating-rows.ts";
export {
  createRatings,
  type RatedPair,
  type RatingInput,
  type RatingRecord,
  type Ratings,
  type RatingsOptions,
} from "./ratings.ts";
export {
  CREDENTIAL,
  type Credential,
  FEEDBACK,
  type Feedback,
  RECEIPT,
  type Receipt,
  type SignedReceipt,
  TRUST_EPOCH_MS,
  trustEpoch,
  verifyCredential,
  verifyFeedback,
  verifyReceipt,
} from "./receipts.ts";
export {
  answerSimilarity,
  askSimilarity,
  confirmedCode,
  type Overlap,
  SIMILARITY_SEED_BYTES,
  type SimilarityAnswerer,
  type SimilarityAsker,
} from "./similarity.ts";
export { createSimilarityBudget, type SimilarityBudget } from "./similarity-budget.ts";
export { type MessageName, messageBytes, readMessage } from "./similarity-messages.ts";
export { type ChartOptions, chartTrust } from "./simulation/chart.ts";
export type { Estimate } from "./simulation/measure.ts";
export {
  ABLATIONS,
  MODELS,
  type SimulationOptions,
  type SimulationRow,
  simulateTrust,
} from "./simulation/run.ts";
export { ATTACKS, type Attack } from "./simulation/world.ts";
export {
  accuracy,
  adjusted,
  claimInterval,
  combine,
  confidence,
  NO_RECORD,
  recordOutcome,
  type Testimony,
  type WitnessRecord,
} from "./travos.ts";
