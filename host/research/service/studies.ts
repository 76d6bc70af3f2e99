import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { isMedcloudletError, MedcloudletError } from "../../base/index.ts";
import { studyIdSchema } from "../../sealing/index.ts";
import { cohortTable } from "../cohort.ts";
import { checkGuarantee, type Guarantee } from "../guarantee.ts";
import { parseSchema, type ReleaseSchema } from "../schema.ts";

const STUDY = z
  .strictObject({
    id: studyIdSchema,
    title: z.string().min(1).max(200),
    /** What the study is for, as patients were told. */
    purpose: z.string().min(1).max(2000),
    schema: z.unknown(),
    /** What every release keeps at least; researchers may ask for more, and never for less. */
    floor: z.strictObject({
      k: z.number().int().min(2),
      l: z.number().min(1),
      t: z.number().min(0).max(1),
      diversity: z.enum(["distinct", "entropy"]).default("distinct"),
    }),
    /** Most rows to leave out to spare the others, as a share of all. */
    suppress: z.number().min(0).max(0.5).default(0),
    /** Whether others wait where that makes a release agree with earlier ones. */
    holdBack: z.boolean().default(false),
  })
  .refine(({ suppress, holdBack }) => !holdBack || suppress === 0, "holdBack takes the place of suppress");
const FILE = z.union([z.strictObject({ studies: z.array(z.unknown()).min(1).max(1000) }), z.unknown()]);

/** What releases are made of, and how careful with it: the operator's word, not the researcher's. */
export interface Study {
  readonly id: string;
  readonly title: string;
  readonly purpose: string;
  readonly schema: ReleaseSchema;
  /** SHA-256 of the schema, 64 hex digits. */
  readonly schemaDigest: string;
  readonly floor: Guarantee;
  readonly suppress: number;
  readonly holdBack: boolean;
}

/** What a researcher asks for beyond a study's floor. */
export type AskedGuarantee = { readonly [N in keyof Guarantee]?: Guarantee[N] | undefined };

function invalid(where: string, why: string, cause?: unknown): MedcloudletError {
  return new MedcloudletError("RESEARCH_STUDIES_INVALID", `The study in ${where} is not valid: ${why}.`, {
    status: 400,
    cause,
  });
}

/**
 * Checks one study.
 * @throws MedcloudletError `RESEARCH_STUDIES_INVALID`
 */
export function parseStudy(value: unknown, where: string): Study {
  const parsed = STUDY.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(where, `${issue?.path.join(".") || "study"}: ${issue?.message ?? "unexpected"}`);
  }
  try {
    const schema = parseSchema(parsed.data.schema);
    checkGuarantee(parsed.data.floor, schema.columns.filter(({ role }) => role === "sensitive").length);
    requireRecordColumns(schema);
    const schemaDigest = createHash("sha256").update(JSON.stringify(schema)).digest("hex");
    return { ...parsed.data, schema, schemaDigest };
  } catch (error) {
    if (isMedcloudletError(error) && error.code.startsWith("RESEARCH_")) {
      const faults = (error.details.errors as { path: string; message: string }[] | undefined) ?? [];
      const told = [error.message, ...faults.map(({ path, message }) => `schema.${path}: ${message}`)];
      throw invalid(where, told.join(" ").replace(/\.$/, ""), error);
    }
    throw error;
  }
}

/** An empty cohort shows whether records have the columns, at the start and not at the first release. */
function requireRecordColumns(schema: ReleaseSchema): void {
  try {
    cohortTable([], schema);
  } catch (error) {
    if (!isMedcloudletError(error, "RESEARCH_CSV_EMPTY")) {
      throw error;
    }
  }
}

/**
 * Reads the studies of a service: of a file with one study or `{ studies: [...] }`, or of every `.json` of a folder.
 * @throws MedcloudletError `RESEARCH_STUDIES_INVALID` naming the file and what is wrong
 */
export async function readStudies(path: string): Promise<ReadonlyMap<string, Study>> {
  const found = new Map<string, Study>();
  for (const file of await filesOf(path)) {
    const content = FILE.parse(await readJson(file));
    const list = isList(content) ? content.studies : [content];
    for (const value of list) {
      const study = parseStudy(value, file);
      if (found.has(study.id)) {
        throw invalid(file, `there are two studies called "${study.id}"`);
      }
      found.set(study.id, study);
    }
  }
  if (found.size === 0) {
    throw invalid(path, "there is none");
  }
  return found;
}

function isList(content: unknown): content is { readonly studies: readonly unknown[] } {
  return typeof content === "object" && content !== null && Object.hasOwn(content, "studies");
}

async function filesOf(path: string): Promise<string[]> {
  try {
    return (await stat(path)).isDirectory()
      ? (await readdir(path))
          .filter((name) => name.endsWith(".json"))
          .sort()
          .map((name) => join(path, name))
      : [path];
  } catch (cause) {
    throw invalid(path, "it cannot be read: check the path", cause);
  }
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    throw invalid(file, "it cannot be read as JSON", cause);
  }
}

/**
 * What a release has to keep: the floor, made stricter by what was asked for.
 * @throws MedcloudletError `RESEARCH_BELOW_FLOOR` (400), `RESEARCH_GUARANTEE_INVALID`
 */
export function guaranteeFor({ floor, schema }: Study, asked: AskedGuarantee): Guarantee {
  const guarantee: Guarantee = {
    k: asked.k ?? floor.k,
    l: asked.l ?? floor.l,
    t: asked.t ?? floor.t,
    diversity: asked.diversity ?? floor.diversity,
  };
  if (!satisfies(guarantee, floor)) {
    throw new MedcloudletError(
      "RESEARCH_BELOW_FLOOR",
      `This study gives nothing out below k=${floor.k}, l=${floor.l} (${floor.diversity}), t=${floor.t}: ask for the same or for more.`,
      { status: 400, details: { floor } },
    );
  }
  checkGuarantee(guarantee, schema.columns.filter(({ role }) => role === "sensitive").length);
  return guarantee;
}

/** Whether whatever keeps `given` keeps `wanted` too; l by entropy is the stricter kind. */
export function satisfies(given: Guarantee, wanted: Guarantee): boolean {
  return (
    given.k >= wanted.k &&
    given.l >= wanted.l &&
    given.t <= wanted.t &&
    (given.diversity === wanted.diversity || given.diversity === "entropy")
  );
}
