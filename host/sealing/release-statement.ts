import { z } from "zod";
import { digestSchema, idSchema, timeSchema } from "./statements.ts";

const count = z.number().int().nonnegative();
const fileSchema = z.strictObject({ bytes: count, sha256: digestSchema });

/** What a study is called: it stands in addresses and in patients' logs. */
export const studyIdSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "expected up to 64 of a-z, 0-9 and hyphen");

/**
 * "These files are a release of mine, with this guarantee." Signed by the account of a research service, so that a file that
 * went from hand to hand can be held to what was given out.
 */
export const RELEASE = {
  typ: "medcloudlet-release",
  schema: z.strictObject({
    /** Account of the service. */
    service: idSchema,
    release: idSchema,
    study: studyIdSchema,
    title: z.string().min(1).max(200),
    at: timeSchema,
    guarantee: z.strictObject({
      k: z.number().int().min(2),
      l: z.number().min(1),
      t: z.number().min(0).max(1),
      diversity: z.enum(["distinct", "entropy"]),
    }),
    rows: count,
    classes: count,
    /** SHA-256 of the study's schema as JSON. */
    schema: digestSchema,
    files: z.strictObject({ csv: fileSchema, ndjson: fileSchema, report: fileSchema }),
  }),
};
export type ReleaseStatement = z.infer<typeof RELEASE.schema>;
