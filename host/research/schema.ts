import { z } from "zod";
import { MedcloudletError } from "../base/index.ts";
import { compileTaxonomy, type TaxonomyNode } from "./taxonomy.ts";

/** Name of the column of random row ids in a release. */
export const ROW_ID = "row_id";

const name = z.string().min(1).max(200);
const taxonomyNode: z.ZodType<TaxonomyNode> = z.lazy(() =>
  z.union([z.string().max(1000), z.strictObject({ name, children: z.array(taxonomyNode).max(100_000) })]),
);
const hierarchy = taxonomyNode.optional();

const quasiIdentifier = z.discriminatedUnion("type", [
  z.strictObject({
    name,
    role: z.literal("quasi-identifier"),
    type: z.literal("numeric"),
    /** Values are rounded to multiples of this before anything else. */
    round: z.number().positive().optional(),
  }),
  z.strictObject({
    name,
    role: z.literal("quasi-identifier"),
    type: z.literal("date"),
    /** How dates are written in the file; they come out as ISO 8601. */
    format: z.enum(["YYYY-MM-DD", "M/D/YYYY", "D.M.YYYY"]).default("YYYY-MM-DD"),
  }),
  z.strictObject({ name, role: z.literal("quasi-identifier"), type: z.literal("categorical"), hierarchy }),
]);
const sensitive = z.discriminatedUnion("type", [
  z.strictObject({ name, role: z.literal("sensitive"), type: z.literal("numeric") }),
  z.strictObject({ name, role: z.literal("sensitive"), type: z.literal("categorical"), hierarchy }),
]);
const column = z.discriminatedUnion("role", [
  z.strictObject({
    name,
    role: z.literal("identifier"),
    /** Names a person: nobody may have two rows, for k counts rows; and the ledger knows people by it. */
    person: z.boolean().optional(),
  }),
  z.strictObject({ name, role: z.literal("plain") }),
  quasiIdentifier,
  sensitive,
]);

const schemaFile = z.strictObject({
  /** False where the file has no header line: then columns are in the order of the file. */
  header: z.boolean().default(true),
  delimiter: z.string().length(1).default(","),
  /** What stands for a missing value; the empty field always does. */
  missing: z.array(z.string().max(100)).max(100).default([]),
  /** Whether rows that miss anything are kept (the missing value is then one more value) or left out. */
  incomplete: z.enum(["keep", "drop"]).default("keep"),
  columns: z.array(column).min(1).max(1000),
});

/** What a file of microdata holds: every column has a role, none is left to chance. */
export type ReleaseSchema = z.infer<typeof schemaFile>;
export type SchemaColumn = ReleaseSchema["columns"][number];
export type QuasiIdentifierColumn = z.infer<typeof quasiIdentifier>;
export type SensitiveColumn = z.infer<typeof sensitive>;

/**
 * Checks a schema.
 * @throws MedcloudletError `RESEARCH_SCHEMA_INVALID` with the path of every fault in `details.errors`
 */
export function parseSchema(value: unknown): ReleaseSchema {
  const parsed = schemaFile.safeParse(value);
  if (!parsed.success) {
    throw invalid(
      parsed.error.issues.map(({ path, message }) => ({ path: path.join(".") || "schema", message })),
    );
  }
  const schema = parsed.data;
  const faults: Fault[] = [];
  const seen = new Set<string>();
  schema.columns.forEach((entry, i) => {
    const path = `columns.${i}`;
    if (seen.has(entry.name)) {
      faults.push({ path: `${path}.name`, message: `"${entry.name}" stands twice` });
    }
    seen.add(entry.name);
    if (entry.name === ROW_ID) {
      faults.push({ path: `${path}.name`, message: `"${ROW_ID}" is what a release calls its own row ids` });
    }
    if ("hierarchy" in entry && entry.hierarchy !== undefined) {
      try {
        compileTaxonomy(entry.hierarchy);
      } catch (error) {
        faults.push({ path: `${path}.hierarchy`, message: (error as Error).message });
      }
    }
  });
  if (!schema.columns.some(({ role }) => role === "quasi-identifier")) {
    faults.push({
      path: "columns",
      message: "no column is a quasi-identifier, so nothing would be generalised",
    });
  }
  if (faults.length > 0) {
    throw invalid(faults);
  }
  return schema;
}

interface Fault {
  readonly path: string;
  readonly message: string;
}

function invalid(errors: readonly Fault[]): MedcloudletError {
  return new MedcloudletError("RESEARCH_SCHEMA_INVALID", "The schema is not valid; correct:", {
    status: 400,
    details: { errors },
  });
}
