import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseSchema, readTable } from "../../../host/research/index.ts";
import { WARD } from "./tables.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "research-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const AGE = { name: "age", role: "quasi-identifier", type: "numeric" };

/** Paths and messages of what is wrong with a schema. */
function faultsOf(value: unknown): string[] {
  try {
    parseSchema(value);
    return [];
  } catch (error) {
    const { code, details } = error as {
      code: string;
      details: { errors: { path: string; message: string }[] };
    };
    expect(code).toBe("RESEARCH_SCHEMA_INVALID");
    return details.errors.map(({ path, message }) => `${path}: ${message}`);
  }
}

describe("a schema", () => {
  it.each([
    ["no columns", {}, /^columns: /],
    ["an unknown role", { columns: [{ name: "a", role: "secret" }] }, /^columns\.0\.role: /],
    ["an unknown type", { columns: [{ ...AGE, type: "text" }] }, /^columns\.0\.type: /],
    ["an unknown key", { columns: [{ ...AGE, rounding: 5 }] }, /^columns\.0: .*rounding/],
    ["a step of zero", { columns: [{ ...AGE, round: 0 }] }, /^columns\.0\.round: /],
    ["a name twice", { columns: [AGE, AGE] }, /^columns\.1\.name: "age" stands twice/],
    ["the name of the row ids", { columns: [AGE, { name: "row_id", role: "plain" }] }, /row ids/],
    [
      "no quasi-identifier",
      { columns: [{ name: "a", role: "plain" }] },
      /^columns: no column is a quasi-identifier/,
    ],
    [
      "a value twice in a hierarchy",
      { columns: [{ ...AGE, type: "categorical", hierarchy: { name: "all", children: ["a", "a"] } }] },
      /^columns\.0\.hierarchy: .*"a" stands twice/,
    ],
    [
      "an empty group",
      {
        columns: [
          {
            ...AGE,
            type: "categorical",
            hierarchy: { name: "all", children: [{ name: "g", children: [] }] },
          },
        ],
      },
      /^columns\.0\.hierarchy: .*"g".*empty/,
    ],
  ])("is refused with %s", (_what, schema, message) => {
    expect(faultsOf(schema)).toEqual(expect.arrayContaining([expect.stringMatching(message)]));
  });
});

const HEADER = "name,age,sex,postcode,disease,cost\n";
const GOOD = "Ann,34,f,1010,flu,300\n";

/** What reading such a file comes to. */
async function attempt(text: string, schema = WARD) {
  const file = join(folder, "in.csv");
  await writeFile(file, text);
  return readTable(file, schema).then(
    (table) => ({ table, code: null, message: "", details: {} }),
    (error) => ({ table: null, ...error, message: error.message as string }),
  );
}

describe("a file of microdata", () => {
  it.each([
    [
      "a number that is none",
      `${HEADER}${GOOD}Bob,old,m,1010,flu,1\n`,
      "RESEARCH_CSV_VALUE",
      /^Line 3, column 2 \("age"\)/,
    ],
    ["a comma in a number", `${HEADER}Bob,"3,5",m,1010,flu,1\n`, "RESEARCH_CSV_VALUE", /^Line 2, column 2/],
    [
      "a value that the hierarchy lacks",
      `${HEADER}Bob,3,m,9999,flu,1\n`,
      "RESEARCH_CSV_VALUE",
      /^Line 2, column 4 \("postcode"\).*hierarchy/,
    ],
    [
      "a sensitive value that the hierarchy lacks",
      `${HEADER}Bob,3,m,1010,scurvy,1\n`,
      "RESEARCH_CSV_VALUE",
      /^Line 2, column 5/,
    ],
    [
      "a fault behind a field of several lines",
      `${HEADER}"Ann\nLee",3,m,1010,flu,1\nBob,x,m,1010,flu,1\n`,
      "RESEARCH_CSV_VALUE",
      /^Line 4, column 2/,
    ],
    [
      "a column without a role",
      `email,${HEADER}a@b,${GOOD}`,
      "RESEARCH_CSV_COLUMNS",
      /^Line 1, column 1 \("email"\) has no role/,
    ],
    ["a column too few", "name,age,sex\nAnn,1,f\n", "RESEARCH_CSV_COLUMNS", /names a column "postcode"/],
    ["a column twice", `age,${HEADER}1,${GOOD}`, "RESEARCH_CSV_COLUMNS", /"age" stands twice/],
    ["semicolons", HEADER.replaceAll(",", ";"), "RESEARCH_CSV_COLUMNS", /no role/],
    ["a row too short", `${HEADER}${GOOD}Bob,3\n`, "RESEARCH_CSV_SYNTAX", /line 3/],
    ["a quote that never ends", `${HEADER}"Ann,3,f,1010,flu,1\n`, "RESEARCH_CSV_SYNTAX", /Quote/],
    ["no rows", HEADER, "RESEARCH_CSV_EMPTY", /no row/],
    ["nothing", "", "RESEARCH_CSV_EMPTY", /no row/],
  ])("is refused with %s", async (_what, text, code, message) => {
    const { code: got, message: said } = await attempt(text);
    expect([got, said]).toEqual([code, expect.stringMatching(message)]);
    // Where, and not what: a field may be a name or a diagnosis.
    expect(said).not.toMatch(/old|scurvy|9999|Bob/);
  });

  it("says which file is not there", async () => {
    await expect(readTable(join(folder, "none.csv"), WARD)).rejects.toThrow(
      /none\.csv cannot be read \(ENOENT\)/,
    );
  });

  it("rounds numbers, reads dates, and leaves out incomplete rows where it is told to", async () => {
    const schema = parseSchema({
      header: false,
      delimiter: ";",
      missing: ["?"],
      incomplete: "drop",
      columns: [
        { name: "weight", role: "quasi-identifier", type: "numeric", round: 0.5 },
        { name: "seen", role: "quasi-identifier", type: "date", format: "D.M.YYYY" },
      ],
    });
    const { table } = await attempt("70.3;1.2.2026\n70.6;29.2.2024\n?;1.1.2026\n70;\n", schema);
    expect(table).toMatchObject({ rows: 2, incomplete: 2 });
    const [weight, seen] = table?.quasiIdentifiers ?? [];
    expect(weight?.scale).toMatchObject({ values: Float64Array.from([Number.NaN, 70.5]) });
    expect(
      seen?.scale.kind === "numeric" && [...seen.scale.values].slice(1).map(seen.scale.codec.format),
    ).toEqual(["2024-02-29", "2026-02-01"]);
    expect((await attempt("70;30.2.2026\n", schema)).message).toMatch(
      /Line 1, column 2.*date written as D\.M\.YYYY/,
    );
  });
});
