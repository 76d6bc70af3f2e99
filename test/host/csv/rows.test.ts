import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CsvOptions, csvText, readCsv } from "../../../host/csv/index.ts";

const CODES = { syntax: "TEST_SYNTAX", file: "TEST_FILE" };
const folder = await mkdtemp(join(tmpdir(), "medcloudlet-csv-"));

async function rowsOf(text: string | Buffer, options: Partial<CsvOptions> = {}) {
  const path = join(folder, "in.csv");
  await writeFile(path, text);
  const rows: { fields: readonly string[]; line: number }[] = [];
  for await (const piece of readCsv(path, { codes: CODES, ...options })) {
    rows.push(...piece);
  }
  return rows;
}
const fieldsOf = async (text: string | Buffer, options: Partial<CsvOptions> = {}) =>
  (await rowsOf(text, options)).map(({ fields }) => fields);

describe("a CSV file", () => {
  it.each([
    ["line feeds", "a,b\n1,2\n"],
    ["CR LF", "a,b\r\n1,2\r\n"],
    ["both", "a,b\r\n1,2\n"],
    ["no end", "a,b\n1,2"],
    ["empty lines", "\na,b\n\r\n1,2\n\n"],
    ["a byte order mark", "\uFEFFa,b\n1,2\n"],
    ["quotes", '"a",b\r\n"1","2"\r\n'],
  ])("is read with %s", async (_what, text) => {
    expect(await fieldsOf(text)).toEqual([
      ["a", "b"],
      ["1", "2"],
    ]);
  });

  it("counts lines, over fields that have several and lines that are empty", async () => {
    const rows = await rowsOf('a,b\n\n"x\ny\nz",1\n2,3\n');
    expect(rows.map(({ line }) => line)).toEqual([1, 5, 6]);
  });

  it("keeps blanks, or drops them", async () => {
    expect(await fieldsOf(" a , b\n")).toEqual([[" a ", " b"]]);
    expect(await fieldsOf(" a , b\t\r\n", { trim: true })).toEqual([["a", "b"]]);
    expect(await fieldsOf('"a", "b"\n', { trim: true })).toEqual([["a", "b"]]);
  });

  it.each([
    ["a field too few", "a,b\n1,2\n3\n", {}, /1 fields stand where 2 were expected \(line 3\)/],
    ["a field too many", "a,b\n1,2,3\n", {}, /line 2/],
    ["a quote never closed", 'a,b\n1,"2\n3,4\n', {}, /unterminated/],
    ["text behind a quote", 'a,b\n1,2\n"1"x,2\n', {}, /inside of a field.*\(line 3\)/],
    ["a quote in a field without", 'a,b\n1,5" pipe\n', {}, /inside of a field.*\(line 2\)/],
    ["text behind a quote, though loose", '"1"x,2\n', { looseQuotes: true }, /inside of a field/],
    ["lines of an old Macintosh", "a,b\r1,2\r", {}, /CR alone.*\(line 1\)/],
    ["a delimiter that is a quote", "a\n", { delimiter: '"' }, /delimiter is one character/],
    ["a blank before a quote", 'a,b\n1, "2,3"\n', { trim: true, ragged: true }, /without a blank \(line 2\)/],
  ])("is refused for %s", async (_what, text, options, message) => {
    await expect(rowsOf(text, options)).rejects.toMatchObject({
      code: "TEST_SYNTAX",
      status: 400,
      message: expect.stringMatching(message),
    });
  });

  it("gives up on a quote that is never closed before it has the whole file in memory", async () => {
    let read = 0;
    const text = `a\n"${"x,\n".repeat(3_000_000)}`;
    const attempt = rowsOf(text, { onBytes: (bytes) => (read += bytes) });
    await expect(attempt).rejects.toMatchObject({
      code: "TEST_SYNTAX",
      message: expect.stringMatching(/never closed/),
    });
    expect(read).toBeLessThan(2 * 1024 * 1024);
  });

  it("is not looked through again for each of ten thousand quotes", async () => {
    const hostile = `a\n"${'"x'.repeat(100_000)}${" ".repeat(300_000)}\n`;
    // Where it is, this takes minutes.
    for (const looseQuotes of [false, true]) {
      await expect(rowsOf(hostile, { looseQuotes, trim: true, ragged: true })).rejects.toMatchObject({
        code: "TEST_SYNTAX",
      });
    }
  });

  it("takes ragged records and stray quotes where that is asked for", async () => {
    expect(await fieldsOf("a,b\n1\n", { ragged: true })).toEqual([["a", "b"], ["1"]]);
    expect(await fieldsOf('a\n1"x"\n', { looseQuotes: true })).toEqual([["a"], ['1"x"']]);
  });

  it("that is not there is said to be so", async () => {
    const reading = readCsv(join(folder, "absent.csv"), { codes: CODES }).next();
    await expect(reading).rejects.toMatchObject({
      code: "TEST_FILE",
      message: expect.stringMatching(/ENOENT/),
    });
  });

  it("comes back as it was written, wherever the pieces are cut", async () => {
    const field = fc.oneof(
      fc.string({ unit: "binary", maxLength: 12 }),
      fc.stringMatching(/^[",\r\n ä€x]{0,8}$/),
    );
    const record = fc
      .array(field, { minLength: 2, maxLength: 3 })
      .filter((fields) => !fields.at(-1)?.endsWith("\r"));
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { minLength: 1, maxLength: 20 }),
        fc.nat(80),
        async (records, pad) => {
          // A first record that puts the rest around the end of a piece.
          const all = [["p".repeat(256 * 1024 - pad), ""], ...records];
          const back = await fieldsOf(csvText(all), { ragged: true });
          // Not compared at once: a difference would be printed with a quarter of a million letters.
          expect(back[0]?.[0] === all[0]?.[0]).toBe(true);
          expect(back.slice(1)).toEqual(records);
        },
      ),
      { numRuns: 60 },
    );
  });
});
