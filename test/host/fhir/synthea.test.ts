import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exportBundle, importBundle } from "../../../host/fhir/index.ts";
import { mergeParts, splitRecord } from "../../../host/patient-record/index.ts";
import { evaluationFile } from "../../support/data.ts";
import { faultsOf } from "./validator.ts";

const folder = evaluationFile("records/synthea_fhir");
const files = folder === null ? [] : readdirSync(folder).filter((name) => name.endsWith(".json"));
const OPTIONS = { pseudonym: "p", at: 0 };

interface RawBundle {
  readonly entry: readonly {
    readonly resource: { readonly resourceType: string } & Record<string, unknown>;
  }[];
}

const TAKEN = [
  "Patient",
  "Condition",
  "Observation",
  "AllergyIntolerance",
  "MedicationRequest",
  "Procedure",
  "Immunization",
];

describe.skipIf(folder === null)("a Synthea patient", () => {
  const load = (name: string) => JSON.parse(readFileSync(join(folder as string, name), "utf8")) as RawBundle;

  it.each(files)("%s is taken, with nothing dropped in silence", (name) => {
    const bundle = load(name);
    const { record, report } = importBundle(bundle);
    const found = Object.values(report.types).reduce((sum, { found }) => sum + found, 0);
    expect(found).toBe(bundle.entry.length);
    expect(report.refused).toEqual([]);
    for (const [type, { found: number, taken, leftOut }] of Object.entries(report.types)) {
      const expected = bundle.entry.filter(({ resource }) => resource.resourceType === type).length;
      expect([number, taken, leftOut], type).toEqual(
        TAKEN.includes(type) ? [expected, expected, 0] : [expected, 0, expected],
      );
    }
    // What is left out of taken resources: ids, references, tags, narrative, and extensions that the record has no
    // place for.
    const members = Object.keys(report.members).filter(
      (path) =>
        !/\.(id|meta\.tag\[\]\..+|text\.(div|status)|(encounter|requester|reasonReference\[\])\.(reference|display))$/.test(
          path,
        ) && !/\.extension\[\]|\.multipleBirth/.test(path),
    );
    expect(members).toEqual([]);

    const raw = bundle.entry.find(({ resource }) => resource.resourceType === "Patient")
      ?.resource as unknown as {
      readonly birthDate: string;
      readonly name: readonly { readonly family: string }[];
    };
    expect(record.birthDate).toBe(raw.birthDate);
    expect(record.names?.[0]?.family).toBe(raw.name[0]?.family);
    expect(record.identifiers?.length).toBeGreaterThan(2);
  });

  it.each(files)("%s comes back after export, and the export is valid", (name) => {
    const { record } = importBundle(load(name));
    const bundle = exportBundle(record, OPTIONS);
    expect(importBundle(JSON.parse(JSON.stringify(bundle))).record).toEqual(record);
    expect(faultsOf(bundle)).toEqual([]);
    for (const { resource } of bundle.entry) {
      expect(faultsOf(resource)).toEqual([]);
    }
  });

  it.each(files)("%s tells nothing of who it is outside of the region identity", (name) => {
    const { record } = importBundle(load(name));
    const { profile, medical, identity } = splitRecord(record);
    const text = JSON.stringify(exportBundle(mergeParts({ profile, medical }), OPTIONS));
    const words = [
      ...(identity.names ?? []).map(({ family }) => family),
      ...(identity.identifiers ?? []).map(({ value }) => value),
      ...(identity.contacts ?? []).map(({ value }) => value),
      ...(identity.addresses ?? []).flatMap(({ lines }) => lines ?? []),
      identity.birthDate,
      identity.mothersMaidenName,
    ];
    expect(words.length).toBeGreaterThan(6);
    for (const word of words.filter((word) => word !== undefined)) {
      // A birth date may also be the day of a newborn's first visit; the patient's entry must not have it.
      const where = word === identity.birthDate ? JSON.stringify(JSON.parse(text).entry[0]) : text;
      expect(where.includes(word)).toBe(false);
    }
  });
});
