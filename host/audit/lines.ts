import { z } from "zod";
import { idSchema, signingKeySchema } from "../sealing/index.ts";

/** Statements are short; a longer line is none of ours. */
const statementSchema = z.string().max(4096);

const LINE = z.discriminatedUnion("kind", [
  /** Which log this is, and the keys that it says sign it: to compare with what is known, not to believe. */
  z.strictObject({ kind: z.literal("log"), log: idSchema, key: signingKeySchema }),
  z.strictObject({ kind: z.literal("key"), statement: statementSchema }),
  z.strictObject({ kind: z.literal("head"), statement: statementSchema }),
  /** Checked by the verifier, which says what is wrong with it. */
  z.strictObject({ kind: z.literal("entry"), entry: z.unknown() }),
]);

/** One line of an export or of a file of heads. */
export type AuditLine = z.infer<typeof LINE>;

/** A line as text, with its end. */
export function writeLine(line: AuditLine): string {
  return `${JSON.stringify(line)}\n`;
}

/** A line of a file; `null` when it is none, such as one that a crash cut short. */
export function readLine(text: string): AuditLine | null {
  try {
    const parsed = LINE.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
