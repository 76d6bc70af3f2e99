import { z } from "zod";
import { idSchema, signingKeySchema } from "./statements.ts";

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
    hash: z.string().regex(/^[0-9a-f]{64}$/, "expected 64 lower-case hex digits"),
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
