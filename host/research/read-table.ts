import { MedcloudletError } from "../base/index.ts";
import { readCsv } from "../csv/index.ts";
import type { ReleaseSchema } from "./schema.ts";
import { createTableBuilder, type DigestRow, type Table } from "./table.ts";

/** The codes of what is wrong with a file of microdata. */
export const CSV_CODES = { syntax: "RESEARCH_CSV_SYNTAX", file: "RESEARCH_CSV_FILE" } as const;

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
  const { delimiter } = schema;
  const pieces = readCsv(path, { codes: CSV_CODES, delimiter, trim: true, ...(onBytes && { onBytes }) });
  for await (const piece of pieces) {
    for (const { fields, line } of piece) {
      if (builder === null) {
        builder = createTableBuilder(schema, placesOf(fields, schema), digestRow);
        continue;
      }
      if (!schema.header && fields.length !== schema.columns.length) {
        throw new MedcloudletError(
          "RESEARCH_CSV_COLUMNS",
          `Line ${line} has ${fields.length} columns, and ${schema.columns.length} were expected.`,
          { status: 400, details: { line } },
        );
      }
      builder.add(fields, line);
    }
  }
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
