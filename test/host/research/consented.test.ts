import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createHttpClient,
  createReader,
  createRecordReader,
  createSeenParts,
  personFingerprint,
} from "../../../host/client/index.ts";
import type { PatientRecord } from "../../../host/patient-record/index.ts";
import {
  anonymize,
  cohortTable,
  createLedger,
  type Guarantee,
  gatherCohort,
  parseSchema,
  type Table,
} from "../../../host/research/index.ts";
import { recordOwnerOf } from "../../support/records.ts";
import { backends } from "../../support/stores.ts";
import { DAY_MS, type Patient, type Person, type System, startSystem } from "../../support/system.ts";
import { FULL_RECORD } from "../patient-record/records.ts";
import { releasedRows } from "./tables.ts";

const SCHEMA = parseSchema({
  columns: [
    { name: "patient", role: "identifier", person: true },
    { name: "birth_year", role: "quasi-identifier", type: "numeric" },
    { name: "sex", role: "quasi-identifier", type: "categorical" },
    { name: "diagnosis", role: "sensitive", type: "categorical" },
  ],
});
const guarantee: Guarantee = { k: 3, l: 2, t: 1, diversity: "distinct" };
const code = (value: string) => ({
  codings: [{ system: "http://snomed.info/sct", code: value }],
  text: "told by Ada",
});

function recordOf(i: number): PatientRecord {
  return {
    names: [{ text: `Nobody ${i}` }],
    birthYear: 1950 + 5 * i,
    sex: i % 2 === 0 ? "female" : "male",
    conditions: [
      { code: code("38341003"), onset: "2001-01-01", clinicalStatus: "resolved" },
      { code: code(i % 3 === 0 ? "44054006" : "195967001"), onset: "2020-01-01", clinicalStatus: "active" },
    ],
  };
}

describe.each(backends())("a release of those who consent, on the $name store", (backend) => {
  const PATIENTS = 8;
  let system: System;
  let researcher: Person;
  const patients: Patient[] = [];

  async function share(patient: Patient, person: Person, handle: string, purpose: "research" | "treatment") {
    await patient.owner.share({
      reader: handle,
      expectedFingerprint: personFingerprint(person.keys),
      regions: ["identity", "profile", "medical"],
      purpose,
      from: system.clock.now(),
      until: system.clock.now() + DAY_MS,
    });
  }

  beforeAll(async () => {
    system = await startSystem(backend);
    researcher = await system.person("researcher", "dr-stork");
    for (let i = 0; i < PATIENTS; i++) {
      const patient = await system.patient(`patient-${i}`, `Nobody ${i}`);
      for (const region of ["identity", "profile", "medical"] as const) {
        await patient.owner.startEpoch(region);
      }
      await recordOwnerOf(system, patient).save(recordOf(i), {});
      patients.push(patient);
    }
    // The last one consents to treatment, by somebody else.
    const doctor = await system.person("doctor", "dr-heron");
    for (const [i, patient] of patients.entries()) {
      await (i < PATIENTS - 1
        ? share(patient, researcher, "dr-stork", "research")
        : share(patient, doctor, "dr-heron", "treatment"));
    }
  });
  afterAll(() => system?.stop());

  function gather(purpose?: "treatment") {
    const http = createHttpClient({ clock: system.clock });
    const common = { http, ...researcher, cloudUrl: system.cloud.url };
    const reader = createReader({ ...common, suite: system.suite, clock: system.clock });
    return gatherCohort({
      reader: {
        async shared() {
          const found = await reader.shared();
          const streams = found.streams.map((stream) =>
            purpose === undefined ? stream : { ...stream, consent: { ...stream.consent, purpose } },
          );
          return { ...found, streams };
        },
      },
      records: createRecordReader({ ...common, seen: createSeenParts({}, async () => {}) }),
    });
  }

  it("opens consented records, releases them without a name or an id, and forgets who withdrew", async () => {
    const { members, refused, spoiled } = await gather();
    expect([members.length, refused, spoiled]).toEqual([PATIENTS - 1, [], []]);
    // Names were shared too, and do not even reach the cohort.
    expect(JSON.stringify(members)).not.toContain("Nobody");

    // The KDC lets nobody consent to treatment by a researcher; if it did, that would be no consent to research.
    expect((await gather("treatment")).members).toEqual([]);

    const store = await backend.open("research");
    const ledger = await createLedger({ store, clock: system.clock, salt: new Uint8Array(32).fill(9) });
    const first = anonymize(cohortTable(members, SCHEMA, ledger.digestRow(SCHEMA)), { guarantee });
    await ledger.enter(first);
    const rows = releasedRows(first, SCHEMA);
    expect(rows).toHaveLength(PATIENTS - 1);
    expect(new Set(rows.map(({ diagnosis }) => diagnosis))).toEqual(new Set(["44054006", "195967001"]));
    for (const { session } of patients) {
      expect(JSON.stringify(rows)).not.toContain(session.account.accountId);
    }
    expect(JSON.stringify(rows)).not.toMatch(/Nobody|Ada/);

    const [leaver] = patients as [Patient];
    for (const { consent } of await leaver.owner.consents()) {
      await leaver.owner.revoke(consent.consentId);
    }
    const later = await gather();
    expect(later.members.map(({ personId }) => personId)).not.toContain(leaver.session.account.accountId);
    expect(later.members).toHaveLength(PATIENTS - 2);
    // One who left would be given away by the difference, so the release has to wait or hold others back.
    const second = anonymize(cohortTable(later.members, SCHEMA, ledger.digestRow(SCHEMA)), { guarantee });
    await expect(ledger.enter(second)).rejects.toThrow(
      expect.objectContaining({ code: "RESEARCH_DIFFERENCING" }),
    );
    await store.close();
  });
});

