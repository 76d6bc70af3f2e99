import fc from "fast-check";
import type { Concept, PatientRecord } from "../../../host/patient-record/index.ts";

const concept = (system: string, code: string, display: string): Concept => ({
  codings: [{ system, code, display }],
  text: display,
});
const loinc = (code: string, display: string) => concept("http://loinc.org", code, display);
const snomed = (code: string, display: string) => concept("http://snomed.info/sct", code, display);
const ucum = (value: number, code: string) => ({
  quantity: { value, unit: code, system: "http://unitsofmeasure.org", code },
});
const VITAL: Concept = {
  codings: [
    {
      system: "http://terminology.hl7.org/CodeSystem/observation-category",
      code: "vital-signs",
      display: "Vital Signs",
    },
  ],
};

/** A record that uses every field there is. */
export const FULL_RECORD: PatientRecord = {
  names: [{ use: "official", family: "Quillfeather", given: ["Ada", "Maria"], prefix: ["Dr."] }],
  birthDate: "1984-07-02",
  identifiers: [
    {
      system: "http://hl7.org/fhir/sid/us-ssn",
      value: "999-48-8934",
      type: concept("http://terminology.hl7.org/CodeSystem/v2-0203", "SS", "Social Security Number"),
    },
    { system: "http://hospital.example.org", value: "MRN-1484" },
  ],
  contacts: [
    { system: "phone", value: "555-767-7476", use: "home" },
    { system: "email", value: "ada@example.org" },
  ],
  addresses: [
    {
      use: "home",
      lines: ["931 Doyle Corner", "Apt 89"],
      city: "Wilmington",
      state: "Massachusetts",
      postcode: "01887",
      country: "US",
    },
  ],
  birthPlace: { city: "Methuen", state: "Massachusetts", country: "US" },
  mothersMaidenName: "Carmela Wuckert",
  birthYear: 1984,
  sex: "female",
  birthSex: "F",
  postcode: "01887",
  maritalStatus: concept("http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "M", "Married"),
  languages: [concept("urn:ietf:bcp:47", "en-US", "English")],
  race: concept("urn:oid:2.16.840.1.113883.6.238", "2106-3", "White"),
  ethnicity: concept("urn:oid:2.16.840.1.113883.6.238", "2186-5", "Not Hispanic or Latino"),
  deceased: "2026-03-01T04:00:00Z",
  conditions: [
    {
      code: snomed("38341003", "Hypertension"),
      clinicalStatus: "resolved",
      verificationStatus: "confirmed",
      onset: "2001-10-08T20:19:03+00:00",
      abatement: "2010",
      recorded: "2001-10-08T20:19:03+00:00",
      categories: [
        concept(
          "http://terminology.hl7.org/CodeSystem/condition-category",
          "problem-list-item",
          "Problem List Item",
        ),
      ],
    },
  ],
  observations: [
    {
      status: "final",
      categories: [VITAL],
      code: {
        codings: [
          { system: "http://loinc.org", code: "8867-4", display: "Heart rate" },
          { system: "urn:iso:std:iso:11073:10101", code: "147842", display: "MDC_ECG_HEART_RATE" },
        ],
        text: "Heart rate",
      },
      effective: "2020-10-20T19:19:03+00:00",
      issued: "2020-10-20T19:19:03.621+00:00",
      value: ucum(72, "/min"),
      interpretations: [
        concept("http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "N", "Normal"),
      ],
    },
    {
      status: "final",
      code: loinc("72166-2", "Tobacco smoking status NHIS"),
      effective: { start: "2020-10-20", end: "2020-10-21" },
      value: { concept: snomed("266919005", "Never smoker") },
    },
    { status: "preliminary", code: { text: "Remark" }, value: { text: "feels faint at night" } },
    { status: "final", code: { text: "Fell" }, value: { boolean: false } },
    { status: "final", code: { text: "Falls" }, value: { integer: 3 } },
    {
      status: "final",
      categories: [VITAL],
      code: {
        codings: [
          {
            system: "http://loinc.org",
            code: "85354-9",
            display: "Blood pressure panel with all children optional",
          },
          { system: "urn:iso:std:iso:11073:10101", code: "150020", display: "MDC_PRESS_BLD_NONINV" },
        ],
      },
      effective: "2020-10-20T19:19:03+00:00",
      components: [
        {
          code: {
            codings: [
              { system: "http://loinc.org", code: "8480-6", display: "Systolic blood pressure" },
              { system: "urn:iso:std:iso:11073:10101", code: "150021", display: "MDC_PRESS_BLD_NONINV_SYS" },
            ],
          },
          value: ucum(118.5, "mm[Hg]"),
        },
        {
          code: {
            codings: [
              { system: "http://loinc.org", code: "8462-4", display: "Diastolic blood pressure" },
              { system: "urn:iso:std:iso:11073:10101", code: "150022", display: "MDC_PRESS_BLD_NONINV_DIA" },
            ],
          },
          value: ucum(83.7, "mm[Hg]"),
        },
      ],
    },
  ],
  allergies: [
    {
      code: snomed("91935009", "Allergy to peanuts"),
      clinicalStatus: "active",
      verificationStatus: "confirmed",
      type: "allergy",
      categories: ["food"],
      criticality: "high",
      onset: "1990",
      recorded: "1990-02-03",
      reactions: [{ manifestations: [snomed("271807003", "Skin eruption")], severity: "mild" }],
    },
  ],
  medications: [
    {
      kind: "request",
      status: "stopped",
      intent: "order",
      medication: concept(
        "http://www.nlm.nih.gov/research/umls/rxnorm",
        "314076",
        "lisinopril 10 MG Oral Tablet",
      ),
      authored: "2012-01-02T03:04:05+00:00",
      dosages: [{ sequence: 1, asNeeded: true }],
    },
    {
      kind: "statement",
      status: "active",
      medication: { text: "garlic" },
      effective: { start: "2019-05" },
      asserted: "2019-06-01",
      dosages: [{ text: "one clove a day" }],
    },
  ],
  procedures: [
    {
      status: "completed",
      code: snomed("428191000124101", "Documentation of current medications"),
      performed: { start: "2020-11-24T19:19:03+00:00", end: "2020-11-24T19:34:03+00:00" },
      reasons: [snomed("10509002", "Acute bronchitis")],
    },
  ],
  immunizations: [
    {
      status: "completed",
      vaccine: concept("http://hl7.org/fhir/sid/cvx", "08", "Hep B"),
      occurrence: "2020-10-20",
      primarySource: true,
    },
  ],
  notes: [
    { title: "Telephone", written: "2020-11-24T19:19:03Z", text: "Ada rang.\nShe is well: 38 °C, no 😷." },
  ],
};

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }).filter((s) => /\S/.test(s));
const code = fc.stringMatching(/^[A-Za-z0-9-]{1,12}$/);
const optional = <T extends Record<string, unknown>>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(model, { requiredKeys: [] });
const notEmpty = (value: object) => Object.keys(value).length > 0;
const listOf = <T>(element: fc.Arbitrary<T>) => fc.array(element, { minLength: 1, maxLength: 3 });
const coding = optional({
  system: fc.constantFrom("http://loinc.org", "http://snomed.info/sct"),
  code,
  display: text,
}).filter(notEmpty);
const aConcept = optional({ codings: listOf(coding), text }).filter(notEmpty);
const date = fc
  .tuple(
    fc.integer({ min: 1900, max: 2030 }),
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 1, max: 28 }),
  )
  .map(([year, month, day]) => `${year}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`);
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value));
const observation = fc.record(
  {
    status: fc.constantFrom("final" as const, "preliminary" as const),
    code: aConcept,
    effective: date,
    value: fc.oneof(
      fc.record({ quantity: fc.record({ value: number, unit: text }, { requiredKeys: ["value"] }) }),
      fc.record({ concept: aConcept }),
      fc.record({ boolean: fc.boolean() }),
      fc.record({ text }),
    ),
  },
  { requiredKeys: ["status", "code"] },
);

/** Any record; year and postcode agree with date and address where both are there. */
export const anyRecord: fc.Arbitrary<PatientRecord> = optional({
  names: listOf(optional({ family: text, given: listOf(text), prefix: listOf(text) }).filter(notEmpty)),
  birthDate: date,
  contacts: listOf(fc.record({ system: fc.constantFrom("phone" as const, "email" as const), value: text })),
  mothersMaidenName: text,
  birthYear: fc.integer({ min: 1850, max: 2200 }),
  sex: fc.constantFrom("male" as const, "female" as const, "other" as const, "unknown" as const),
  postcode: code,
  maritalStatus: aConcept,
  conditions: listOf(fc.record({ code: aConcept, onset: date }, { requiredKeys: ["code"] })),
  observations: listOf(observation),
  notes: listOf(fc.record({ text })),
}).map((record) =>
  record.birthDate === undefined || record.birthYear === undefined
    ? record
    : { ...record, birthYear: Number(record.birthDate.slice(0, 4)) },
) as fc.Arbitrary<PatientRecord>;
