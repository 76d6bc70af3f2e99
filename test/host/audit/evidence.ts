import { type AuditEntry, entryHash } from "../../../host/audit/chain.ts";
import { type AuditReport, verifyLog } from "../../../host/audit/index.ts";
import type { Bytes } from "../../../host/base/index.ts";
import { generateSigningSeed, importSigningKey } from "../../../host/sealing/index.ts";
import { chainOf, headOf, idOf } from "./made-log.ts";

export const LOG = idOf(1);
export const OTHER_LOG = idOf(2);

/** The log's key, and one that is not. */
export const key = await importSigningKey(generateSigningSeed());
export const otherKey = await importSigningKey(generateSigningSeed());

/** A log as an exporter finds it. */
export interface Evidence {
  readonly entries: readonly unknown[];
  readonly heads: readonly string[];
}

export function verify(
  { entries, heads }: Evidence,
  keys: readonly Bytes[] = [key.publicKey],
): Promise<AuditReport> {
  return verifyLog({ log: LOG, entries, heads, keys, keyStatements: [] });
}

/** A log of `length` entries with heads of some of them, the last among them. */
export async function logOf(
  length: number,
  headsAt: readonly number[] = [],
): Promise<{ entries: AuditEntry[]; heads: string[] }> {
  const entries = chainOf(LOG, length);
  const vouched = [...new Set([...headsAt.filter((n) => n >= 1 && n < length), length])];
  const heads = await Promise.all(vouched.map((n) => headOf(LOG, key, entries[n - 1] as AuditEntry)));
  return { entries, heads };
}

export const at = (entries: readonly AuditEntry[], n: number) => entries[n - 1] as AuditEntry;
export const replaced = (entries: readonly AuditEntry[], n: number, entry: unknown) =>
  entries.map((old, i) => (i === n - 1 ? entry : old));
export const edited = (entry: AuditEntry): AuditEntry => ({
  ...entry,
  details: { ...entry.details, edited: 1 },
});
export const rehashed = (entry: AuditEntry): AuditEntry => ({ ...entry, hash: entryHash(entry) });
