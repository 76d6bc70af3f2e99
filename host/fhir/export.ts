import type { PatientRecord } from "../patient-record/index.ts";
import { ENTRY_KINDS, type EntryKind, resourceOf } from "./entries.ts";
import { type Resource, uuidOf } from "./json.ts";
import { toPatient } from "./patient.ts";

/** A FHIR R4 Bundle. */
export type Bundle = Resource & {
  readonly entry: readonly { readonly fullUrl: string; readonly resource: Resource }[];
};

/** A field's entries keep their order, whichever types of resource they become. */
function entryResource(field: EntryKind["field"], entry: unknown, patient: string): Resource {
  for (const kind of ENTRY_KINDS) {
    const resource = kind.field === field ? resourceOf(kind, entry, patient) : null;
    if (resource !== null) {
      return resource;
    }
  }
  throw new Error(`no type of resource holds an entry of ${field}`);
}

/**
 * A record, or as much of it as somebody may see, as a FHIR R4 Bundle (type `collection`): a Patient with the granted
 * fields alone, and the medical entries. Ids follow from the content, so that the same view gives the same bundle.
 *
 * @param options.pseudonym what stands for the patient: the account's id, never a name or number
 * @param options.at time of the bundle, ms since 1970 UTC
 */
export function exportBundle(
  view: PatientRecord,
  options: { readonly pseudonym: string; readonly at: number },
): Bundle {
  const patientId = uuidOf(`Patient ${options.pseudonym}`);
  const patient = `urn:uuid:${patientId}`;
  const fields = [...new Set(ENTRY_KINDS.map(({ field }) => field))];
  const resources = fields.flatMap((field) =>
    (view[field] ?? []).map((entry, index) => {
      const resource = entryResource(field, entry, patient);
      return {
        ...resource,
        id: uuidOf(`${field} ${options.pseudonym} ${index} ${JSON.stringify(resource)}`),
      };
    }),
  );
  return {
    resourceType: "Bundle",
    type: "collection",
    timestamp: new Date(options.at).toISOString(),
    entry: [{ ...toPatient(view), id: patientId }, ...resources].map((resource) => ({
      fullUrl: `urn:uuid:${resource.id}`,
      resource,
    })),
  };
}
