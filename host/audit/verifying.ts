/** What checks a log, without what keeps and serves one: for the page, whose size counts, and for commands, that start sooner. */
export { type AuditEntry, type ChainEnd, entryHash, parseEntry } from "./chain.ts";
export { type AuditLine, readLine, writeLine } from "./lines.ts";
export {
  checkOwnEntries,
  type OwnFault,
  type OwnFaultKind,
  type OwnReport,
  type SeenEntries,
} from "./own-entries.ts";
