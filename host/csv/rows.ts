import { createReadStream } from "node:fs";
import Papa from "papaparse";
import { MedcloudletError } from "../base/index.ts";
import { quotesIn } from "./quotes.ts";

/** One record of a CSV file. */
export interface CsvRow {
  readonly fields: readonly string[];
  /** The line it ends on, counted from 1. */
  readonly line: number;
}

export interface CsvOptions {
  /** Codes of the errors, which are the asking room's own. */
  readonly codes: { readonly syntax: string; readonly file: string };
  /** One character; a comma where left out. */
  readonly delimiter?: string;
  /** Whether blanks at both ends of fields are dropped, in quotes too; they are kept where left out. */
  readonly trim?: boolean;
  /** Whether records may differ in their number of fields; refused where left out. */
  readonly ragged?: boolean;
  /** Whether quotes inside of a field that has none around it are text; refused where left out. */
  readonly looseQuotes?: boolean;
  /** Longest record, characters; 2^20 where left out. Longer means a quote that is never closed, not data. */
  readonly longest?: number;
  /** Told how many bytes more were read. */
  readonly onBytes?: (bytes: number) => void;
}

/** Many programs write `"a", "b"`, where RFC 4180 sees no quotes; with a delimiter or a quote inside it is cut wrongly. */
const BLANK_AND_QUOTED = /^\s+"([^"]*)"\s*$/;

type Parsed = Papa.ParseResult<string[]>;

const LONGEST = 1024 * 1024;
const PIECE_BYTES = 256 * 1024;

/**
 * Reads a CSV file (RFC 4180, UTF-8, lines that end in LF or CR LF), some thousand records at a time; the file is never
 * in memory as a whole. Left out are empty lines and records of one empty field; a CR at the very end of a record counts
 * as its line's end.
 * @throws MedcloudletError the two codes of the options, both of status 400; that of syntax has `details.line`
 */
export async function* readCsv(path: string, options: CsvOptions): AsyncGenerator<readonly CsvRow[]> {
  const { delimiter = ",", codes, longest = LONGEST, onBytes } = options;
  if (delimiter.length !== 1 || Papa.BAD_DELIMITERS.includes(delimiter)) {
    const message =
      "A delimiter is one character, and neither a quote nor the end of a line: a comma, a semicolon, a tab.";
    throw new MedcloudletError(codes.syntax, message, { status: 400 });
  }
  const input = createReadStream(path, { encoding: "utf8", highWaterMark: PIECE_BYTES });
  const rows = createRows(options, delimiter);
  let rest: string | null = null;
  let bytes = 0;
  try {
    for await (const piece of input as AsyncIterable<string>) {
      // A byte order mark (RFC 3629, section 6) is no part of the first name.
      rest = rest === null ? piece.replace(/^\uFEFF/, "") : rest + piece;
      onBytes?.(input.bytesRead - bytes);
      bytes = input.bytesRead;
      const read = rows.take(rest, false);
      yield* read.rows;
      rest = rest.slice(read.cursor);
      if (rest.length > longest) {
        throw rows.fault("a record goes on and on, as one does whose quote is never closed");
      }
    }
  } catch (cause) {
    throw cause instanceof MedcloudletError ? cause : unreadable(path, options, cause);
  } finally {
    input.destroy();
  }
  yield* rows.take(rest ?? "", true).rows;
}

/** Turns text into rows, and knows which line it is at. */
function createRows(
  { codes, trim = false, ragged = false, looseQuotes = false }: CsvOptions,
  delimiter: string,
) {
  const parser = new Papa.Parser({
    delimiter,
    // A CR before it is dropped from the last field: told from the first lines, mixed ends would be misread.
    newline: "\n",
  });
  let line = 0;
  let width: number | null = null;
  let afterBlanks = false;

  function fault(what: string, at = line + 1): MedcloudletError {
    const message = `The file is not well-formed CSV: ${what} (line ${at}).`;
    return new MedcloudletError(codes.syntax, message, { status: 400, details: { line: at } });
  }

  function trimmed(field: string): string {
    const text = field.trim();
    if (!afterBlanks || !text.startsWith('"') || field.startsWith('"')) {
      return text;
    }
    const [, quoted] = BLANK_AND_QUOTED.exec(field) ?? [];
    if (quoted === undefined) {
      throw fault("a quote has to follow the delimiter at once, without a blank", line);
    }
    return quoted.trim();
  }

  /** @param fields changed in place */
  function rowOf(fields: string[], wrong: string | undefined): CsvRow | null {
    const first = line + 1;
    line = first;
    const last = fields.length - 1;
    for (const [i, field] of fields.entries()) {
      if (field.includes("\n")) {
        line += field.split("\n").length - 1;
      }
      if (trim) {
        fields[i] = trimmed(field);
      } else if (i === last && field.endsWith("\r")) {
        fields[i] = field.slice(0, -1);
      }
    }
    if (wrong !== undefined) {
      throw fault(wrong, first);
    }
    if (last === 0 && fields[0] === "") {
      return null;
    }
    if (width === null && fields.some((field) => field.includes("\r"))) {
      throw fault("its lines end in CR alone, as on old Macintoshes: save it with LF or CR LF", first);
    }
    width ??= fields.length;
    if (fields.length !== width && !ragged) {
      throw fault(`${fields.length} fields stand where ${width} were expected`, first);
    }
    return { fields, line };
  }

  /** The rows before the first that is wrong come first: they may say what is really the matter, such as a header. */
  function* rowsOf({ data, errors }: Parsed, misplaced: number): Generator<readonly CsvRow[]> {
    const faults = new Map(errors.toReversed().map(({ row = 0, message }) => [row, message]));
    const rows: CsvRow[] = [];
    for (const [i, record] of data.entries()) {
      try {
        const row = rowOf(record, faults.get(i));
        if (row !== null) {
          rows.push(row);
        }
      } catch (error) {
        yield rows;
        throw error;
      }
    }
    yield rows;
    if (misplaced > 0) {
      throw fault(
        "a quote stands inside of a field: put quotes around all of it, and double those inside",
        misplaced,
      );
    }
  }

  /** @param isLast whether the text ends where the file does; else its last record may not be whole */
  function take(text: string, isLast: boolean): { rows: Iterable<readonly CsvRow[]>; cursor: number } {
    const quotes = quotesIn(text, { delimiter, blanks: trim, loose: looseQuotes });
    afterBlanks = quotes.afterBlanks;
    const wrong = quotes.misplaced >= 0;
    // Up to the line that is wrong everything is as it should be.
    const whole = wrong ? text.slice(0, text.lastIndexOf("\n", quotes.misplaced) + 1) : text;
    const parsed: Parsed = parser.parse(whole, 0, !isLast || wrong);
    const errors = parsed.errors.filter(({ row = 0 }) => isLast || row < parsed.data.length);
    const at = wrong ? line + text.slice(0, quotes.misplaced).split("\n").length : 0;
    return { rows: rowsOf({ ...parsed, errors }, at), cursor: parsed.meta.cursor };
  }

  return { take, fault };
}

function unreadable(path: string, { codes }: CsvOptions, cause: unknown): MedcloudletError {
  const reason = (cause as NodeJS.ErrnoException).code ?? "unreadable";
  const message = `${path} cannot be read (${reason}): check its path and permissions.`;
  return new MedcloudletError(codes.file, message, { status: 400, cause });
}
