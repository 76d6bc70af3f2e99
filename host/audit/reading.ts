// A second, smaller door: what whoever reads the log needs, in a browser too. The first one leads to the writer.
export { type AuditEntry, entryHash, parseEntry } from "./chain.ts";
export { writeLine } from "./lines.ts";
export { type AuditReport, type Damage, verifyLog } from "./verify.ts";
