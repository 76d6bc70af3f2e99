import { z } from "zod";

/** What a list in a record holds at most. */
const FEW = 20;

/** Text that UTF-8 can hold: an unpaired surrogate would come back as another character. */
export function textSchema(maximum: number) {
  return z
    .string()
    .min(1)
    .max(maximum)
    .regex(/^\P{Surrogate}+$/u, "expected well-formed text")
    .regex(/\S/, "expected more than blanks");
}

/** A list with at least one element: an empty one and a missing one would be two spellings of nothing. */
export function listSchema<T extends z.ZodType>(element: T, maximum = FEW) {
  return z.array(element).min(1).max(maximum);
}

const uriSchema = z.string().min(1).max(300).regex(/^\S+$/, "expected a URI");
/** FHIR R4 `code`: no blanks but single ones inside. */
const codeSchema = z
  .string()
  .max(100)
  .regex(/^[^\s]+( [^\s]+)*$/, "expected a code");

const DAY = String.raw`\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?`;
const TIME = String.raw`T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,9})?(Z|[+-]((0\d|1[0-3]):[0-5]\d|14:00))`;

/** FHIR R4 `date`: a year, a month or a day. */
export const dateSchema = z.string().regex(new RegExp(`^${DAY}$`), "expected a date such as 1984-07-02");
/** FHIR R4 `dateTime`: a date, or a moment with its zone. Kept as written, so that precision and zone survive. */
export const dateTimeSchema = z
  .string()
  .regex(
    new RegExp(String.raw`^(${DAY}|\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])${TIME})$`),
    "expected a time such as 2026-01-31T08:00:00Z",
  );
/** FHIR R4 `instant`: a moment to the second at least. */
const instantSchema = z
  .string()
  .regex(
    new RegExp(String.raw`^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])${TIME}$`),
    "expected a time such as 2026-01-31T08:00:00.000Z",
  );

const periodSchema = z
  .strictObject({ start: dateTimeSchema.exactOptional(), end: dateTimeSchema.exactOptional() })
  .refine(({ start, end }) => start !== undefined || end !== undefined, "expected a start or an end");
export type Period = z.infer<typeof periodSchema>;

/** A moment, or from when until when. */
export const whenSchema = z.union([dateTimeSchema, periodSchema]);
export type When = z.infer<typeof whenSchema>;

export const codingSchema = z
  .strictObject({
    system: uriSchema.exactOptional(),
    code: codeSchema.exactOptional(),
    display: textSchema(500).exactOptional(),
  })
  .refine((coding) => Object.keys(coding).length > 0, "expected a code or a display");
/** One name of a thing in one code system. */
export type Coding = z.infer<typeof codingSchema>;

export const conceptSchema = z
  .strictObject({
    codings: listSchema(codingSchema).exactOptional(),
    text: textSchema(1000).exactOptional(),
  })
  .refine(({ codings, text }) => codings !== undefined || text !== undefined, "expected codings or a text");
/** A thing by its names in code systems and by what a person wrote. */
export type Concept = z.infer<typeof conceptSchema>;

const quantitySchema = z.strictObject({
  value: z.number(),
  comparator: z.enum(["<", "<=", ">=", ">"]).exactOptional(),
  unit: textSchema(100).exactOptional(),
  /** UCUM is `http://unitsofmeasure.org`. */
  system: uriSchema.exactOptional(),
  code: codeSchema.exactOptional(),
});
export type Quantity = z.infer<typeof quantitySchema>;

/** What was observed. */
const valueSchema = z.union([
  z.strictObject({ quantity: quantitySchema }),
  z.strictObject({ concept: conceptSchema }),
  z.strictObject({ text: textSchema(10_000) }),
  z.strictObject({ boolean: z.boolean() }),
  z.strictObject({ integer: z.number().int() }),
]);
export type ObservedValue = z.infer<typeof valueSchema>;

const useSchema = z.enum(["home", "work", "temp", "old", "mobile", "billing"]);

export const nameSchema = z
  .strictObject({
    use: z.enum(["usual", "official", "temp", "nickname", "anonymous", "old", "maiden"]).exactOptional(),
    text: textSchema(300).exactOptional(),
    family: textSchema(200).exactOptional(),
    given: listSchema(textSchema(200)).exactOptional(),
    prefix: listSchema(textSchema(50)).exactOptional(),
    suffix: listSchema(textSchema(50)).exactOptional(),
  })
  .refine(({ use, ...name }) => Object.keys(name).length > 0, "expected a name");
export type PersonName = z.infer<typeof nameSchema>;

export const contactSchema = z.strictObject({
  system: z.enum(["phone", "fax", "email", "pager", "url", "sms", "other"]),
  value: textSchema(300),
  use: useSchema.exactOptional(),
});
export type Contact = z.infer<typeof contactSchema>;

/** An empty address would come back as none. */
export const addressSchema = z
  .strictObject({
    use: useSchema.exactOptional(),
    text: textSchema(500).exactOptional(),
    lines: listSchema(textSchema(300)).exactOptional(),
    city: textSchema(200).exactOptional(),
    district: textSchema(200).exactOptional(),
    state: textSchema(200).exactOptional(),
    postcode: textSchema(20).exactOptional(),
    country: textSchema(100).exactOptional(),
  })
  .refine(({ use, postcode, ...place }) => Object.keys(place).length > 0, "expected more than a postcode");
