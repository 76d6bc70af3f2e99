import { CsvError, parse } from "csv-parse/sync";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCsvParser, csvField, keptText } from "../../../host/research/csv.ts";

interface How {
  readonly delimiter: string;
  readonly trim: boolean;
}

/** The records of a text that comes in pieces of such lengths, over and over; or the code that it is refused with. */
function ours(text: string, how: How, lengths: readonly number[] = [text.length + 1]) {
  const records: (readonly string[])[] = [];
  const lines: number[] = [];
  try {
    const parser = createCsvParser(how, (record, line) => {
      records.push(record);
      lines.push(line);
    });
    for (let at = 0, i = 0; at < text.length; i++) {
      const length = lengths[i % lengths.length] as number;
      parser.write(text.slice(at, at + length));
      at += length;
    }
    parser.end();
  } catch (error) {
    return { records: (error as { code: string }).code, lines };
  }
  return { records, lines };
}

/** What the general parser makes of it. */
function theirs(text: string, { delimiter, trim }: How): readonly (readonly string[])[] | string {
  try {
    return parse(text, { bom: true, delimiter, skip_empty_lines: true, trim });
  } catch (error) {
    if (error instanceof CsvError) {
      return "RESEARCH_CSV_SYNTAX";
    }
    throw error;
  }
}

const PLAIN: How = { delimiter: ",", trim: true };

describe("the parser of CSV", () => {
  /** Few letters, so that quotes, delimiters and line ends meet in every way. */
  const text = fc.string({
    unit: fc.constantFrom("a", "é", '"', '"', ",", ";", " ", "\t", "\n", "\n", "\r\n"),
    maxLength: 40,
  });
  const how = fc.record({ delimiter: fc.constantFrom(",", ";", "\t"), trim: fc.boolean() });
  const lengths = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 });

  it("finds in any text what the general parser finds, however the text is cut", () => {
    fc.assert(
      fc.property(text, how, lengths, (any, asked, cut) => {
        const whole = ours(any, asked);
        expect(whole.records).toEqual(theirs(any, asked));
        expect(ours(any, asked, cut)).toEqual(whole);
      }),
      { numRuns: 3000 },
    );
  });

  it("gives back any table that was written with its fields", () => {
    const field = fc.string({
      unit: fc.constantFrom("a", "é", '"', ",", " ", "\n", "\r", "\r\n"),
      maxLength: 6,
    });
    const table = fc
      .integer({ min: 2, max: 4 })
      .chain((width) =>
        fc.array(fc.array(field, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 }),
      );
    fc.assert(
      fc.property(table, lengths, (rows, cut) => {
        const written = rows.map((row) => `${row.map(csvField).join(",")}\n`).join("");
        expect(ours(written, { delimiter: ",", trim: false }, cut).records).toEqual(rows);
        expect(theirs(written, { delimiter: ",", trim: false })).toEqual(rows);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["CRLF", "a,b\r\nc,d\r\n"],
    ["CR", "a,b\rc,d\r"],
    ["no end of the last line", "a,b\nc,d"],
    ["a byte order mark", "\ufeffa,b\nc,d\n"],
    ["empty lines", "\n\na,b\n\n  \nc,d\n\n"],
  ])("takes %s", (_, written) => {
    expect(ours(written, PLAIN, [1]).records).toEqual([
      ["a", "b"],
      ["c", "d"],
    ]);
  });

  it("counts lines, those within quotes and those that are empty too", () => {
    expect(ours('a,b\n\n"x\ny",2\r\n\nc,3\n', PLAIN).lines).toEqual([1, 4, 6]);
  });

  it.each([
    ["a quote that never ends", 'a,b\n"c,d\n', /line 2/],
    ["a quote within a field", 'a,b\nc"d,e\n', /line 2/],
    ["a letter behind a quote", 'a,b\n"c"d,e\n', /line 2/],
    ["a record too short", "a,b\n\nc\n", /1 fields and not 2 at line 3/],
    ["a record without end", `a,b\n"${"secret".repeat(200_000)}`, /line 2/],
  ])("refuses %s, and says where and not what", (_, written, message) => {
    const parser = createCsvParser(PLAIN, () => {});
    const read = () => {
      for (let at = 0; at < written.length; at += 100_000) {
        parser.write(written.slice(at, at + 100_000));
      }
      parser.end();
    };
    expect(read).toThrow(
      expect.objectContaining({ code: "RESEARCH_CSV_SYNTAX", message: expect.stringMatching(message) }),
    );
    expect(read).not.toThrow(/secret/);
  });

  it("keeps a text as it is", () => {
    for (const kept of ["", "short", "a text of some length, with é and 😀"]) {
      expect(keptText(kept)).toBe(kept);
    }
  });
});
