import { once } from "node:events";
import { createWriteStream } from "node:fs";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { csvText } from "../csv/index.ts";
import { harmlessCell } from "./formula.ts";
import { createKeystream, shuffle } from "./keystream.ts";
import { type Published, publish } from "./publish.ts";
import type { Anonymized } from "./release.ts";
import { type ReleaseSchema, ROW_ID } from "./schema.ts";
import { parseNumber } from "./values.ts";

export type ReleaseFormat = "csv" | "ndjson";

export interface WriteOptions {
  readonly schema: ReleaseSchema;
  readonly format: ReleaseFormat;
  /** Secret of the row ids and of the order of rows. */
  readonly seed: string;
  readonly onRows?: (rows: number) => void;
}

const ROWS_AT_ONCE = 2000;

/** Names of the columns of a release, in their order; identifiers are not among them. */
function releasedColumns(schema: ReleaseSchema): string[] {
  return [ROW_ID, ...schema.columns.filter(({ role }) => role !== "identifier").map(({ name }) => name)];
}

/** The rows of a release as text, a few thousand at a time, in an order that tells nothing of the file they come from. */
export function* releaseText(release: Anonymized, options: WriteOptions): Generator<string> {
  const { schema, format, seed, onRows } = options;
  const { table, classes } = release;
  const published = publish(table, classes);
  const classOf = new Uint32Array(table.rows);
  for (const [index, from] of classes.starts.entries()) {
    for (let i = from; i < (classes.ends[index] as number); i++) {
      classOf[classes.order[i] as number] = index;
    }
  }
  // Sorted first, so that the same rows and seed give the same order whatever way the classes were found.
  const rows = release.released.slice().sort();
  shuffle(rows, createKeystream(seed, "order"));
  const ids = createKeystream(seed, "ids");
  const cellOf = cellsOf(release, schema, published);
  const names = releasedColumns(schema);
  const columns = names.slice(1);

  if (format === "csv") {
    yield csvText([names]);
  }
  for (let start = 0; start < rows.length; start += ROWS_AT_ONCE) {
    const part = rows.subarray(start, start + ROWS_AT_ONCE);
    const records = Array.from(part, (row) => {
      const cells = cellOf.map((cell) => cell(row, classOf[row] as number));
      return { id: ids.id(), cells };
    });
    yield format === "csv"
      ? csvText(records.map(({ id, cells }) => [id, ...cells.map(({ text }) => harmlessCell(text))]))
      : records
          .map(({ id, cells }) =>
            JSON.stringify({
              [ROW_ID]: id,
              ...Object.fromEntries(cells.map(({ json }, i) => [columns[i] as string, json])),
            }),
          )
          .join("\n")
          .concat("\n");
    onRows?.(part.length);
  }
}

type Cell = (row: number, index: number) => Published;

/** How each column of the release gets its value. */
function cellsOf({ table }: Anonymized, schema: ReleaseSchema, published: readonly Published[][]): Cell[] {
  const numeric = schema.columns.flatMap((column) =>
    column.role === "sensitive" && column.type === "numeric" ? [column.name] : [],
  );
  const texts = [...table.plain, ...table.sensitive.map(({ text }) => text)].map((column) => {
    const { name, places } = column;
    const values = column.texts.map(
      (text): Published => ({ text, json: numeric.includes(name) ? parseNumber(text) : text }),
    );
    return { name, cell: (row: number) => values[places[row] as number] as Published };
  });
  return schema.columns.flatMap(({ name, role }): Cell[] => {
    if (role === "identifier") {
      return [];
    }
    if (role === "quasi-identifier") {
      const at = table.quasiIdentifiers.findIndex((attribute) => attribute.name === name);
      return [(_row, index) => (published[index] as Published[])[at] as Published];
    }
    return texts.filter((column) => column.name === name).map(({ cell }) => cell);
  });
}

/** Writes pieces of text no faster than they are taken. A stream that is given is left open. */
export async function writePieces(pieces: Iterable<string>, to: string | Writable): Promise<void> {
  const stream = typeof to === "string" ? createWriteStream(to, { mode: 0o600 }) : to;
  for (const piece of pieces) {
    if (!stream.write(piece)) {
      await once(stream, "drain");
    }
  }
  if (typeof to === "string") {
    stream.end();
    await finished(stream);
  }
}
