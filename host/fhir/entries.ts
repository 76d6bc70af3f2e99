import { z } from "zod";
import { utf8 } from "../base/index.ts";
import type { PatientRecord } from "../patient-record/index.ts";
import { withVitalCodes } from "./codes.ts";
import {
  codeableConcept,
  codeIn,
  conceptFrom,
  conceptOfCode,
  type Draft,
  dosage,
  observed,
  period,
  text,
  toConcept,
  toValue,
  toWhen,
  valueFrom,
  whenFrom,
} from "./datatypes.ts";
import { defined, each, fromBase64, maybe, type Resource, toBase64 } from "./json.ts";

type ListField =
  | "conditions"
  | "observations"
  | "allergies"
  | "medications"
  | "procedures"
  | "immunizations"
  | "notes";
type EntryOf<F extends ListField> = NonNullable<PatientRecord[F]>[number];

/** How one type of resource becomes an entry of a record, and back. */
export interface EntryKind {
  readonly resourceType: string;
  readonly field: ListField;
  /** Where the resource names its patient. */
  readonly about: "subject" | "patient";
  /** Members that turn the meaning round unless they are false: a resource with one is not taken. */
  readonly reversing?: readonly string[];
  /** The entry, still to be checked by the record's schema. @throws z.ZodError, MedcloudletError */
  from(resource: unknown): Draft;
  /** The members of the resource; null for an entry that is another type's. */
  to(entry: unknown): Readonly<Record<string, unknown>> | null;
}

function kind<F extends ListField, S extends z.ZodType>(spec: {
  readonly resourceType: string;
  readonly field: F;
  readonly about?: "subject" | "patient";
  readonly reversing?: readonly string[];
  readonly schema: S;
  readonly from: (resource: z.infer<S>) => Draft;
  readonly to: (entry: EntryOf<F>) => Readonly<Record<string, unknown>> | null;
}): EntryKind {
  const { schema, about = "subject", ...rest } = spec;
  return {
    ...rest,
    about,
    from: (resource) => spec.from(schema.parse(resource)),
    to: (entry) => spec.to(entry as EntryOf<F>),
  };
}

const TERMINOLOGY = "http://terminology.hl7.org/CodeSystem";
const CONDITION_CLINICAL = `${TERMINOLOGY}/condition-clinical`;
const CONDITION_VERIFICATION = `${TERMINOLOGY}/condition-ver-status`;
const ALLERGY_CLINICAL = `${TERMINOLOGY}/allergyintolerance-clinical`;
const ALLERGY_VERIFICATION = `${TERMINOLOGY}/allergyintolerance-verification`;

const vitalConcept = codeableConcept.transform(({ coding, ...rest }) => ({
  ...rest,
  coding: coding === undefined ? undefined : withVitalCodes(coding),
}));

const asStatus = (system: string) => (code: string) => conceptOfCode(system, code);

