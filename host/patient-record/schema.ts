import { z } from "zod";
import { MedcloudletError } from "../base/index.ts";
import type { Region } from "../sealing/index.ts";
import {
  addressSchema,
  allergySchema,
  conceptSchema,
  conditionSchema,
  contactSchema,
  dateSchema,
  dateTimeSchema,
  identifierSchema,
  immunizationSchema,
  listSchema,
  medicationSchema,
  nameSchema,
  noteSchema,
  observationSchema,
  procedureSchema,
  textSchema,
} from "./datatypes.ts";

/** One field of a record: which region it belongs to, and what it may hold. */
export interface Field<R extends Region = Region, S extends z.ZodType = z.ZodType> {
  readonly region: R;
  readonly schema: S;
  /** What a person calls it. */
  readonly label: string;
}

function field<const R extends Region, S extends z.ZodType>(
  region: R,
  label: string,
  schema: S,
): Field<R, S> {
  return { region, schema, label };
}

const MANY = 50_000;

/**
 * A patient's record, field by field: the one place that says which region a field belongs to. A field without a
 * region does not compile.
 *
 * `identity` tells who somebody is. `profile` is what narrows a crowd down without naming anybody. `medical` is the
 * rest. A birth date and a full address identify, so profile has the year and the postcode of their own.
 */
export const RECORD_FIELDS = {
  names: field("identity", "names", listSchema(nameSchema)),
  birthDate: field("identity", "date of birth", dateSchema),
  identifiers: field("identity", "national, insurance and hospital numbers", listSchema(identifierSchema)),
  contacts: field("identity", "telephone, e-mail", listSchema(contactSchema)),
  addresses: field("identity", "addresses", listSchema(addressSchema)),
  birthPlace: field("identity", "place of birth", addressSchema),
  mothersMaidenName: field("identity", "mother's maiden name", textSchema(200)),

  birthYear: field("profile", "year of birth", z.number().int().min(1850).max(2200)),
  sex: field("profile", "administrative sex", z.enum(["male", "female", "other", "unknown"])),
  birthSex: field("profile", "sex at birth", z.enum(["M", "F", "OTH", "UNK", "ASKU"])),
  postcode: field("profile", "postcode", textSchema(20)),
  maritalStatus: field("profile", "marital status", conceptSchema),
  languages: field("profile", "languages", listSchema(conceptSchema)),
  race: field("profile", "race, as told", conceptSchema),
  ethnicity: field("profile", "ethnicity, as told", conceptSchema),

  deceased: field("medical", "death", z.union([z.boolean(), dateTimeSchema])),
  conditions: field("medical", "diagnoses", listSchema(conditionSchema, MANY)),
  observations: field("medical", "observations and vitals", listSchema(observationSchema, MANY)),
  allergies: field("medical", "allergies", listSchema(allergySchema, MANY)),
  medications: field("medical", "medications", listSchema(medicationSchema, MANY)),
  procedures: field("medical", "procedures", listSchema(procedureSchema, MANY)),
  immunizations: field("medical", "immunizations", listSchema(immunizationSchema, MANY)),
  notes: field("medical", "notes", listSchema(noteSchema, 1000)),
} as const satisfies Readonly<Record<string, Field>>;

type Fields = typeof RECORD_FIELDS;
export type FieldName = keyof Fields;

/** The fields of one region, all optional. */
export type RegionPart<R extends Region> = {
  readonly [F in FieldName as Fields[F]["region"] extends R ? F : never]?: z.infer<Fields[F]["schema"]>;
};

/** A record, or as much of it as somebody may see: every field is optional, a missing one says nothing. */
export type PatientRecord = RegionPart<Region>;

/** A record in its three regions. */
export type SplitRecord = { readonly [R in Region]: RegionPart<R> };

/** All names of fields, in the order in which they are kept. */
export const FIELD_NAMES = Object.keys(RECORD_FIELDS) as readonly FieldName[];

function objectOf(names: readonly FieldName[]) {
  return z.strictObject(
    Object.fromEntries(names.map((name) => [name, RECORD_FIELDS[name].schema.exactOptional()])),
  );
}

const partSchema = (region: Region) =>
  objectOf(FIELD_NAMES.filter((name) => RECORD_FIELDS[name].region === region));

const PART_SCHEMAS: Readonly<Record<Region, z.ZodType>> = {
  identity: partSchema("identity"),
  profile: partSchema("profile"),
  medical: partSchema("medical"),
};

const RECORD_SCHEMA = objectOf(FIELD_NAMES);

function check<T>(schema: z.ZodType, input: unknown, code: string, what: string): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) {
    return parsed.data as T;
  }
  const issue = parsed.error.issues[0];
  // The path says where; the value itself stays out of messages and logs.
  const where = issue?.path.join(".") || "record";
  throw new MedcloudletError(code, `${what}: ${where}: ${issue?.message ?? "unexpected"}.`, {
    status: 422,
    details: { path: where },
  });
}

/**
 * Checks a whole record: every field, and that year of birth and postcode agree with date of birth and addresses.
 * @throws MedcloudletError `RECORD_INVALID`, `RECORD_INCONSISTENT`
 */
export function parseRecord(input: unknown): PatientRecord {
  const record = check<PatientRecord>(RECORD_SCHEMA, input, "RECORD_INVALID", "The record is not valid");
  const { birthDate, birthYear, addresses, postcode } = record;
  const year = birthDate === undefined ? birthYear : Number(birthDate.slice(0, 4));
  const codes = (addresses ?? []).flatMap((address) => address.postcode ?? []);
  const fits =
    (birthYear === undefined || year === birthYear) &&
    (postcode === undefined || codes.length === 0 || codes.includes(postcode));
  if (!fits) {
    throw new MedcloudletError(
      "RECORD_INCONSISTENT",
      "Year of birth and postcode must be those of the date of birth and of an address.",
      { status: 422 },
    );
  }
  return record;
}

/** Checks one region's part. @throws MedcloudletError `RECORD_MALFORMED` */
export function parsePart<R extends Region>(region: R, input: unknown): RegionPart<R> {
  return check<RegionPart<R>>(
    PART_SCHEMAS[region],
    input,
    "RECORD_MALFORMED",
    `The part of the region ${region} is malformed`,
  );
}
