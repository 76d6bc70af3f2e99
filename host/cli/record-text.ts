import type { ReadRegion } from "../client/index.ts";
import type { ImportReport } from "../fhir/index.ts";
import {
  type Concept,
  FIELD_NAMES,
  type FieldName,
  type PatientRecord,
  RECORD_FIELDS,
} from "../patient-record/index.ts";
import { REGIONS } from "../sealing/index.ts";
import { type Colours, table } from "./output.ts";

const PREVIEW_CHARACTERS = 60;
const MEMBERS_SHOWN = 12;

/** A record is somebody else's words: what would move a terminal's cursor or turn its text round is not printed. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ");
}

function shorten(text: string): string {
  const characters = [...printable(text)];
  return characters.length <= PREVIEW_CHARACTERS
    ? characters.join("")
    : `${characters.slice(0, PREVIEW_CHARACTERS - 1).join("")}…`;
}

function conceptText({ codings, text }: Concept): string {
  return text ?? codings?.find(({ display }) => display !== undefined)?.display ?? codings?.[0]?.code ?? "";
}

/** One line about what a field holds. */
function preview(name: FieldName, record: PatientRecord): string {
  const concepts: Partial<Record<FieldName, readonly Concept[] | undefined>> = {
    conditions: record.conditions?.map(({ code }) => code),
    observations: record.observations?.map(({ code }) => code),
    allergies: record.allergies?.map(({ code }) => code),
    medications: record.medications?.map(({ medication }) => medication),
    procedures: record.procedures?.map(({ code }) => code),
    immunizations: record.immunizations?.map(({ vaccine }) => vaccine),
    languages: record.languages,
  };
  const listed = concepts[name];
  if (listed !== undefined) {
    return [...new Set(listed.map(conceptText))].join(", ");
  }
  switch (name) {
    case "names":
      return (record.names ?? [])
        .map(
          ({ text, prefix, given, family }) =>
            text ?? [...(prefix ?? []), ...(given ?? []), family].join(" "),
        )
        .join(", ");
    case "identifiers":
      return (record.identifiers ?? []).map(({ value }) => value).join(", ");
    case "contacts":
      return (record.contacts ?? []).map(({ value }) => value).join(", ");
    case "addresses":
      return (record.addresses ?? [])
        .map(({ text, lines, postcode, city }) => text ?? [...(lines ?? []), postcode, city].join(" "))
        .join(", ");
    case "notes":
      return (record.notes ?? []).map(({ title, text }) => title ?? text).join(", ");
    case "birthPlace":
      return [record.birthPlace?.city, record.birthPlace?.country].join(" ");
    case "maritalStatus":
    case "race":
    case "ethnicity":
      return conceptText(record[name] ?? {});
    default:
      return String(record[name]);
  }
}

/** The fields of a record by region: the classification. */
export function recordTable(record: PatientRecord, colours: Colours): string {
  const rows = [["region", "field", "count", "what"]];
  for (const region of REGIONS) {
    for (const name of FIELD_NAMES.filter((field) => RECORD_FIELDS[field].region === region)) {
      const value = record[name];
      if (value !== undefined) {
        const count = Array.isArray(value) ? String(value.length) : "1";
        rows.push([region, RECORD_FIELDS[name].label, count, shorten(preview(name, record))]);
      }
    }
  }
  return table(rows, colours);
}

/** What an import took and what it did not. */
export function reportText({ types, members, refused }: ImportReport, colours: Colours): string {
  const left = Object.entries(types)
    .filter(([, { leftOut }]) => leftOut > 0)
    .map(([type, { leftOut }]) => `${type} ${leftOut}`);
  const missing = Object.entries(members).sort(([, a], [, b]) => b - a);
  const more = missing.length - MEMBERS_SHOWN;
  return [
    ...(left.length === 0 ? [] : [`  left out, for the record has no place for them: ${left.join(", ")}`]),
    ...(missing.length === 0
      ? []
      : [
          colours.dim(
            `  left out of what was taken: ${missing
              .slice(0, MEMBERS_SHOWN)
              .map(([path, count]) => `${path} ${count}`)
              .join(", ")}${more > 0 ? ` and ${more} more (see --json)` : ""}`,
          ),
        ]),
    ...refused.map(({ index, resourceType, why }) =>
      colours.yellow(`  not taken: entry ${index}, ${resourceType}: ${printable(why)}`),
    ),
  ].join("\n");
}

/** What became of each granted region. */
export function regionsText(regions: readonly ReadRegion[], colours: Colours): string {
  return regions
    .map((read) => {
      if (read.status === "refused") {
        return colours.red(`  ✗ ${read.region}: ${read.error.message} [${read.error.code}]`);
      }
      return colours.dim(
        read.status === "empty"
          ? `  ${read.region}: nothing was saved yet`
          : `  ${read.region}: version ${read.version} of ${new Date(read.createdAt).toISOString()}`,
      );
    })
    .join("\n");
}

/** What a region turned out to be, for programs. */
export function regionData(read: ReadRegion): Readonly<Record<string, unknown>> {
  const { region, status } = read;
  switch (read.status) {
    case "read":
      return { region, status, version: read.version, createdAt: read.createdAt };
    case "refused":
      return { region, status, code: read.error.code };
    default:
      return { region, status };
  }
}
