import { createReadStream } from "node:fs";
import Papa from "papaparse";
import { MedcloudletError } from "../base/index.ts";

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
  /** Whether blanks around fields are dropped; they are kept where left out. */
  readonly trim?: boolean;
  /** Whether records may differ in their number of fields; refused where left out. */
  readonly ragged?: boolean;
  /** Whether a stray quote within a quoted field is text; refused where left out. */
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
 * in memory as a whole. Empty lines are left out; a CR at the very end of a record counts as its line's end.
 * @throws MedcloudletError the two codes of the options, both of status 400; that of syntax has `details.line`
 */
export async function* readCsv(path: string, options: CsvOptions): AsyncGenerator<readonly CsvRow[]> {
  const input = createReadStream(path, { encoding: "utf8", highWaterMark: PIECE_BYTES });
  const parser = new Papa.Parser({
    delimiter: options.delimiter ?? ",",
    // A CR before it is dropped from the last field: told from the first lines, mixed ends would be misread.
    newline: "\n",
  });
  const rows = createRows(options);
  let rest: string | null = null;
  let bytes = 0;
  try {
    for await (const piece of input as AsyncIterable<string>) {
      // A byte order mark (RFC 3629, section 6) is no part of the first name.
      rest = rest === null ? piece.replace(/^\uFEFF/, "") : rest + piece;
      options.onBytes?.(input.bytesRead - bytes);
      bytes = input.bytesRead;
      const { data, errors, meta }: Parsed = parser.parse(rest, 0, true);
      rest = rest.slice(meta.cursor);
      // The last record is not whole yet: what is wrong with it shows when it is.
      yield* rows.take({ data, errors: errors.filter(({ row = 0 }) => row < data.length), meta });
      if (rest.length > (options.longest ?? LONGEST)) {
        throw rows.fault("a record goes on and on, as one does whose quote is never closed");
      }
    }
  } catch (cause) {
    throw cause instanceof MedcloudletError ? cause : unreadable(path, options, cause);
  } finally {
    input.destroy();
  }
  yield* rows.take(parser.parse(rest ?? "", 0, false));
}

/** Turns records into rows, and knows which line it is at. */
function createRows({ codes, trim = false, ragged = false, looseQuotes = false }: CsvOptions) {
  let line = 0;
  let width: number | null = null;

  function fault(what: string, at = line + 1): MedcloudletError {
    const message = `The file is not well-formed CSV: ${what} (line ${at}).`;
    return new MedcloudletError(codes.syntax, message, { status: 400, details: { line: at } });
  }

  function trimmed(field: string): string {
    const text = field.trim();
    if (!text.startsWith('"') || field.startsWith('"')) {
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
    if (wrong !== undefined && !looseQuotes) {
      throw fault(wrong, first);
    }
    if (last === 0 && fields[0] === "") {
      return null;
    }
    width ??= fields.length;
    if (fields.length !== width && !ragged) {
      throw fault(`${fields.length} fields stand where ${width} were expected`, first);
    }
    return { fields, line };
  }

  /** The rows before the first that is wrong come first: they may say what is really the matter, such as a header. */
  function* take({ data, errors }: Parsed): Generator<readonly CsvRow[]> {
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
  }

  return { take, fault };
}

function unreadable(path: string, { codes }: CsvOptions, cause: unknown): MedcloudletError {
  const reason = (cause as NodeJS.ErrnoException).code ?? "unreadable";
  const message = `${path} cannot be read (${reason}): check its path and permissions.`;
  return new MedcloudletError(codes.file, message, { status: 400, cause });
}
