import { describe, expect, it } from "vitest";
import { consentToFhir, exportBundle, observationsOfReadings } from "../../../host/fhir/index.ts";
import { parseRecord } from "../../../host/patient-record/index.ts";
import type { Consent, ReadingColumn } from "../../../host/sealing/index.ts";
import { faultsOf } from "./validator.ts";

const id = (digit: string) => digit.repeat(32);
const CONSENT: Consent = {
  consentId: id("a"),
  owner: id("b"),
  reader: id("c"),
  readerFingerprint: "d".repeat(64),
  regions: ["profile", "medical"],
  purpose: "treatment",
  from: Date.UTC(2026, 0, 1),
  until: Date.UTC(2026, 1, 1),
  createdAt: Date.UTC(2025, 11, 31),
};
const AT = (month: number, day = 15) => Date.UTC(2026, month, day);

describe("a consent as FHIR R4 Consent", () => {
  it("is valid for an independent validator, for every purpose and state", () => {
    for (const purpose of ["treatment", "research", "self-care"] as const) {
      for (const state of [{ now: AT(0) }, { now: AT(5) }, { now: AT(0, 20), revokedAt: AT(0) }]) {
        expect(faultsOf(consentToFhir({ ...CONSENT, purpose }, state))).toEqual([]);
      }
    }
    expect(faultsOf({ resourceType: "Consent", status: "active" })).not.toEqual([]);
  });

  it("says who may see which regions, for what, from when until when, by pseudonym", () => {
    const fhir = consentToFhir(CONSENT, { now: AT(0) });
    expect(fhir).toMatchObject({
      status: "active",
      scope: { coding: [{ code: "patient-privacy" }] },
      category: [{ coding: [{ system: "http://loinc.org", code: "59284-0" }] }],
      patient: { identifier: { system: "urn:medcloudlet:account", value: CONSENT.owner } },
      dateTime: "2025-12-31T00:00:00.000Z",
      policyRule: { coding: [{ code: "OPTOUT" }] },
      provision: {
        type: "permit",
        period: { start: "2026-01-01T00:00:00.000Z", end: "2026-02-01T00:00:00.000Z" },
        actor: [
          { role: { coding: [{ code: "IRCP" }] }, reference: { identifier: { value: CONSENT.reader } } },
        ],
        purpose: [{ code: "TREAT" }],
        class: [{ code: "profile" }, { code: "medical" }],
      },
    });
    expect(JSON.stringify(fhir)).not.toContain(CONSENT.readerFingerprint);
  });

  it("is active until it ends or is revoked, and then ends at that moment", () => {
    const state = (now: number, revokedAt?: number) => {
      const fhir = consentToFhir(CONSENT, { now, ...(revokedAt === undefined ? {} : { revokedAt }) });
      return [fhir.status, (fhir.provision as { period: { end: string } }).period.end.slice(0, 10)];
    };
    expect(state(CONSENT.from - 1)).toEqual(["active", "2026-02-01"]);
    expect(state(CONSENT.until - 1)).toEqual(["active", "2026-02-01"]);
    expect(state(CONSENT.until)).toEqual(["inactive", "2026-02-01"]);
    expect(state(AT(0, 16), AT(0, 15))).toEqual(["inactive", "2026-01-15"]);
    expect(state(AT(5), AT(3))).toEqual(["inactive", "2026-02-01"]);
    // Revoked before it began: a period does not end before it starts.
    expect(state(AT(0), Date.UTC(2025, 11, 31))).toEqual(["inactive", "2026-01-01"]);
  });

  it("is of research where it is for research", () => {
    const fhir = consentToFhir({ ...CONSENT, purpose: "research" }, { now: AT(0) });
    expect(fhir).toMatchObject({ scope: { coding: [{ code: "research" }] } });
    expect(fhir).toMatchObject({ provision: { purpose: [{ code: "HRESCH" }] } });
  });
});

describe("readings as observations", () => {
  const times = [AT(0), AT(0) + 60_000];
  const columns: ReadingColumn[] = [
    { quantity: "heartRate", times, values: [72, null] },
    { quantity: "oxygenSaturation", times, values: [97, 96] },
    { quantity: "systolicPressure", times, values: [120, 125] },
    { quantity: "diastolicPressure", times, values: [80, null] },
    { quantity: "steps", times: [AT(0)], values: [12] },
  ];

  it("keep every sample, leave gaps out, and are valid", () => {
    const observations = observationsOfReadings(columns);
    expect(observations).toHaveLength(1 + 2 + 2 + 1);
    parseRecord({ observations });
    const { entry } = exportBundle({ observations }, { pseudonym: "p", at: 0 });
    for (const { resource } of entry) {
      expect(faultsOf(resource)).toEqual([]);
    }
    const codes = (observation: (typeof observations)[number] | undefined) =>
      observation?.code.codings?.map(({ code }) => code);
    const heart = observations.find(({ code }) => code.text === "Heart rate");
    expect(codes(heart)).toEqual(["8867-4", "147842"]);
    expect(heart?.value).toEqual({
      quantity: { value: 72, unit: "/min", system: "http://unitsofmeasure.org", code: "/min" },
    });
    expect(codes(observations.find(({ code }) => code.text?.startsWith("Oxygen")))).toEqual([
      "59408-5",
      "2708-6",
      "150456",
    ]);
  });

  it("join systolic and diastolic pressure of one moment in the panel 85354-9", () => {
    const panels = observationsOfReadings(columns).filter(({ components }) => components !== undefined);
    expect(panels.map(({ code, components }) => [code.codings?.[0]?.code, components?.length])).toEqual([
      ["85354-9", 2],
      ["85354-9", 1],
    ]);
    expect(panels[0]?.components?.map(({ value }) => value)).toMatchObject([
      { quantity: { value: 120, code: "mm[Hg]" } },
      { quantity: { value: 80 } },
    ]);
  });
});
