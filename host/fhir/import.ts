import { z } from "zod";
import { isMedcloudletError, MedcloudletError } from "../base/index.ts";
import { type FieldName, type PatientRecord, parseRecord, RECORD_FIELDS } from "../patient-record/index.ts";
import type { Draft } from "./datatypes.ts";
import { ENTRY_KINDS, type EntryKind, resourceOf } from "./entries.ts";
import { leavesOf, lostLeaves, type Resource } from "./json.ts";
import { PATIENT_REVERSING, patientFrom, toPatient } from "./patient.ts";

/** What became of a bundle: every resource of it is counted once in `found`. */
export interface ImportReport {
  /** By type of resource. */
  readonly types: Readonly<
    Record<
      string,
      {
        readonly found: number;
        /** In the record now. */
        readonly taken: number;
        /** Of a type that the record has no place for. */
        readonly leftOut: number;
        /** Of a type that it has a place for, and not taken all the same: see `refused`. */
        readonly refused: number;
      }
    >
  >;
  /** Members of taken resources that are not in the record, by path, and how often. */
  readonly members: Readonly<Record<string, number>>;
  /** Resources that could not be taken, by their position in the bundle. */
  readonly refused: readonly {
    readonly index: number;
    readonly resourceType: string;
    readonly why: string;
  }[];
}

const MAX_ENTRIES = 100_000;

const BUNDLE = z.object({
  resourceType: z.literal("Bundle"),
  entry: z
    .array(
      z.object({
        fullUrl: z.string().optional(),
        resource: z.looseObject({ resourceType: z.string().regex(/^[A-Z][A-Za-z]{1,63}$/) }),
      }),
    )
    .min(1)
    .max(MAX_ENTRIES),
});
type Entry = z.infer<typeof BUNDLE>["entry"][number];

const KIND_OF = new Map(ENTRY_KINDS.map((kind) => [kind.resourceType, kind]));

function unsuitable(code: string, message: string, cause?: unknown): MedcloudletError {
  return new MedcloudletError(code, message, { status: 422, cause });
}

/** Every way in which a bundle may refer to one of its resources. */
function referencesTo({ fullUrl, resource }: Entry): ReadonlySet<string> {
  const { id, resourceType } = resource;
  const ids = typeof id === "string" ? [`${resourceType}/${id}`, `urn:uuid:${id}`] : [];
  return new Set([...(fullUrl === undefined ? [] : [fullUrl]), ...ids]);
}

const VALUE_TAKEN = ["valueQuantity", "valueCodeableConcept", "valueString", "valueBoolean", "valueInteger"];

/** Whether something in a resource says that the rest means another thing. @throws RangeError for what is too deep */
function isModified(resource: Resource): boolean {
  // The walk refuses what is too deep for anything that follows it.
  leavesOf(resource);
  return resource.implicitRules !== undefined || JSON.stringify(resource).includes('"modifierExtension":');
}

/**
 * Why a resource must not be taken although its type is: something in it says that the rest means another thing than
 * it seems to, or what matters most in it is of a kind that the record cannot hold.
 */
function hindrance(resource: Resource, kind: EntryKind): string | undefined {
  if (isModified(resource)) {
    return "an extension changes its meaning";
  }
  const reversed = kind.reversing?.find((member) => (resource[member] ?? false) !== false);
  if (reversed !== undefined) {
    return `${reversed} changes its meaning`;
  }
  const observed = [resource, ...(Array.isArray(resource.component) ? resource.component : [])];
  const value = observed
    .flatMap((part) => Object.keys(part ?? {}))
    .find((member) => /^value[A-Z]/.test(member) && !VALUE_TAKEN.includes(member));
  return kind.resourceType === "Observation" && value !== undefined
    ? `${value} has no place in the record`
    : undefined;
}

/** The codes of medicines that stand in resources of their own, by every way to refer to them. */
function medicationsOf(entries: readonly Entry[]): ReadonlyMap<unknown, unknown> {
  return new Map(
    entries
      .filter(({ resource }) => resource.resourceType === "Medication")
      .flatMap((entry) => [...referencesTo(entry)].map((reference) => [reference, entry.resource.code])),
  );
}

/** What is wrong with a resource, without a value of it. */
function reasonOf(error: unknown): string {
  if (error instanceof z.ZodError) {
    const issue = error.issues[0];
    return `${issue?.path.join(".") || "resource"}: ${issue?.message ?? "unexpected"}`;
  }
  if (isMedcloudletError(error) || error instanceof RangeError) {
    return error.message;
  }
  if (error instanceof TypeError) {
    return "a text is not UTF-8";
  }
  throw error;
}

