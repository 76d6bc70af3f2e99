import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exportBundle, importBundle } from "../../../host/fhir/index.ts";
import {
  mergeParts,
  type PatientRecord,
  parseRecord,
  splitRecord,
} from "../../../host/patient-record/index.ts";
import { REGIONS, type Region } from "../../../host/sealing/index.ts";
import { anyRecord, FULL_RECORD } from "../patient-record/records.ts";
import { codeOf } from "../sealing/fixtures.ts";
import { faultsOf } from "./validator.ts";

const OPTIONS = { pseudonym: "0123456789abcdef0123456789abcdef", at: Date.UTC(2026, 0, 1) };
const throughJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
const viewOf = (regions: readonly Region[]): PatientRecord => {
  const parts = splitRecord(FULL_RECORD);
  return mergeParts(Object.fromEntries(regions.map((region) => [region, parts[region]])));
};
const patientOf = (view: PatientRecord) => exportBundle(view, OPTIONS).entry[0]?.resource;

describe("a record as a FHIR R4 bundle", () => {
  it("comes back as the record it was, with every field there is", () => {
    const { record, report } = importBundle(throughJson(exportBundle(FULL_RECORD, OPTIONS)));
    expect(record).toEqual(FULL_RECORD);
    expect(report.refused).toEqual([]);
    // Ids are made for the bundle and are not part of the record.
    expect(Object.keys(report.members).filter((path) => !path.endsWith(".id"))).toEqual([]);
  });

  it("comes back as the record it was, whichever it was", () => {
    fc.assert(
      fc.property(anyRecord, (made) => {
        // A date of birth brings its year with it; everything else comes back as it went.
        const record = parseRecord(
          made.birthDate === undefined ? made : { ...made, birthYear: Number(made.birthDate.slice(0, 4)) },
        );
        const { record: back, report } = importBundle(throughJson(exportBundle(record, OPTIONS)));
        expect(back).toEqual(record);
        expect(report.refused).toEqual([]);
      }),
    );
  });

  it.each([
    [["profile"]],
    [["medical"]],
    [["profile", "medical"]],
    [["identity", "profile"]],
  ] as Region[][][])("comes back as the same view when only %j is granted", (regions) => {
    const view = viewOf(regions);
    expect(importBundle(throughJson(exportBundle(view, OPTIONS))).record).toEqual(view);
  });

  it("is valid for an independent validator, whole and in every view", () => {
    for (let mask = 0; mask < 8; mask++) {
      const view = viewOf(REGIONS.filter((_, i) => mask & (1 << i)));
      const bundle = exportBundle(view, OPTIONS);
      expect(faultsOf(bundle)).toEqual([]);
      for (const { resource } of bundle.entry) {
        expect(faultsOf(resource), resource.resourceType).toEqual([]);
      }
    }
    // The validator does see what is wrong.
    expect(faultsOf({ resourceType: "Observation", status: "bogus", code: {}, more: 1 })).toHaveLength(2);
  });

  it("shows of a patient what was granted and nothing else", () => {
    expect(patientOf(viewOf(["profile"]))).toMatchObject({
      birthDate: "1984",
      gender: "female",
      address: [{ postalCode: "01887" }],
    });
    for (const regions of [["profile"], ["medical"], ["profile", "medical"]] as Region[][]) {
      const text = JSON.stringify(exportBundle(viewOf(regions), OPTIONS));
      for (const word of ["Quillfeather", "07-02", "999-48-8934", "555-767", "Doyle", "Wuckert", "Methuen"]) {
        expect(text, `${regions}: ${word}`).not.toContain(word);
      }
    }
    expect(Object.keys(patientOf(viewOf(["medical"])) ?? {}).sort()).toEqual([
      "deceasedDateTime",
      "id",
      "resourceType",
    ]);
    expect(patientOf(viewOf(["identity", "profile"]))?.address).toHaveLength(1);
    expect(patientOf({ addresses: [{ city: "Wilmington" }], postcode: "01887" })?.address).toEqual([
      { city: "Wilmington" },
      { postalCode: "01887" },
    ]);
    expect(JSON.stringify(exportBundle(viewOf(["identity", "profile"]), OPTIONS))).not.toContain("38341003");
    expect(JSON.stringify(exportBundle(FULL_RECORD, OPTIONS))).not.toContain(OPTIONS.pseudonym);
  });

  it("has blood pressure as the panel 85354-9 with LOINC, UCUM and IEEE 11073 codes", () => {
    const panel = exportBundle(viewOf(["medical"]), OPTIONS).entry.find(({ resource }) =>
      JSON.stringify(resource).includes("85354-9"),
    )?.resource;
    expect(panel).toMatchObject({
      resourceType: "Observation",
      component: [
        {
          code: { coding: [{ code: "8480-6" }, { system: "urn:iso:std:iso:11073:10101", code: "150021" }] },
          valueQuantity: { value: 118.5, system: "http://unitsofmeasure.org", code: "mm[Hg]" },
        },
        {
          code: { coding: [{ code: "8462-4" }, { code: "150022" }] },
          valueQuantity: { value: 83.7, code: "mm[Hg]" },
        },
      ],
    });
  });

  it("is the same for the same view, and of two patients has no id in common", () => {
    const ids = (pseudonym: string) =>
      exportBundle(FULL_RECORD, { ...OPTIONS, pseudonym }).entry.map(({ fullUrl }) => fullUrl);
    expect(ids("a")).toEqual(ids("a"));
    expect(ids("a").filter((id) => ids("b").includes(id))).toEqual([]);
    expect(new Set(ids("a")).size).toBe(ids("a").length);
    const twice = { conditions: [{ code: { text: "x" } }, { code: { text: "x" } }] };
    const bundle = exportBundle(twice, OPTIONS);
    expect(new Set(bundle.entry.map(({ fullUrl }) => fullUrl)).size).toBe(3);
  });
});

