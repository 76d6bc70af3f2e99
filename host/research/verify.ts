import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { MedcloudletError } from "../base/index.ts";
import { readCsv } from "../csv/index.ts";
import { originalCell } from "./formula.ts";
import type { Guarantee } from "./guarantee.ts";
import { CSV_CODES } from "./read-table.ts";
import { type ReleaseSchema, ROW_ID, type SensitiveColumn } from "./schema.ts";
import type { TaxonomyNode } from "./taxonomy.ts";

/*
 * Looks at a release as whoever gets it does: at the file alone, by the definitions of the papers, written down a second time.
 * Nothing of what made the release is used here but the schema and the CSV parser, so that one mistake cannot hide in both.
 */

export interface Verification {
  readonly holds: boolean;
  readonly rows: number;
  readonly classes: number;
  /** What the worst class reaches. */
  readonly reached: {
    readonly k: number;
    readonly l: Readonly<Record<string, number>>;
    readonly t: Readonly<Record<string, number>>;
  };
  /** In words, the first of each kind. */
  readonly faults: readonly string[];
}

export interface VerifyOptions {
  readonly schema: ReleaseSchema;
  readonly guarantee: Guarantee;
  readonly format: "csv" | "ndjson";
  readonly onBytes?: (bytes: number) => void;
}

type Counts = Map<string, number>;

interface ReleasedClass {
  rows: number;
  readonly counts: readonly Counts[];
}

const LITTLE = 1e-9;
const ID = /^[A-Za-z0-9_-]{16}$/;

/**
 * Checks a release file against a guarantee.
 * @throws MedcloudletError `RESEARCH_CSV_SYNTAX`, `RESEARCH_CSV_FILE`, `RESEARCH_RELEASE_INVALID` where the file has not the
 *   form of a release
 */
export async function verifyRelease(path: string, options: VerifyOptions): Promise<Verification> {
  const { schema, guarantee } = options;
  const sensitive = schema.columns.filter((column) => column.role === "sensitive");
  const quasi = schema.columns.filter(({ role }) => role === "quasi-identifier").map(({ name }) => name);
  const missing = new Set(["", ...schema.missing]);
  const whole = sensitive.map((): Counts => new Map());
  const classes = new Map<string, ReleasedClass>();
  const ids = createIdSet();
  const faults = new Set<string>();
  let rows = 0;

  await eachRow(path, options, (row, line) => {
    rows++;
    const id = row(ROW_ID);
    if (!ID.test(id)) {
      faults.add(`Line ${line}: the row id is not a random one.`);
    } else {
      ids.add(id);
    }
    const key = JSON.stringify(quasi.map(row));
    let found = classes.get(key);
    if (found === undefined) {
      found = { rows: 0, counts: sensitive.map(() => new Map()) };
      classes.set(key, found);
    }
    found.rows++;
    for (const [i, { name }] of sensitive.entries()) {
      const text = row(name);
      const value = missing.has(text) ? "" : text;
      increase(whole[i] as Counts, value);
      increase(found.counts[i] as Counts, value);
    }
  });

  if (rows === 0) {
    throw invalid("it has no rows");
  }
  if (ids.hasTwice()) {
    faults.add("A row id stands twice.");
  }
  const distances = sensitive.map((column, i) => distanceFrom(column, whole[i] as Counts, rows));
  let k = Number.POSITIVE_INFINITY;
  const l = sensitive.map(() => Number.POSITIVE_INFINITY);
  const t = sensitive.map(() => 0);
  for (const found of classes.values()) {
    k = Math.min(k, found.rows);
    for (const i of sensitive.keys()) {
      const counts = found.counts[i] as Counts;
      l[i] = Math.min(l[i] as number, diversity(counts, guarantee.diversity));
      t[i] = Math.max(t[i] as number, (distances[i] as Distance)(counts, found.rows));
    }
  }
  if (k < guarantee.k) {
    faults.add(`A class has ${k} rows, and k is ${guarantee.k}.`);
  }
  for (const [i, { name }] of sensitive.entries()) {
    if (guarantee.l > 1 && (l[i] as number) < guarantee.l - LITTLE) {
      faults.add(`A class is ${(l[i] as number).toFixed(3)}-diverse in "${name}", and l is ${guarantee.l}.`);
    }
    if (guarantee.t < 1 && (t[i] as number) > guarantee.t + LITTLE) {
      faults.add(
        `A class is ${(t[i] as number).toFixed(4)} from the whole in "${name}", and t is ${guarantee.t}.`,
      );
    }
  }
  const named = (values: readonly number[]) =>
    Object.fromEntries(sensitive.map(({ name }, i) => [name, values[i] as number]));
  return {
    holds: faults.size === 0,
    rows,
    classes: classes.size,
    reached: { k, l: named(l), t: named(t) },
    faults: [...faults].slice(0, 20),
  };
}

