import { describe, expect, it } from "vitest";
import { csvCell, csvOf, exportReadings } from "../../../host/web/worker/doctor/export.ts";
import { rejectionOf } from "../sealing/fixtures.ts";

const COLUMNS = [
  { quantity: "heartRate" as const, times: [0, 1000, 2000], values: [70, null, -1.5] },
  { quantity: "systolicPressure" as const, times: [0], values: [120] },
];

describe("files of readings", () => {
  it("make cells that a spreadsheet would run harmless, and leave numbers numbers", () => {
    for (const formula of ["=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1"]) {
      expect(csvCell(formula).replace(/^"/, "")).toMatch(/^'/);
    }
    expect(csvCell('=HYPERLINK("http://evil.example","x")')).toBe(
      `"'=HYPERLINK(""http://evil.example"",""x"")"`,
    );
    expect(csvCell(-1.5)).toBe("-1.5");
    expect(csvCell("plain")).toBe("plain");
    expect(csvCell('a,"b"')).toBe('"a,""b"""');
  });

  it("hold one line for each measured sample", async () => {
    expect((await csvOf(COLUMNS)).join("")).toBe(
      [
        "time,quantity,loinc,unit,value",
        "1970-01-01T00:00:00.000Z,Heart rate,8867-4,/min,70",
        "1970-01-01T00:00:02.000Z,Heart rate,8867-4,/min,-1.5",
        "1970-01-01T00:00:00.000Z,Systolic blood pressure,8480-6,mm[Hg],120",
        "",
      ].join("\r\n"),
    );
  });

  it("are FHIR bundles without a name", async () => {
    const blob = await exportReadings({ columns: COLUMNS, format: "fhir", pseudonym: "0".repeat(32), at: 0 });
    const bundle = JSON.parse(await blob.text());
    expect(
      bundle.entry.map(({ resource }: { resource: { resourceType: string } }) => resource.resourceType),
    ).toEqual(["Patient", "Observation", "Observation", "Observation"]);
    expect(bundle.entry[0].resource.name).toBeUndefined();
  });

  it("are refused where there is nothing, or more than a bundle holds", async () => {
    const options = { format: "fhir", pseudonym: "0".repeat(32), at: 0 } as const;
    expect(await rejectionOf(exportReadings({ ...options, columns: [] }))).toBe("EXPORT_EMPTY");
    const times = Array.from({ length: 10_001 }, (_, i) => i);
    const columns = [{ quantity: "heartRate" as const, times, values: times }];
    expect(await rejectionOf(exportReadings({ ...options, columns }))).toBe("EXPORT_TOO_LARGE");
  });
});