describe("a row of a record", () => {
  const columns = (...names: string[]) =>
    parseSchema({
      columns: [
        { name: "patient", role: "identifier", person: true },
        { name: "birth_year", role: "quasi-identifier", type: "numeric" },
        ...names.map((name) => ({ name, role: "plain" })),
      ],
    });
  const cells = (record: PatientRecord, ...names: string[]) =>
    cohortTable([{ personId: "p", record }], columns(...names)).plain.map(({ texts }) => texts[0]);

  it("has codes and latest numbers, never what people wrote", () => {
    expect(cells(FULL_RECORD, "postcode", "birth_sex", "marital_status", "deceased")).toEqual([
      "01887",
      "F",
      "M",
      "yes",
    ]);
    const record: PatientRecord = {
      conditions: [
        { code: code("1"), onset: "2019-01-01" },
        { code: code("2"), onset: "2021-01-01" },
        { code: code("3"), onset: "2022-01-01", verificationStatus: "refuted" },
        { code: code("4"), onset: "2023-01-01", abatement: "2024-01-01" },
      ],
      observations: [
        {
          status: "final",
          code: code("8480-6"),
          effective: "2024-01-01",
          value: { quantity: { value: 131 } },
        },
        {
          status: "final",
          code: code("8480-6"),
          effective: "2025-01-01",
          value: { quantity: { value: 128 } },
        },
        {
          status: "entered-in-error",
          code: code("8480-6"),
          effective: "2026-01-01",
          value: { integer: 900 },
        },
        {
          status: "final",
          code: code("8480-6"),
          effective: "2026-02-01",
          value: { quantity: { value: 90, comparator: "<" } },
        },
      ],
    };
    expect(
      cells(
        record,
        "diagnosis",
        "condition:1",
        "condition:3",
        "condition:4",
        "observation:8480-6",
        "observation:1",
      ),
    ).toEqual(["2", "yes", "no", "yes", "128", ""]);
  });

  it("is left out, as if it had never been, where it has a value that the schema does not take", () => {
    const schema = parseSchema({
      columns: [
        { name: "patient", role: "identifier", person: true },
        { name: "birth_year", role: "quasi-identifier", type: "numeric" },
        { name: "sex", role: "quasi-identifier", type: "categorical" },
        {
          name: "postcode",
          role: "quasi-identifier",
          type: "categorical",
          hierarchy: { name: "all", children: ["1010", "1020"] },
        },
        {
          name: "diagnosis",
          role: "sensitive",
          type: "categorical",
          hierarchy: { name: "all", children: ["44054006", "195967001"] },
        },
      ],
    });
    const member = (personId: string, changes: PatientRecord) => ({
      personId,
      record: { ...recordOf(0), postcode: "1010", ...changes },
    });
    const fits = [member("a", {}), member("b", { postcode: "1020" }), member("c", { postcode: "" })];
    const odd = [
      member("x", { postcode: "9999", sex: "other", birthYear: 1900 }),
      member("y", { conditions: [{ code: code("invented"), onset: "2024-01-01" }], sex: "unknown" }),
    ];
    const columns: string[] = [];
    const digests: string[] = [];
    const digestRow = (row: readonly string[]) => {
      digests.push(row.join());
      return row.join();
    };
    const mixed = [odd[0], fits[0], fits[1], odd[1], fits[2]] as typeof fits;
    const table = cohortTable(mixed, schema, digestRow, (column) => columns.push(column));
    expect(columns).toEqual(["postcode", "diagnosis"]);
    expect(digests.map((row) => row[0])).toEqual(["a", "b", "c"]);
    // No column keeps anything of a row that was left out.
    const kept = (of: Table) =>
      JSON.stringify(of, (name, value) => (name === "taxonomy" ? undefined : value));
    expect(kept(table)).toBe(kept(cohortTable(fits, schema, (row) => row.join())));
    expect(() => cohortTable(odd, schema)).toThrow(expect.objectContaining({ code: "RESEARCH_CSV_EMPTY" }));
    // Two rows of one person are no matter of the record: a fault, as ever.
    expect(() => cohortTable([...fits, ...fits], schema)).toThrow(/again/);
  });

  it("is refused for columns that name somebody, or none, and without a person", () => {
    for (const name of ["names", "birthDate", "toString", "condition:", "constructor:x"]) {
      expect(() => cells({}, name)).toThrow(expect.objectContaining({ code: "RESEARCH_COHORT_COLUMN" }));
    }
    const anonymous = parseSchema({
      columns: [{ name: "birth_year", role: "quasi-identifier", type: "numeric" }],
    });
    expect(() => cohortTable([], anonymous)).toThrow(/"person": true/);
  });
});
