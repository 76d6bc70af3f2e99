/** What checks a log, without what keeps and serves one: for the page, whose size counts. */
export type { AuditEntry, ChainEnd } from "./chain.ts";
export {
  checkOwnEntries,
  type OwnFault,
  type OwnFaultKind,
  type OwnReport,
  type SeenEntries,
} from "./own-entries.ts";
