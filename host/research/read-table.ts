import { createReadStream } from "node:fs";
import { Transform } from "node:stream";
import { finished } from "node:stream/promises";
import { CsvError, parse } from "csv-parse";
import { MedcloudletError } from "../base/index.ts";
import type { ReleaseSchema } from "./schema.ts";
import { createTableBuilder, type DigestRow, type Table } from "./table.ts";

/** A record longer than this means an unbalanced quote, not data. */
const MAX_RECORD_BYTES = 1024 * 1024;

export interface CsvOptions {
  readonly delimiter?: string;
  /** Whether blanks around fields are dropped; they are where left out. */
  readonly trim?: boolean;
  /** Told how many bytes more were read. */
  readonly onBytes?: (bytes: number) => void;
}

/**
 * Hands every record of a CSV file to `take`, one after the other; the file is never in memory as a whole.
 * @throws MedcloudletError `RESEARCH_CSV_SYNTAX`, `RESEARCH_CSV_FILE`, and whatever `take` throws
 */
export async function readCsv(
  path: string,
  { delimiter = ",", trim = true, onBytes }: CsvOptions,
  take: (record: readonly string[], line: number) => void,
): Promise<void> {
  let fault: Error | undefined;
  const parser = parse({
    bom: true,
    delimiter,
    max_record_size: MAX_RECORD_BYTES,
    skip_empty_lines: true,
    trim,
    // Records are taken here and not read from the stream: that costs a third of the time.
    on_record(record: string[], { lines }) {
      if (fault === undefined) {
        try {
          take(record, lines);
        } catch (error) {
          fault = error as Error;
          parser.destroy(fault);
        }
      }
      return null;
    },
  });
  const input = createReadStream(path);
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      onBytes?.(chunk.length);
      done(null, chunk);
    },
  });
  input.on("error", (error) => parser.destroy(error));
  input.pipe(counter).pipe(parser).resume();
  try {
    await finished(parser);
  } catch (error) {
    if (fault !== undefined) {
      throw fault;
    }
    throw error instanceof CsvError ? syntaxError(error) : fileError(path, error);
  } finally {
    input.destroy();
    parser.destroy();
  }
}

export interface ReadTableOptions {
  readonly digestRow?: DigestRow;
  readonly onBytes?: (bytes: number) => void;
}

/**
 * Reads microdata as its schema says.
 * @throws MedcloudletError `RESEARCH_CSV_COLUMNS` where header and schema do not name the same columns,
 *   `RESEARCH_CSV_VALUE` with line and column, `RESEARCH_CSV_SYNTAX`, `RESEARCH_CSV_EMPTY`, `RESEARCH_CSV_FILE`
 */
export async function readTable(
  path: string,
  schema: ReleaseSchema,
  { digestRow, onBytes }: ReadTableOptions = {},
): Promise<Table> {
  let builder = schema.header ? null : createTableBuilder(schema, undefined, digestRow);
  let width = schema.header ? null : schema.columns.length;
  await readCsv(path, { delimiter: schema.delimiter, ...(onBytes && { onBytes }) }, (record, line) => {
    if (builder === null) {
      builder = createTableBuilder(schema, placesOf(record, schema), digestRow);
      width = record.length;
      return;
    }
    if (record.length !== width) {
      throw new MedcloudletError(
        "RESEARCH_CSV_COLUMNS",
        `Line ${line} has ${record.length} columns, and ${width} were expected.`,
        { status: 400, details: { line } },
      );
    }
    builder.add(record, line);
  });
  return (builder ?? createTableBuilder(schema)).finish();
}

/** Where each column of the schema stands in the file. */
function placesOf(header: readonly string[], schema: ReleaseSchema): number[] {
  const names = schema.columns.map(({ name }) => name);
  const twice = header.find((name, i) => header.indexOf(name) !== i);
  if (twice !== undefined) {
    throw columnsError(`Column "${twice}" stands twice in the header: rename one of them`);
  }
  const unknown = header.findIndex((name) => !names.includes(name));
  if (unknown >= 0) {
    throw columnsError(
      `Line 1, column ${unknown + 1} ("${header[unknown]}") has no role in the schema: say whether it is an identifier, a quasi-identifier, sensitive or plain`,
    );
  }
  const absent = names.find((name) => !header.includes(name));
  if (absent !== undefined) {
    const hint =
      header.length === 1
        ? `; if fields are not separated by "${schema.delimiter}", say so with "delimiter"`
        : "";
    throw columnsError(
      `The schema names a column "${absent}", but the file has none: its columns are ${header.join(", ")}${hint}`,
    );
  }
  return names.map((name) => header.indexOf(name));
}

function columnsError(message: string): MedcloudletError {
  return new MedcloudletError("RESEARCH_CSV_COLUMNS", `${message}.`, { status: 400, details: { line: 1 } });
}

function syntaxError(error: CsvError): MedcloudletError {
  return new MedcloudletError(
    "RESEARCH_CSV_SYNTAX",
    `The file is not well-formed CSV: ${error.message.replace(/\.$/, "")}.`,
    { status: 400, cause: error },
  );
}

function fileError(path: string, error: unknown): MedcloudletError {
  return new MedcloudletError(
    "RESEARCH_CSV_FILE",
    `${path} cannot be read (${(error as NodeJS.ErrnoException).code}): check its path and permissions.`,
    { status: 400, cause: error },
  );
}
