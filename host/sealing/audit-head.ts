import { z } from "zod";
import { type Bytes, equalBytes, fromBase64Url, isMedcloudletError } from "../base/index.ts";
import { verifyStatement } from "./statement.ts";
import { digestSchema, idSchema, signingKeySchema } from "./statements.ts";

const timeSchema = z.number().int().nonnegative();
const sequenceSchema = z.number().int().positive();

/**
 * "The log of this id had this many entries at this time, and this was the hash of the last." Signed by the log's key.
 * Whoever keeps one can tell later whether anything up to that entry was changed.
 */
export const AUDIT_HEAD = {
  typ: "medcloudlet-audit-head",
  schema: z.strictObject({
    log: idSchema,
    sequence: sequenceSchema,
    hash: digestSchema,
    at: timeSchema,
  }),
};
export type AuditHead = z.infer<typeof AUDIT_HEAD.schema>;

/** "Heads of this log are signed by that key from now on." Signed by the key that goes. */
export const AUDIT_KEY = {
  typ: "medcloudlet-audit-key",
  schema: z.strictObject({ log: idSchema, key: signingKeySchema, at: timeSchema }),
};
export type AuditKey = z.infer<typeof AUDIT_KEY.schema>;

/** A head with its signature. */
export interface SignedHead {
  readonly head: AuditHead;
  readonly statement: string;
}

/** A head that one of `keys` signed, and which of them; null when none did. */
export async function readAuditHead(
  statement: string,
  keys: readonly Bytes[],
): Promise<(SignedHead & { readonly key: Bytes }) | null> {
  for (const key of keys) {
    try {
      return { head: await verifyStatement(AUDIT_HEAD, statement, key), statement, key };
    } catch (error) {
      if (!isMedcloudletError(error, "STATEMENT_INVALID")) {
        throw error;
      }
    }
  }
  return null;
}

/**
 * Every key that may have signed heads of `log`: the trusted ones and those they were handed over to, directly or
 * through others, by `medcloudlet-audit-key` statements. Statements that no trusted key signed are left out.
 */
export async function auditKeysFrom(
  log: string,
  trusted: readonly Bytes[],
  statements: readonly string[],
): Promise<Bytes[]> {
  const keys = [...trusted];
  for (const known of keys) {
    for (const statement of statements) {
      const handedOver = await verifyStatement(AUDIT_KEY, statement, known).catch(() => null);
      const next = handedOver?.log === log ? fromBase64Url(handedOver.key) : null;
      if (next !== null && !keys.some((key) => equalBytes(key, next))) {
        keys.push(next); // and the loop comes to it
      }
    }
  }
  return keys;
}