describe("a bundle that comes in", () => {
  const patient = { resourceType: "Patient", id: "p1", name: [{ family: "Quillfeather" }] };
  const bundle = (...resources: object[]) => ({
    resourceType: "Bundle",
    type: "collection",
    entry: [patient, ...resources].map((resource) => ({ resource })),
  });
  const observation = {
    resourceType: "Observation",
    status: "final",
    code: { text: "x" },
    subject: { reference: "Patient/p1" },
    valueString: "y",
  };

  it.each([
    ["nothing", undefined],
    ["a list", []],
    ["another resource", patient],
    ["no entries", { resourceType: "Bundle", type: "collection", entry: [] }],
    ["an entry without a resource", { resourceType: "Bundle", entry: [{ fullUrl: "urn:uuid:1" }] }],
    ["a type that is none", { resourceType: "Bundle", entry: [{ resource: { resourceType: "__proto__" } }] }],
  ])("is refused when it is %s", (_, input) => {
    expect(codeOf(() => importBundle(input))).toBe("FHIR_BUNDLE_INVALID");
  });

  it("is refused when it is about nobody or about two", () => {
    expect(codeOf(() => importBundle({ resourceType: "Bundle", entry: [{ resource: observation }] }))).toBe(
      "FHIR_BUNDLE_PATIENTS",
    );
    expect(codeOf(() => importBundle(bundle(patient)))).toBe("FHIR_BUNDLE_PATIENTS");
  });

  it.each([
    ["is inactive", { ...patient, active: false }],
    ["was replaced", { ...patient, link: [{ other: { reference: "Patient/2" }, type: "replaced-by" }] }],
    ["has a changed meaning", { ...patient, modifierExtension: [{ url: "x", valueBoolean: true }] }],
    ["has a gender that is none", { ...patient, gender: "m" }],
    ["has a birth date that is none", { ...patient, birthDate: "2.7.1984" }],
    ["has a name that is a number", { ...patient, name: [{ family: 7 }] }],
  ])("is refused when its patient %s", (_, broken) => {
    const input = { resourceType: "Bundle", entry: [{ resource: broken }] };
    expect(codeOf(() => importBundle(input))).toBe("FHIR_PATIENT_INVALID");
    expect(() => importBundle(input)).not.toThrow(/Quillfeather|2\.7\.1984/);
  });

  it("counts every resource once: taken, left out or refused with the reason", () => {
    const { record, report } = importBundle(
      bundle(
        observation,
        { ...observation, subject: { reference: "Patient/p2" } },
        { ...observation, subject: undefined },
        { ...observation, status: "bogus" },
        { ...observation, valueString: undefined, valueRatio: {} },
        { ...observation, component: [{ code: { text: "x" }, valuePeriod: {} }] },
        { ...observation, modifierExtension: [{ url: "x" }] },
        { ...observation, code: { text: "x", coding: [{ extension: [{ modifierExtension: [] }] }] } },
        { ...observation, implicitRules: "http://example.org" },
        { resourceType: "MedicationRequest", doNotPerform: true, subject: { reference: "Patient/p1" } },
        { resourceType: "Immunization", isSubpotent: true, patient: { reference: "Patient/p1" } },
        { resourceType: "Claim", total: 7 },
        { resourceType: "Claim" },
      ),
    );
    expect(record.observations).toHaveLength(1);
    expect(report.types).toEqual({
      Patient: { found: 1, taken: 1, leftOut: 0, refused: 0 },
      Observation: { found: 9, taken: 1, leftOut: 0, refused: 8 },
      MedicationRequest: { found: 1, taken: 0, leftOut: 0, refused: 1 },
      Immunization: { found: 1, taken: 0, leftOut: 0, refused: 1 },
      Claim: { found: 2, taken: 0, leftOut: 2, refused: 0 },
    });
    expect(report.refused.map(({ index, why }) => [index, why])).toEqual([
      [2, "it is not about this patient"],
      [3, "it is not about this patient"],
      [4, expect.stringContaining("status")],
      [5, "valueRatio has no place in the record"],
      [6, "valuePeriod has no place in the record"],
      [7, "an extension changes its meaning"],
      [8, "an extension changes its meaning"],
      [9, "an extension changes its meaning"],
      [10, "doNotPerform changes its meaning"],
      [11, "isSubpotent changes its meaning"],
    ]);
  });

  it("finds a medicine that stands in a resource of its own", () => {
    const request = {
      resourceType: "MedicationRequest",
      status: "active",
      intent: "order",
      subject: { reference: "Patient/p1" },
    };
    const { record, report } = importBundle(
      bundle(
        { ...request, medicationReference: { reference: "Medication/m1" } },
        { ...request, medicationReference: { reference: "Medication/m2" } },
        { resourceType: "Medication", id: "m1", code: { text: "garlic" } },
      ),
    );
    expect(record.medications).toMatchObject([{ medication: { text: "garlic" } }]);
    expect(report.types.Medication).toEqual({ found: 1, taken: 0, leftOut: 1, refused: 0 });
    expect(report.refused.map(({ index }) => index)).toEqual([2]);
  });

  it("says which members of taken resources have no place", () => {
    const { report } = importBundle(
      bundle({
        ...observation,
        encounter: { reference: "Encounter/1" },
        performer: [{ reference: "Practitioner/1" }, { reference: "Practitioner/2" }],
        code: { text: "x", coding: [{ system: "http://loinc.org", version: "2.77", code: "1-8" }] },
      }),
    );
    expect(report.members).toEqual({
      "Patient.id": 1,
      "Observation.encounter.reference": 1,
      "Observation.performer[].reference": 2,
      "Observation.code.coding[].version": 1,
    });
  });

  it("is refused or left aside, and nothing breaks, where it is nested beyond all measure", () => {
    const deep = JSON.parse(`${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`);
    expect(codeOf(() => importBundle(bundle({ ...observation, deep })))).toBe("none");
    expect(importBundle(bundle({ ...observation, deep })).report.types.Observation?.refused).toBe(1);
    const patientToo = { resourceType: "Bundle", entry: [{ resource: { ...patient, deep } }] };
    expect(codeOf(() => importBundle(patientToo))).toBe("FHIR_PATIENT_INVALID");
    expect(codeOf(() => importBundle(bundle({ resourceType: "Claim", deep })))).toBe("none");
  });

  it("takes a resource that is nested too deeply, or of notes what is no plain text, for refused", () => {
    let deep: unknown = 1;
    for (let i = 0; i < 100; i++) {
      deep = { deep };
    }
    const note = (attachment: object) => ({
      resourceType: "DocumentReference",
      status: "current",
      subject: { reference: "Patient/p1" },
      content: [{ attachment }],
    });
    const { report, record } = importBundle(
      bundle(
        { ...observation, deep },
        note({ contentType: "application/pdf", data: "AAAA" }),
        note({ contentType: "text/plain", url: "http://example.org" }),
        note({ contentType: "text/plain", data: "/w==" }),
        note({ contentType: "text/plain", data: "?" }),
        note({ contentType: "text/plain", data: "d2VsbA==" }),
      ),
    );
    expect(report.refused).toHaveLength(5);
    expect(record).toEqual({ names: [{ family: "Quillfeather" }], notes: [{ text: "well" }] });
  });

  it("never throws anything but an error of ours, whatever comes in", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, two) => {
        codeOf(() => importBundle(one));
        codeOf(() => importBundle(bundle({ ...observation, code: one, component: two })));
        codeOf(() =>
          importBundle({ resourceType: "Bundle", entry: [{ resource: { ...patient, name: one } }] }),
        );
      }),
    );
  });
});
