export {
  type AccessRequests,
  createAccessRequests,
  type MadeRequest,
  type ReceivedRequest,
} from "./access-requests.ts";
export {
  type AccountClient,
  type AccountEvent,
  createAccountClient,
  type FactorReset,
  type OwnInvitation,
  type OwnSession,
  type Reauthentication,
  type TicketKeyAges,
} from "./account.ts";
export {
  type AuditClient,
  type AuditWitness,
  createAuditClient,
  createAuditWitness,
  type KeptHead,
  type UnverifiedHead,
  type UnverifiedPage,
} from "./audit.ts";
export { type AuditSource, sourceOfKdc } from "./audit-source.ts";
export { type Changes, createChanges, type SyncedKeystore, syncBackup, takeIn } from "./backup-sync.ts";
export * from "./community/index.ts";
export {
  createDataDeletion,
  type DataDeletion,
  type DeletionState,
  type DeletionStep,
} from "./delete-data.ts";
export { createEmergency, type Emergency, type Trustee } from "./emergency.ts";
export type { KnownEmergency } from "./emergency-api.ts";
export { goOnDuty } from "./emergency-duty.ts";
export { createEmergencyOfficer, type EmergencyOfficer } from "./emergency-officer.ts";
export { EMERGENCY_PLAN, type EmergencyPlan } from "./emergency-plan.ts";
export { type OpenedEmergency, openRelease } from "./emergency-release.ts";
export { createEmergencyStaff, type EmergencyStaff, type PendingEmergency } from "./emergency-staff.ts";
export { combineShares, splitCode } from "./guardian-shares.ts";
export {
  type AskedShare,
  CONTACT_CARD,
  type ContactCard,
  cardFingerprint,
  collectCode,
  giveShare,
  namedGuardians,
  nameGuardians,
  type OwnRecoveryRequest,
  recoveryRequests,
  requestRecovery,
  vetoRecovery,
  withdrawGuardians,
} from "./guardians.ts";
export { type Credentials, createHttpClient, type Fetch, type HttpClient, type HttpRequest } from "./http.ts";
export {
  createIdsClient,
  type IdsAlert,
  type IdsAppeal,
  type IdsClient,
  type IdsDecision,
  type IdsDetector,
  type IdsExemption,
  type IdsExplanation,
  type IdsMember,
  type IdsNews,
  type IdsSelfTest,
  type IdsTraffic,
} from "./ids.ts";
export {
  createKdcClient,
  type HeldTicket,
  type KdcClient,
  type KdcSession,
  type KnownAccount,
  type LoginOptions,
  type SessionRequest,
  type Ticket,
} from "./kdc-client.ts";
export {
  type KeystoreContents,
  type LockedKeystore,
  lockKeystore,
  lockKeystoreWithKey,
  type OpenedKeystore,
  openKeystore,
  requirePassphrase,
  unlockKeystore,
} from "./keystore.ts";
export { mergeContents } from "./keystore-merge.ts";
export { handlesByFingerprint, knowCards, knownOfCard, type NamedByCard } from "./known-cards.ts";
export type { NewestFirst } from "./newest-first.ts";
export { createNoteIndex, type FoundNote, type NoteIndex } from "./note-search.ts";
export { createNoticeBoard, type KnownNotice, type NoticeBoard } from "./notices.ts";
export { type ConsentState, type GivenConsent, stateOf } from "./own-consents.ts";
export { createOwnStreams, type OwnStream, type OwnStreams } from "./own-streams.ts";
export {
  type CaughtUp,
  createOwner,
  type KnownReader,
  type OwnDevice,
  type OwnedEpoch,
  type Owner,
} from "./owner.ts";
export { type MadePairing, makePairing, pairingFileText, type WearablePlaces } from "./pairing.ts";
export {
  chainNotes,
  type NotedStream,
  type NoteVersion,
  type PatientNote,
  readNote,
} from "./patient-note.ts";
export {
  createPatientNotes,
  type NoteList,
  ownNotedStream,
  type PatientNotes,
  type WritableStream,
} from "./patient-notes.ts";
export {
  createIdentity,
  type IdentitySecrets,
  openIdentity,
  type PersonKeys,
  personFingerprint,
} from "./person-keys.ts";
export { createPreview, IRREVOCABLE, type Preview, REGION_CONTENTS } from "./preview.ts";
export { createReader, type FollowOptions, type Reader } from "./reader.ts";
export {
  createRecordOwner,
  type OwnRecord,
  type RecordOwner,
  type RecordVersions,
  type SavedRegion,
} from "./record-owner.ts";
export {
  createRecordReader,
  type ReadRegion,
  type RecordReader,
  type RecordView,
  readRecordPart,
} from "./record-reader.ts";
export { createSeenParts, fetchRecordPart, type SeenPart, type SeenParts } from "./record-statements.ts";
export {
  armRecovery,
  type Backup,
  fetchBackup,
  keepBackup,
  newestContents,
  recoverAccount,
} from "./recovery.ts";
export { newRecoveryCode, printRecoveryCode, readRecoveryCode, recoveryProof } from "./recovery-code.ts";
export {
  type AskedRelease,
  checkedRelease,
  createResearchClient,
  type KnownRelease,
  type ReleaseFileName,
  type ResearchClient,
  type ResearchRequest,
  type ResearchServiceAccount,
  type ResearchStudy,
  verifyReleaseStatement,
} from "./research.ts";
export type { KeptRevocation, RevocationMemory } from "./revocations.ts";
export { type ReadBatch, readSealedBatch } from "./sealed-batch.ts";
export { type OpenedStream, openGrant, type SharedStream } from "./shared-stream.ts";
export { deriveSecret, lockWith, unlockWith } from "./small-lock.ts";
