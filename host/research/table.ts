import { MedcloudletError } from "../base/index.ts";
import type { ReleaseSchema, SchemaColumn } from "./schema.ts";
import { compileTaxonomy, MISSING, type Taxonomy } from "./taxonomy.ts";
import { type Codec, codecOf, parseNumber } from "./values.ts";

/** How the codes of an attribute are compared, cut and published. Code 0 is the missing value in all of them. */
export type Scale =
  /** Codes in the order of `values`; `values[0]` is not a number. */
  | {
      readonly kind: "numeric";
      readonly values: Float64Array;
      /** Largest less smallest value; 0 where there is one value only. */
      readonly range: number;
      readonly codec: Codec;
    }
  | { readonly kind: "taxonomy"; readonly taxonomy: Taxonomy }
  /** Values without an order or groups: a class publishes the set of them. */
  | { readonly kind: "set"; readonly names: readonly string[] };

/** A column by codes, one a row. */
export interface Attribute {
  readonly name: string;
  readonly codes: Uint32Array;
  /** Codes run below this. */
  readonly size: number;
  readonly scale: Scale;
}

/** A column whose values come out as they came in. */
export interface TextColumn {
  readonly name: string;
  /** Places in `texts`, one a row. */
  readonly places: Uint32Array;
  readonly texts: readonly string[];
}

/** A sensitive column: its texts, and codes by which distributions are compared. */
export interface SensitiveAttribute extends Attribute {
  readonly text: TextColumn;
}

/** Microdata column by column. Identifier columns are not in it, but for what the ledger needs. */
export interface Table {
  readonly rows: number;
  readonly quasiIdentifiers: readonly Attribute[];
  readonly sensitive: readonly SensitiveAttribute[];
  readonly plain: readonly TextColumn[];
  /** A digest of each row, where one was asked for; see the ledger. */
  readonly digests: readonly string[] | null;
  /** Rows that missed something and were left out. */
  readonly incomplete: number;
}

/** Takes records one by one. */
export interface TableBuilder {
  /**
   * Takes the record whole or, where it throws, nothing of it: the next one can follow.
   * @param line where the record ends in the file, for messages
   * @throws MedcloudletError `RESEARCH_CSV_VALUE` with line and column
   */
  add(record: readonly string[], line: number): void;
  /** @throws MedcloudletError `RESEARCH_CSV_EMPTY` */
  finish(): Table;
}

/** Grows by doubling. */
function createGrowing<T extends Uint32Array | Float64Array>(make: (length: number) => T) {
  let items = make(1024);
  let length = 0;
  return {
    push(value: number): void {
      if (length === items.length) {
        const larger = make(2 * length);
        larger.set(items);
        items = larger;
      }
      items[length++] = value;
    },
    take: (): T => items.slice(0, length) as T,
  };
}

/** One column while it is built. A row is read in all columns before any of them keeps something of it. */
interface Part {
  /** What to keep for a field; changes nothing. @throws MedcloudletError `RESEARCH_CSV_VALUE` */
  read(text: string, missing: boolean, line: number): number;
  /** @param value what `read` gave for the same field */
  keep(value: number, text: string, missing: boolean): void;
}

/** What one row is to the ledger: given all fields, in the order of the schema. */
export type DigestRow = (record: readonly string[]) => string;

/**
 * Makes a table of records.
 * @param places where each column of the schema stands in a record
 * @param digestRow what to keep of each row for the ledger
 */
export function createTableBuilder(
  schema: ReleaseSchema,
  places: readonly number[] = schema.columns.map((_, i) => i),
  digestRow?: DigestRow,
): TableBuilder {
  const missingTexts = new Set(["", ...schema.missing]);
  const quasiIdentifiers: (() => Attribute)[] = [];
  const sensitive: (() => SensitiveAttribute)[] = [];
  const plain: (() => TextColumn)[] = [];
  const digests: string[] = [];
  let rows = 0;
  let incomplete = 0;

  function partOf(column: SchemaColumn, place: number): Part | null {
    const fault = (line: number, what: string) => valueError(line, column.name, place, what);
    if (column.role === "identifier") {
      return column.person === true ? createPersonCheck(fault) : null;
    }
    if (column.role === "plain") {
      const made = createTexts(column.name);
      plain.push(made.finish);
      return made.part;
    }
    const encoder =
      column.type === "categorical"
        ? column.hierarchy === undefined
          ? createSetEncoder()
          : createTaxonomyEncoder(compileTaxonomy(column.hierarchy), fault)
        : createNumberEncoder(column.role === "sensitive" ? NUMBERS : codecOf(column), fault);
    if (column.role === "quasi-identifier") {
      quasiIdentifiers.push(() => ({ name: column.name, ...encoder.finish() }));
      return encoder.part;
    }
    const texts = createTexts(column.name);
    sensitive.push(() => ({ name: column.name, ...encoder.finish(), text: texts.finish() }));
    return {
      read: encoder.part.read,
      keep(value, text, missing) {
        encoder.part.keep(value, text, missing);
        texts.part.keep(value, text, missing);
      },
    };
  }

  const parts = schema.columns.map((column, i) => partOf(column, places[i] as number));
  const values = new Float64Array(parts.length);
  return {
    add(record, line) {
      if (schema.incomplete === "drop" && places.some((place) => missingTexts.has(record[place] as string))) {
        incomplete++;
        return;
      }
      for (let i = 0; i < parts.length; i++) {
        const text = record[places[i] as number] as string;
        values[i] = parts[i]?.read(text, missingTexts.has(text), line) ?? 0;
      }
      for (let i = 0; i < parts.length; i++) {
        const text = record[places[i] as number] as string;
        parts[i]?.keep(values[i] as number, text, missingTexts.has(text));
      }
      if (digestRow !== undefined) {
        digests.push(digestRow(places.map((place) => record[place] as string)));
      }
      rows++;
    },
    finish() {
      if (rows === 0) {
        throw new MedcloudletError(
          "RESEARCH_CSV_EMPTY",
          incomplete === 0
            ? "There is no row in the file: nothing can be released."
            : `Each of the ${incomplete} rows misses something: set "incomplete" to "keep" in the schema.`,
          { status: 400 },
        );
      }
      return {
        rows,
        quasiIdentifiers: quasiIdentifiers.map((finish) => finish()),
        sensitive: sensitive.map((finish) => finish()),
        plain: plain.map((finish) => finish()),
        digests: digestRow === undefined ? null : digests,
        incomplete,
      };
    },
  };
}