export const ENTRY_KINDS: readonly EntryKind[] = [
  kind({
    resourceType: "Condition",
    field: "conditions",
    schema: z.object({
      code: codeableConcept,
      category: z.array(codeableConcept).optional(),
      clinicalStatus: codeableConcept.optional(),
      verificationStatus: codeableConcept.optional(),
      onsetDateTime: text.optional(),
      abatementDateTime: text.optional(),
      recordedDate: text.optional(),
    }),
    from: (resource) =>
      defined({
        code: conceptFrom(resource.code),
        categories: each(resource.category, conceptFrom),
        clinicalStatus: codeIn(resource.clinicalStatus, CONDITION_CLINICAL),
        verificationStatus: codeIn(resource.verificationStatus, CONDITION_VERIFICATION),
        onset: resource.onsetDateTime,
        abatement: resource.abatementDateTime,
        recorded: resource.recordedDate,
      }),
    to: (entry) => ({
      clinicalStatus: maybe(entry.clinicalStatus, asStatus(CONDITION_CLINICAL)),
      verificationStatus: maybe(entry.verificationStatus, asStatus(CONDITION_VERIFICATION)),
      category: each(entry.categories, toConcept),
      code: toConcept(entry.code),
      onsetDateTime: entry.onset,
      abatementDateTime: entry.abatement,
      recordedDate: entry.recorded,
    }),
  }),
  kind({
    resourceType: "Observation",
    field: "observations",
    schema: observed.extend({
      status: text,
      category: z.array(codeableConcept).optional(),
      code: vitalConcept,
      effectiveDateTime: text.optional(),
      effectivePeriod: period.optional(),
      issued: text.optional(),
      interpretation: z.array(codeableConcept).optional(),
      component: z.array(observed.extend({ code: vitalConcept })).optional(),
    }),
    from: (resource) =>
      defined({
        status: resource.status,
        categories: each(resource.category, conceptFrom),
        code: conceptFrom(resource.code),
        effective: whenFrom(resource.effectiveDateTime, resource.effectivePeriod),
        issued: resource.issued,
        value: valueFrom(resource),
        interpretations: each(resource.interpretation, conceptFrom),
        components: each(resource.component, (component) =>
          defined({ code: conceptFrom(component.code), value: valueFrom(component) }),
        ),
      }),
    to: (entry) => ({
      status: entry.status,
      category: each(entry.categories, toConcept),
      code: toConcept(entry.code),
      ...toWhen("effective", entry.effective),
      issued: entry.issued,
      ...toValue(entry.value),
      interpretation: each(entry.interpretations, toConcept),
      component: each(entry.components, ({ code, value }) => ({ code: toConcept(code), ...toValue(value) })),
    }),
  }),
  kind({
    resourceType: "AllergyIntolerance",
    field: "allergies",
    about: "patient",
    schema: z.object({
      code: codeableConcept,
      clinicalStatus: codeableConcept.optional(),
      verificationStatus: codeableConcept.optional(),
      type: text.optional(),
      category: z.array(text).optional(),
      criticality: text.optional(),
      onsetDateTime: text.optional(),
      recordedDate: text.optional(),
      reaction: z
        .array(z.object({ manifestation: z.array(codeableConcept), severity: text.optional() }))
        .optional(),
    }),
    from: (resource) =>
      defined({
        code: conceptFrom(resource.code),
        clinicalStatus: codeIn(resource.clinicalStatus, ALLERGY_CLINICAL),
        verificationStatus: codeIn(resource.verificationStatus, ALLERGY_VERIFICATION),
        type: resource.type,
        categories: each(resource.category, (category) => category),
        criticality: resource.criticality,
        onset: resource.onsetDateTime,
        recorded: resource.recordedDate,
        reactions: each(resource.reaction, ({ manifestation, severity }) =>
          defined({ manifestations: manifestation.map(conceptFrom), severity }),
        ),
      }),
    to: (entry) => ({
      clinicalStatus: maybe(entry.clinicalStatus, asStatus(ALLERGY_CLINICAL)),
      verificationStatus: maybe(entry.verificationStatus, asStatus(ALLERGY_VERIFICATION)),
      type: entry.type,
      category: entry.categories,
      criticality: entry.criticality,
      code: toConcept(entry.code),
      onsetDateTime: entry.onset,
      recordedDate: entry.recorded,
      reaction: each(entry.reactions, ({ manifestations, severity }) =>
        defined({ manifestation: manifestations.map(toConcept), severity }),
      ),
    }),
  }),
  kind({
    resourceType: "MedicationRequest",
    field: "medications",
    reversing: ["doNotPerform"],
    schema: z.object({
      status: text,
      intent: text,
      medicationCodeableConcept: codeableConcept,
      authoredOn: text.optional(),
      dosageInstruction: z.array(dosage).optional(),
    }),
    from: (resource) =>
      defined({
        kind: "request",
        status: resource.status,
        intent: resource.intent,
        medication: conceptFrom(resource.medicationCodeableConcept),
        authored: resource.authoredOn,
        dosages: dosagesFrom(resource.dosageInstruction),
      }),
    to: (entry) =>
      entry.kind !== "request"
        ? null
        : {
            status: entry.status,
            intent: entry.intent,
            medicationCodeableConcept: toConcept(entry.medication),
            authoredOn: entry.authored,
            dosageInstruction: each(entry.dosages, toDosage),
          },
  }),
  kind({
    resourceType: "MedicationStatement",
    field: "medications",
    schema: z.object({
      status: text,
      medicationCodeableConcept: codeableConcept,
      effectiveDateTime: text.optional(),
      effectivePeriod: period.optional(),
      dateAsserted: text.optional(),
      dosage: z.array(dosage).optional(),
    }),
    from: (resource) =>
      defined({
        kind: "statement",
        status: resource.status,
        medication: conceptFrom(resource.medicationCodeableConcept),
        effective: whenFrom(resource.effectiveDateTime, resource.effectivePeriod),
        asserted: resource.dateAsserted,
        dosages: dosagesFrom(resource.dosage),
      }),
    to: (entry) =>
      entry.kind !== "statement"
        ? null
        : {
            status: entry.status,
            medicationCodeableConcept: toConcept(entry.medication),
            ...toWhen("effective", entry.effective),
            dateAsserted: entry.asserted,
            dosage: each(entry.dosages, toDosage),
          },
  }),
  kind({
    resourceType: "Procedure",
    field: "procedures",
    schema: z.object({
      status: text,
      code: codeableConcept,
      performedDateTime: text.optional(),
      performedPeriod: period.optional(),
      reasonCode: z.array(codeableConcept).optional(),
    }),
    from: (resource) =>
      defined({
        status: resource.status,
        code: conceptFrom(resource.code),
        performed: whenFrom(resource.performedDateTime, resource.performedPeriod),
        reasons: each(resource.reasonCode, conceptFrom),
      }),
    to: (entry) => ({
      status: entry.status,
      code: toConcept(entry.code),
      ...toWhen("performed", entry.performed),
      reasonCode: each(entry.reasons, toConcept),
    }),
  }),
  kind({
    resourceType: "Immunization",
    field: "immunizations",
    about: "patient",
    reversing: ["isSubpotent"],
    schema: z.object({
      status: text,
      vaccineCode: codeableConcept,
      occurrenceDateTime: text,
      primarySource: z.boolean().optional(),
    }),
    from: (resource) =>
      defined({
        status: resource.status,
        vaccine: conceptFrom(resource.vaccineCode),
        occurrence: resource.occurrenceDateTime,
        primarySource: resource.primarySource,
      }),
    to: (entry) => ({
      status: entry.status,
      vaccineCode: toConcept(entry.vaccine),
      occurrenceDateTime: entry.occurrence,
      primarySource: entry.primarySource,
    }),
  }),
  kind({
    resourceType: "DocumentReference",
    field: "notes",
    schema: z.object({
      status: z.literal("current", "only a current document is taken"),
      date: text.optional(),
      description: text.optional(),
      content: z
        .array(
          z.object({
            attachment: z.object({
              contentType: text.regex(/^text\/plain(; ?charset=utf-8)?$/i, "only plain text is taken"),
              data: z.string("only a text inside the resource is taken"),
            }),
          }),
        )
        .length(1),
    }),
    from: ({ date, description, content }) =>
      defined({
        title: description,
        written: date,
        text: new TextDecoder("utf-8", { fatal: true }).decode(fromBase64(content[0]?.attachment.data ?? "")),
      }),
    to: ({ title, written, text: words }) => ({
      status: "current",
      date: written,
      description: title,
      content: [{ attachment: { contentType: "text/plain; charset=utf-8", data: toBase64(utf8(words)) } }],
    }),
  }),
];

function dosagesFrom(dosages: z.infer<typeof dosage>[] | undefined): Draft[] | undefined {
  const said = each(dosages, ({ asNeededBoolean, ...rest }) =>
    defined({ ...rest, asNeeded: asNeededBoolean }),
  )?.filter((entry) => Object.keys(entry).length > 0);
  return each(said, (entry) => entry);
}

function toDosage(entry: {
  readonly sequence?: number;
  readonly text?: string;
  readonly asNeeded?: boolean;
}): object {
  return defined({ sequence: entry.sequence, text: entry.text, asNeededBoolean: entry.asNeeded });
}

/** The resource of an entry, about a patient by reference; null for an entry of another type. */
export function resourceOf(entryKind: EntryKind, entry: unknown, patient: string): Resource | null {
  const members = entryKind.to(entry);
  const { resourceType, about } = entryKind;
  return members === null ? null : defined({ resourceType, ...members, [about]: { reference: patient } });
}
