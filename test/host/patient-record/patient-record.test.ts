import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { utf8 } from "../../../host/base/index.ts";
import {
  decodePart,
  encodePart,
  FIELD_NAMES,
  type Field,
  mergeParts,
  parsePart,
  parseRecord,
  RECORD_FIELDS,
  type RegionPart,
  splitRecord,
} from "../../../host/patient-record/index.ts";
import { REGIONS } from "../../../host/sealing/index.ts";
import { codeOf } from "../sealing/fixtures.ts";
import { anyRecord, FULL_RECORD } from "./records.ts";

describe("the classification of a record", () => {
  it("gives every field exactly one region, and the test record uses them all", () => {
    for (const name of FIELD_NAMES) {
      expect(REGIONS, name).toContain(RECORD_FIELDS[name].region);
    }
    expect(Object.keys(FULL_RECORD).sort()).toEqual([...FIELD_NAMES].sort());
    const { schema, label } = RECORD_FIELDS.names;
    // @ts-expect-error A field without a region does not compile.
    const unclassified: Readonly<Record<string, Field>> = { names: { schema, label } };
    expect(unclassified.names?.region).toBeUndefined();
  });

  it("has names, numbers, contacts and full dates in identity and nowhere else", () => {
    const of = (region: string) => FIELD_NAMES.filter((name) => RECORD_FIELDS[name].region === region);
    expect(of("identity")).toEqual([
      "names",
      "birthDate",
      "identifiers",
      "contacts",
      "addresses",
      "birthPlace",
      "mothersMaidenName",
    ]);
    expect(of("profile")).toEqual(expect.arrayContaining(["birthYear", "sex", "postcode"]));
    expect(of("medical")).toEqual(expect.arrayContaining(["conditions", "observations", "notes"]));
  });

  it("lets nothing of one region into another's part", () => {
    for (const region of REGIONS) {
      for (const name of FIELD_NAMES.filter((field) => RECORD_FIELDS[field].region !== region)) {
        expect(codeOf(() => parsePart(region, { [name]: FULL_RECORD[name] }))).toBe("RECORD_MALFORMED");
      }
    }
  });
});

describe("splitting and merging", () => {
  it("are exact inverses of each other", () => {
    expect(mergeParts(splitRecord(FULL_RECORD))).toEqual(FULL_RECORD);
    fc.assert(
      fc.property(anyRecord, (record) => {
        const parts = splitRecord(parseRecord(record));
        expect(mergeParts(parts)).toEqual(record);
        expect(splitRecord(mergeParts(parts))).toEqual(parts);
      }),
    );
  });

  it("say nothing of a region that is not there", () => {
    const { profile } = splitRecord(FULL_RECORD);
    const view = mergeParts({ profile });
    expect(view).toEqual(profile);
    expect(JSON.stringify(view)).not.toContain("Quillfeather");
    expect(JSON.stringify(view)).not.toContain("Hypertension");
    expect(JSON.stringify(view)).not.toContain("07-02");
  });
});

describe("the bytes of a part", () => {
  it("come back as the part they were", () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const parts = splitRecord(record);
        for (const region of REGIONS) {
          expect(decodePart(region, encodePart(region, parts[region]))).toEqual(parts[region]);
        }
      }),
    );
  });

  it("are the same for the same part, whatever the order of its fields", () => {
    const { profile } = splitRecord(FULL_RECORD);
    const reversed = Object.fromEntries(Object.entries(profile).reverse()) as RegionPart<"profile">;
    expect(encodePart("profile", reversed)).toEqual(encodePart("profile", profile));
  });

  it.each([
    ["nothing", ""],
    ["no JSON", "{"],
    ["null", "null"],
    ["a list", "[]"],
    ["another format", `{"format":"medcloudlet-record-2","region":"profile","fields":{}}`],
    ["another region", `{"format":"medcloudlet-record-1","region":"medical","fields":{}}`],
    ["something more", `{"format":"medcloudlet-record-1","region":"profile","fields":{},"more":1}`],
    ["no fields", `{"format":"medcloudlet-record-1","region":"profile"}`],
    ["an unknown field", `{"format":"medcloudlet-record-1","region":"profile","fields":{"name":"Ada"}}`],
    ["an operator", `{"format":"medcloudlet-record-1","region":"profile","fields":{"birthYear":{"$gt":0}}}`],
    [
      "a prototype",
      `{"format":"medcloudlet-record-1","region":"profile","fields":{"__proto__":{"sex":"male"}}}`,
    ],
  ])("are refused when they hold %s", (_, text) => {
    expect(codeOf(() => decodePart("profile", utf8(text)))).toBe("RECORD_MALFORMED");
  });

  it("are refused when they are not UTF-8", () => {
    const bytes = encodePart("profile", { birthYear: 1984 });
    bytes[bytes.length - 5] = 0xff;
    expect(codeOf(() => decodePart("profile", bytes))).toBe("RECORD_MALFORMED");
  });
});

describe("checking a record", () => {
  it("refuses a year of birth or a postcode that contradicts the date or every address", () => {
    expect(codeOf(() => parseRecord({ ...FULL_RECORD, birthYear: 1985 }))).toBe("RECORD_INCONSISTENT");
    expect(codeOf(() => parseRecord({ ...FULL_RECORD, postcode: "01888" }))).toBe("RECORD_INCONSISTENT");
    expect(parseRecord({ birthYear: 1985, postcode: "01888" })).toEqual({
      birthYear: 1985,
      postcode: "01888",
    });
  });

  it.each([
    ["an empty list", { conditions: [] }],
    ["a time without a zone", { conditions: [{ code: { text: "x" }, onset: "2020-01-01T10:00:00" }] }],
    ["a month 13", { birthDate: "2020-13-01" }],
    [
      "a number that is none",
      {
        observations: [{ status: "final", code: { text: "x" }, value: { quantity: { value: Number.NaN } } }],
      },
    ],
    ["an unpaired surrogate", { mothersMaidenName: "\ud800" }],
    ["blanks", { mothersMaidenName: "  " }],
    ["a text beyond the limit", { notes: [{ text: "x".repeat(100_001) }] }],
    ["a concept of nothing", { maritalStatus: {} }],
    ["a list beyond the limit", { names: Array.from({ length: 21 }, () => ({ family: "x" })) }],
  ])("refuses %s", (_, record) => {
    expect(codeOf(() => parseRecord(record))).toBe("RECORD_INVALID");
  });

  it("says where the fault is and never what stood there", () => {
    const wrong = { mothersMaidenName: "Wuckert\ud800", sex: "Quillfeather" };
    expect(() => parseRecord(wrong)).toThrow(/mothersMaidenName/);
    expect(() => parseRecord(wrong)).not.toThrow(/Wuckert|Quillfeather/);
  });
});