type Encoded = Omit<Attribute, "name">;
type FaultAt = (line: number, what: string) => MedcloudletError;

const NUMBERS: Codec = { parse: parseNumber, format: String, expected: "a decimal number (with a point)" };

function createPersonCheck(fault: FaultAt): Part {
  const lines = new Map<string, number>();
  return {
    read(text, missing, line) {
      const before = missing ? undefined : lines.get(text);
      if (missing || before !== undefined) {
        throw fault(
          line,
          missing
            ? "does not say whose row this is"
            : `names the person of line ${before} again: k counts rows, so make one row of each person first`,
        );
      }
      return line;
    },
    keep(line, text) {
      lines.set(text, line);
    },
  };
}

function createTexts(name: string) {
  const known = new Map<string, number>();
  const places = createGrowing((length) => new Uint32Array(length));
  const part: Part = {
    read: () => 0,
    keep(_value, text) {
      let place = known.get(text);
      if (place === undefined) {
        place = known.size;
        known.set(text, place);
      }
      places.push(place);
    },
  };
  return { part, finish: (): TextColumn => ({ name, places: places.take(), texts: [...known.keys()] }) };
}

function createSetEncoder(): { part: Part; finish(): Encoded } {
  const known = new Map<string, number>();
  const drafts = createGrowing((length) => new Uint32Array(length));
  return {
    part: {
      read: () => 0,
      keep(_value, text, missing) {
        const key = missing ? "" : text;
        let code = known.get(key);
        if (code === undefined) {
          code = known.size;
          known.set(key, code);
        }
        drafts.push(code);
      },
    },
    finish() {
      // Codes follow the names and not the rows, so that the order of the file changes nothing.
      const names = ["", ...[...known.keys()].filter((key) => key !== "").sort()];
      const codeOf = new Map(names.map((name, code) => [name, code]));
      const final = Uint32Array.from(known.keys(), (key) => codeOf.get(key) as number);
      return {
        codes: drafts.take().map((draft) => final[draft] as number),
        size: names.length,
        scale: { kind: "set", names },
      };
    },
  };
}

function createTaxonomyEncoder(taxonomy: Taxonomy, fault: FaultAt): { part: Part; finish(): Encoded } {
  const codes = createGrowing((length) => new Uint32Array(length));
  return {
    part: {
      read(text, missing, line) {
        const code = missing ? MISSING : taxonomy.codeOf(text);
        if (code === undefined) {
          throw fault(line, "is not in the column's hierarchy: add it there, or to what is missing");
        }
        return code;
      },
      keep: codes.push,
    },
    finish: () => ({
      codes: codes.take(),
      size: taxonomy.leaves + 1,
      scale: { kind: "taxonomy", taxonomy },
    }),
  };
}

function createNumberEncoder(codec: Codec, fault: FaultAt): { part: Part; finish(): Encoded } {
  const numbers = createGrowing((length) => new Float64Array(length));
  return {
    part: {
      read(text, missing, line) {
        const value = missing ? Number.NaN : codec.parse(text);
        if (value === null) {
          throw fault(line, `is not ${codec.expected}, nor said to be missing`);
        }
        return value;
      },
      keep: numbers.push,
    },
    finish() {
      const all = numbers.take();
      const sorted = all.filter((value) => !Number.isNaN(value)).sort();
      const values = new Float64Array(sorted.length + 1);
      values[MISSING] = Number.NaN;
      let size = 1;
      for (const value of sorted) {
        if (size === 1 || value !== values[size - 1]) {
          values[size++] = value;
        }
      }
      const codes = new Uint32Array(all.length);
      for (let row = 0; row < all.length; row++) {
        codes[row] = Number.isNaN(all[row]) ? MISSING : rankOf(values, size, all[row] as number);
      }
      const range = size > 2 ? (values[size - 1] as number) - (values[1] as number) : 0;
      return { codes, size, scale: { kind: "numeric", values: values.slice(0, size), range, codec } };
    },
  };
}

/** Place of a value that is there, by halving. */
function rankOf(values: Float64Array, size: number, value: number): number {
  let low = 1;
  let high = size - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] as number) < value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/** Says where, not what: the field may be a name or a diagnosis. */
function valueError(line: number, column: string, place: number, fault: string): MedcloudletError {
  return new MedcloudletError(
    "RESEARCH_CSV_VALUE",
    `Line ${line}, column ${place + 1} ("${column}"): the field ${fault}.`,
    { status: 400, details: { line, column, place: place + 1 } },
  );
}