/** Ids by their first 64 bits: a set of a million texts would be most of what the check needs. */
function createIdSet() {
  let seen = new BigUint64Array(1024);
  let length = 0;
  return {
    add(id: string): void {
      if (length === seen.length) {
        const larger = new BigUint64Array(2 * length);
        larger.set(seen);
        seen = larger;
      }
      seen[length++] = Buffer.from(id, "base64url").readBigUInt64LE();
    },
    hasTwice(): boolean {
      const sorted = seen.subarray(0, length).sort();
      return sorted.some((id, i) => i > 0 && id === sorted[i - 1]);
    },
  };
}

type Row = (name: string) => string;

async function eachRow(
  path: string,
  { schema, format, onBytes }: VerifyOptions,
  take: (row: Row, line: number) => void,
): Promise<void> {
  const expected = [
    ROW_ID,
    ...schema.columns.filter(({ role }) => role !== "identifier").map(({ name }) => name),
  ];
  const requireColumns = (columns: readonly string[], line: number) => {
    if (columns.length !== expected.length || expected.some((name, i) => columns[i] !== name)) {
      throw invalid(
        `line ${line} has the columns ${columns.join(", ")}, and they should be ${expected.join(", ")}`,
      );
    }
  };
  const bytes = onBytes === undefined ? {} : { onBytes };
  if (format === "csv") {
    const place = new Map(expected.map((name, i) => [name, i]));
    let header = true;
    // Blanks tell classes apart too, and are kept.
    for await (const piece of readCsv(path, { codes: CSV_CODES, ...bytes })) {
      for (const { fields, line } of piece) {
        if (header) {
          requireColumns(fields, line);
          header = false;
          continue;
        }
        take((name) => originalCell(fields[place.get(name) as number] as string), line);
      }
    }
    return;
  }
  const lines = createInterface({
    input: createReadStream(path, "utf8"),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  let number = 0;
  for await (const line of lines) {
    number++;
    onBytes?.(line.length + 1);
    const object = parseLine(line, number);
    requireColumns(Object.keys(object), number);
    take((name) => textOf(object[name]), number);
  }
}

function parseLine(line: string, number: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null) {
      return value as Record<string, unknown>;
    }
  } catch {
    // Said below, with the number of the line.
  }
  throw invalid(`line ${number} is no JSON object`);
}

function textOf(value: unknown): string {
  return value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);
}

function increase(counts: Counts, value: string): void {
  counts.set(value, (counts.get(value) ?? 0) + 1);
}

/** l-diversity by its two definitions, over values that are there. */
function diversity(counts: Counts, kind: Guarantee["diversity"]): number {
  const known = [...counts].filter(([value]) => value !== "").map(([, count]) => count);
  if (kind === "distinct" || known.length === 0) {
    return known.length;
  }
  const total = known.reduce((sum, count) => sum + count, 0);
  return Math.exp(-known.reduce((sum, count) => sum + (count / total) * Math.log(count / total), 0));
}

type Distance = (counts: Counts, total: number) => number;

function distanceFrom(column: SensitiveColumn, whole: Counts, rows: number): Distance {
  const excess = (counts: Counts, total: number, value: string) =>
    (counts.get(value) ?? 0) / total - (whole.get(value) ?? 0) / rows;
  if (column.type === "numeric") {
    return orderedDistance(whole, excess);
  }
  if (column.hierarchy !== undefined) {
    const root = column.hierarchy;
    const height = heightOf(root);
    return (counts, total) => {
      let work = 0;
      const walk = (node: TaxonomyNode): number => {
        if (typeof node === "string") {
          return excess(counts, total, node);
        }
        const below = node.children.map(walk);
        if (node === root) {
          below.push(excess(counts, total, ""));
        }
        const more = below.reduce((sum, extra) => sum + Math.max(0, extra), 0);
        const less = below.reduce((sum, extra) => sum + Math.max(0, -extra), 0);
        work += (heightOf(node) / height) * Math.min(more, less);
        return more - less;
      };
      walk(root);
      return work;
    };
  }
  return (counts, total) => {
    let sum = 0;
    for (const value of whole.keys()) {
      sum += Math.abs(excess(counts, total, value));
    }
    return sum / 2;
  };
}

function orderedDistance(
  whole: Counts,
  excess: (counts: Counts, total: number, value: string) => number,
): Distance {
  // Different texts of one number ("1" and "1.0") are one place.
  const places = new Map<number, string[]>();
  for (const text of whole.keys()) {
    const value = text === "" ? Number.NEGATIVE_INFINITY : Number(text);
    places.set(value, [...(places.get(value) ?? []), text]);
  }
  const ordered = [...places].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, texts]) => texts);
  return (counts, total) => {
    let carried = 0;
    let work = 0;
    for (const texts of ordered) {
      for (const text of texts) {
        carried += excess(counts, total, text);
      }
      work += Math.abs(carried);
    }
    return ordered.length < 2 ? 0 : work / (ordered.length - 1);
  };
}

function heightOf(node: TaxonomyNode): number {
  return typeof node === "string" ? 0 : 1 + Math.max(...node.children.map(heightOf));
}

function invalid(why: string): MedcloudletError {
  return new MedcloudletError("RESEARCH_RELEASE_INVALID", `This is not a release of that schema: ${why}.`, {
    status: 400,
  });
}
