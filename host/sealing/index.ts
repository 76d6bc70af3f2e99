export {
  AUDIT_HEAD,
  AUDIT_KEY,
  type AuditHead,
  type AuditKey,
  auditKeysFrom,
  readAuditHead,
  type SignedHead,
} from "./audit-head.ts";
export {
  type BatchHeader,
  batchDigest,
  MAX_BATCH_BYTES,
  openBatch,
  PRIORITY,
  type Priority,
  parseBatch,
  type SealedBatch,
  sealBatch,
  verifyBatch,
} from "./batch.ts";
export { QUANTITIES, type Quantity, type QuantityCodes } from "./codes.ts";
export {
  APPROVAL_LIFETIME_MS,
  EMERGENCY_APPROVAL,
  EMERGENCY_EPOCHS_MOST,
  EMERGENCY_MINUTES,
  EMERGENCY_REQUEST,
  EMERGENCY_SHARE,
  type EmergencyApproval,
  type EmergencyRequest,
  type EmergencyShare,
  type HandedShareBinding,
  handOnShare,
  joinShares,
  openEmergencyShare,
  openHandedShare,
  sealEmergencyShares,
  TRUSTEES_LEAST,
  TRUSTEES_MOST,
} from "./emergency.ts";
export {
  callReason,
  EMERGENCY_CALL,
  EMERGENCY_CALL_REPORT,
  EMERGENCY_DUTY,
  type EmergencyCall,
  type EmergencyCallReport,
  type EmergencyDuty,
  LONGEST_DUTY_MS,
} from "./emergency-call.ts";
export { reasonSchema } from "./emergency-reason.ts";
export { BATCHES_TYPE, frameBatches, unframeBatches } from "./framing.ts";
export { HYBRID_SEED_BYTES } from "./hybrid-kem.ts";
export {
  MAX_NOTE_BYTES,
  NOTE,
  NOTE_CHARACTERS,
  type Note,
  type NoteContent,
  noteDigest,
  noteTextDigest,
  openNote,
  parseNote,
  requireNoteText,
  type SealedNote,
  sealNote,
} from "./note.ts";
export { createProof, ed25519Jwk, keyThumbprint, ticketHash } from "./proof.ts";
export { decodeReadings, encodeReadings, type ReadingColumn } from "./readings.ts";
export {
  MAX_RECORD_PART_BYTES,
  openRecordPart,
  parseRecordPart,
  type RecordPartHeader,
  recordPartDigest,
  type SealedRecordPart,
  sealRecordPart,
} from "./record-part.ts";
export { admitRecordPart, RECORD_PART, type RecordPart } from "./record-statement.ts";
export {
  GUARDIAN_SHARE,
  GUARDIANS,
  type GuardianShare,
  type Guardians,
  MOST_GUARDIANS,
} from "./recovery-statements.ts";
export { REGION, REGIONS, type Region, regionSchema } from "./region.ts";
export { RELEASE, type ReleaseStatement, studyIdSchema } from "./release-statement.ts";
export {
  generateSigningSeed,
  importSigningKey,
  importVerifyingKey,
  isSoundPublicKey,
  type SigningKey,
  verifySignature,
} from "./signing.ts";
export { type StatementKind, signStatement, unverifiedPayload, verifyStatement } from "./statement.ts";
export {
  bytesSchema,
  CONSENT,
  type Consent,
  DEVICE_REVOCATION,
  type DeviceRevocation,
  digestSchema,
  ENROLMENT,
  type Enrolment,
  EPOCH,
  type Epoch,
  fingerprint,
  IDENTITY,
  type Identity,
  identityKeys,
  idSchema,
  REVOCATION,
  type Revocation,
  signIdentity,
  signingKeySchema,
  timeSchema,
  verifyIdentity,
  WRAPPED_KEY,
  type WrappedKey,
} from "./statements.ts";
export { createSealingSuite, type HybridKeyPair, type Recipient, type SealingSuite } from "./suite.ts";
export { type GrantedEpoch, unwrapEpochKey, wrapEpochKey } from "./wrapping.ts";