function checked(field: FieldName, value: unknown): void {
  const parsed = RECORD_FIELDS[field].schema.safeParse(value);
  if (!parsed.success) {
    throw parsed.error;
  }
}

function patientDraft(entry: Entry): Draft {
  const { resource } = entry;
  if (
    (resource.active ?? PATIENT_REVERSING.active) !== PATIENT_REVERSING.active ||
    resource.link !== undefined
  ) {
    throw unsuitable("FHIR_PATIENT_INVALID", "The patient's entry is inactive or was replaced by another.");
  }
  try {
    if (isModified(resource)) {
      throw unsuitable("FHIR_PATIENT_INVALID", "an extension changes the meaning of the entry");
    }
    const draft = patientFrom(resource);
    for (const [field, value] of Object.entries(draft)) {
      checked(field as FieldName, value);
    }
    return draft;
  } catch (error) {
    throw unsuitable("FHIR_PATIENT_INVALID", `The patient cannot be taken: ${reasonOf(error)}.`, error);
  }
}

/**
 * Takes a FHIR R4 bundle about one patient apart into a record. Ids of resources and references between them are
 * not taken: they would let a reader of one region find the rest in another store.
 * @throws MedcloudletError `FHIR_BUNDLE_INVALID`, `FHIR_BUNDLE_PATIENTS` when it is not about exactly one patient,
 *   `FHIR_PATIENT_INVALID`, `RECORD_INVALID`, `RECORD_INCONSISTENT`
 */
export function importBundle(input: unknown): { record: PatientRecord; report: ImportReport } {
  const parsed = BUNDLE.safeParse(input);
  if (!parsed.success) {
    throw unsuitable(
      "FHIR_BUNDLE_INVALID",
      "This is not a FHIR R4 bundle with resources in its entries.",
      parsed.error,
    );
  }
  const entries = parsed.data.entry;
  const patients = entries.filter(({ resource }) => resource.resourceType === "Patient");
  const [patient] = patients;
  if (patient === undefined || patients.length > 1) {
    throw unsuitable(
      "FHIR_BUNDLE_PATIENTS",
      `A record is of one patient; there are ${patients.length} in this bundle.`,
    );
  }
  const references = referencesTo(patient);
  const medications = medicationsOf(entries);
  const types: Record<string, { found: number; taken: number; leftOut: number; refused: number }> = {};
  const members: Record<string, number> = {};
  const refused: { index: number; resourceType: string; why: string }[] = [];
  const lists: Partial<Record<FieldName, Draft[]>> = {};
  const draft = patientDraft(patient);

  const note = (original: Resource, kept: Resource, ignored: string) => {
    for (const [path, count] of lostLeaves(original, kept)) {
      if (path !== ignored) {
        const name = `${original.resourceType}.${path}`;
        members[name] = (members[name] ?? 0) + count;
      }
    }
  };

  const take = (resource: Resource, kind: EntryKind) => {
    const why = hindrance(resource, kind);
    if (why !== undefined) {
      throw unsuitable("FHIR_RESOURCE_REFUSED", why);
    }
    const about = (resource[kind.about] as { reference?: unknown } | undefined)?.reference;
    if (typeof about !== "string" || !references.has(about)) {
      throw unsuitable("FHIR_RESOURCE_REFUSED", "it is not about this patient");
    }
    const { reference } = (resource.medicationReference ?? {}) as { reference?: unknown };
    const medicine = medications.get(reference);
    const entry = kind.from(
      medicine === undefined ? resource : { ...resource, medicationCodeableConcept: medicine },
    );
    checked(kind.field, [entry]);
    note(resource, resourceOf(kind, entry, about) as Resource, `${kind.about}.reference`);
    const list = lists[kind.field] ?? [];
    list.push(entry);
    lists[kind.field] = list;
  };

  for (const [index, { resource }] of entries.entries()) {
    const { resourceType } = resource;
    const counts = types[resourceType] ?? { found: 0, taken: 0, leftOut: 0, refused: 0 };
    types[resourceType] = counts;
    counts.found++;
    const kind = KIND_OF.get(resourceType);
    if (resource === patient.resource) {
      note(resource, toPatient(draft as PatientRecord), "");
      counts.taken++;
    } else if (kind === undefined) {
      counts.leftOut++;
    } else {
      try {
        take(resource, kind);
        counts.taken++;
      } catch (error) {
        refused.push({ index, resourceType, why: reasonOf(error) });
        counts.refused++;
      }
    }
  }
  return { record: parseRecord({ ...draft, ...lists }), report: { types, members, refused } };
}
