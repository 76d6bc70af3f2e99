export { type AuditEntry, type AuditEvent, type ChainEnd, entryHash, parseEntry } from "./chain.ts";
export { type FhirAuditEvent, toFhirAuditEvent } from "./fhir.ts";
export { type AuditLine, readLine, writeLine } from "./lines.ts";
export { type AuditLog, createAuditLog, type EntryQuery } from "./log.ts";
export type {
  OwnFault,
  OwnFaultKind,
  OwnReport,
  SeenEntries,
} from "./own-entries.ts";
export { addAuditRoutes } from "./router.ts";
export { type AuditReport, type Damage, type DamageKind, verifyLog } from "./verify.ts";
export { openWitnessFile, type WitnessFile } from "./witness.ts";