export type Address = z.infer<typeof addressSchema>;

export const identifierSchema = z.strictObject({
  use: z.enum(["usual", "official", "temp", "secondary", "old"]).exactOptional(),
  system: uriSchema.exactOptional(),
  value: textSchema(200),
  /** What kind of number it is, as HL7 table 0203 has it. */
  type: conceptSchema.exactOptional(),
});
export type Identifier = z.infer<typeof identifierSchema>;

export const conditionSchema = z.strictObject({
  code: conceptSchema,
  categories: listSchema(conceptSchema).exactOptional(),
  clinicalStatus: z
    .enum(["active", "recurrence", "relapse", "inactive", "remission", "resolved"])
    .exactOptional(),
  verificationStatus: z
    .enum(["unconfirmed", "provisional", "differential", "confirmed", "refuted", "entered-in-error"])
    .exactOptional(),
  onset: dateTimeSchema.exactOptional(),
  abatement: dateTimeSchema.exactOptional(),
  recorded: dateTimeSchema.exactOptional(),
});
export type Condition = z.infer<typeof conditionSchema>;

export const observationSchema = z.strictObject({
  status: z.enum([
    "registered",
    "preliminary",
    "final",
    "amended",
    "corrected",
    "cancelled",
    "entered-in-error",
    "unknown",
  ]),
  categories: listSchema(conceptSchema).exactOptional(),
  code: conceptSchema,
  effective: whenSchema.exactOptional(),
  issued: instantSchema.exactOptional(),
  value: valueSchema.exactOptional(),
  interpretations: listSchema(conceptSchema).exactOptional(),
  components: listSchema(
    z.strictObject({ code: conceptSchema, value: valueSchema.exactOptional() }),
    100,
  ).exactOptional(),
});
export type Observation = z.infer<typeof observationSchema>;

export const allergySchema = z.strictObject({
  code: conceptSchema,
  clinicalStatus: z.enum(["active", "inactive", "resolved"]).exactOptional(),
  verificationStatus: z.enum(["unconfirmed", "confirmed", "refuted", "entered-in-error"]).exactOptional(),
  type: z.enum(["allergy", "intolerance"]).exactOptional(),
  categories: listSchema(z.enum(["food", "medication", "environment", "biologic"]), 4).exactOptional(),
  criticality: z.enum(["low", "high", "unable-to-assess"]).exactOptional(),
  onset: dateTimeSchema.exactOptional(),
  recorded: dateTimeSchema.exactOptional(),
  reactions: listSchema(
    z.strictObject({
      manifestations: listSchema(conceptSchema),
      severity: z.enum(["mild", "moderate", "severe"]).exactOptional(),
    }),
  ).exactOptional(),
});
export type Allergy = z.infer<typeof allergySchema>;

const dosageSchema = z
  .strictObject({
    sequence: z.number().int().exactOptional(),
    text: textSchema(1000).exactOptional(),
    asNeeded: z.boolean().exactOptional(),
  })
  .refine((dosage) => Object.keys(dosage).length > 0, "expected a dosage");
export type Dosage = z.infer<typeof dosageSchema>;

const prescriptionSchema = z.strictObject({
  kind: z.literal("request"),
  status: z.enum([
    "active",
    "on-hold",
    "cancelled",
    "completed",
    "entered-in-error",
    "stopped",
    "draft",
    "unknown",
  ]),
  intent: z.enum([
    "proposal",
    "plan",
    "order",
    "original-order",
    "reflex-order",
    "filler-order",
    "instance-order",
    "option",
  ]),
  medication: conceptSchema,
  authored: dateTimeSchema.exactOptional(),
  dosages: listSchema(dosageSchema).exactOptional(),
});
const takenSchema = z.strictObject({
  kind: z.literal("statement"),
  status: z.enum([
    "active",
    "completed",
    "entered-in-error",
    "intended",
    "stopped",
    "on-hold",
    "unknown",
    "not-taken",
  ]),
  medication: conceptSchema,
  effective: whenSchema.exactOptional(),
  asserted: dateTimeSchema.exactOptional(),
  dosages: listSchema(dosageSchema).exactOptional(),
});
/** A medicine that was prescribed (`request`), or that the patient is said to take (`statement`). */
export const medicationSchema = z.discriminatedUnion("kind", [prescriptionSchema, takenSchema]);
export type Medication = z.infer<typeof medicationSchema>;

const eventStatusSchema = z.enum([
  "preparation",
  "in-progress",
  "not-done",
  "on-hold",
  "stopped",
  "completed",
  "entered-in-error",
  "unknown",
]);

export const procedureSchema = z.strictObject({
  status: eventStatusSchema,
  code: conceptSchema,
  performed: whenSchema.exactOptional(),
  reasons: listSchema(conceptSchema).exactOptional(),
});
export type Procedure = z.infer<typeof procedureSchema>;

export const immunizationSchema = z.strictObject({
  status: z.enum(["completed", "entered-in-error", "not-done"]),
  vaccine: conceptSchema,
  occurrence: dateTimeSchema,
  primarySource: z.boolean().exactOptional(),
});
export type Immunization = z.infer<typeof immunizationSchema>;

export const noteSchema = z.strictObject({
  title: textSchema(300).exactOptional(),
  written: instantSchema.exactOptional(),
  text: textSchema(100_000),
});
/** Something a person wrote about the patient. */
export type Note = z.infer<typeof noteSchema>;
