import { createRandom } from "../base/index.ts";
import { createHistograms } from "./histogram.ts";
import type { Anonymized } from "./release.ts";
import type { Attribute } from "./table.ts";
import { MISSING, type TaxonomyPlace } from "./taxonomy.ts";

/** How far counts taken from a release are from the truth. */
export interface QueryError {
  readonly queries: number;
  /** |estimate - truth| / truth. */
  readonly median: number;
  readonly mean: number;
}

/** A count over two attributes: how many rows have both codes in these ranges? */
interface Query {
  readonly sides: readonly { readonly attribute: number; readonly first: number; readonly last: number }[];
}

const QUERIES = 500;
/** On large tables fewer do: each walks through all rows. */
const FEWER_QUERIES = 200;
const LARGE = 300_000;
/** Counts below this share of the rows are not asked for: their relative errors say little. */
const LEAST_SHARE = 0.001;
const ATTEMPTS = 20;

/**
 * The error of random counting queries (as in Xiao and Tao, "Anatomy", VLDB 2006, and LeFevre, DeWitt and Ramakrishnan,
 * TODS 2008): two quasi-identifiers, a range of 5 to 50 % of each one's values. Whoever has the release alone takes the rows
 * of a class to be spread evenly over what it publishes. The same seed asks the same questions.
 */
export function queryError(release: Anonymized, seed = 1): QueryError {
  const { table, classes } = release;
  const attributes = table.quasiIdentifiers;
  const queries = ask(release, seed);
  const histogram = createHistograms(
    table.rows,
    attributes.map(({ size }) => size),
  );
  const estimates = new Float64Array(queries.length);
  for (const [index, from] of classes.starts.entries()) {
    const to = classes.ends[index] as number;
    const spreads = attributes.map(({ codes, size, scale }) => {
      const counted = histogram(codes, size, classes.order, from, to);
      return spreadOf(scale, counted.codes.slice(0, counted.length));
    });
    for (const [q, { sides }] of queries.entries()) {
      let share = to - from;
      for (const { attribute, first, last } of sides) {
        share *= overlap(spreads[attribute] as Spread, first, last);
      }
      estimates[q] = (estimates[q] as number) + share;
    }
  }
  const errors = queries.map(({ truth }, q) => Math.abs((estimates[q] as number) - truth) / truth);
  errors.sort((a, b) => a - b);
  return {
    queries: errors.length,
    median: errors[errors.length >> 1] ?? 0,
    mean: errors.reduce((sum, error) => sum + error, 0) / Math.max(1, errors.length),
  };
}

/** Queries that enough rows answer, with how many do. Rows that were left out count too: they are what is lost. */
function ask({ table }: Anonymized, seed: number): (Query & { readonly truth: number })[] {
  const random = createRandom(seed, 0x9e5e);
  const usable = [...table.quasiIdentifiers.keys()].filter(
    (i) => (table.quasiIdentifiers[i] as Attribute).size > 2,
  );
  const wanted = table.rows > LARGE ? FEWER_QUERIES : QUERIES;
  const asked: (Query & { readonly truth: number })[] = [];
  for (
    let attempt = 0;
    asked.length < wanted && attempt < ATTEMPTS * wanted && usable.length > 0;
    attempt++
  ) {
    const one = Math.floor(usable.length * random.uniform());
    const other = (one + 1 + Math.floor((usable.length - 1) * random.uniform())) % usable.length;
    const sides = [...new Set([one, other])].map((i) => {
      const attribute = usable[i] as number;
      const values = (table.quasiIdentifiers[attribute] as Attribute).size - 1;
      const width = Math.max(1, Math.round(values * random.between(0.05, 0.5)));
      const first = 1 + Math.floor((values - width + 1) * random.uniform());
      return { attribute, first, last: first + width - 1 };
    });
    const truth = countRows(table.quasiIdentifiers, sides, table.rows);
    if (truth >= LEAST_SHARE * table.rows && truth > 0) {
      asked.push({ sides, truth });
    }
  }
  return asked;
}

function countRows(attributes: readonly Attribute[], sides: Query["sides"], rows: number): number {
  const columns = sides.map(({ attribute }) => (attributes[attribute] as Attribute).codes);
  let count = 0;
  for (let row = 0; row < rows; row++) {
    let inside = true;
    for (let s = 0; s < sides.length && inside; s++) {
      const code = (columns[s] as Uint32Array)[row] as number;
      const { first, last } = sides[s] as Query["sides"][number];
      inside = code >= first && code <= last;
    }
    count += inside ? 1 : 0;
  }
  return count;
}

/** Intervals of codes that a class may be spread over, and how many codes they are. */
interface Spread {
  readonly intervals: readonly (readonly [first: number, last: number])[];
  readonly codes: number;
}

function spreadOf(scale: Attribute["scale"], codes: Uint32Array): Spread {
  const low = codes[0] as number;
  const high = codes[codes.length - 1] as number;
  const intervals = intervalsOf(scale, codes, low, high);
  return { intervals, codes: intervals.reduce((sum, [first, last]) => sum + last - first + 1, 0) };
}

function intervalsOf(
  scale: Attribute["scale"],
  codes: Uint32Array,
  low: number,
  high: number,
): (readonly [number, number])[] {
  if (low === high) {
    return [[low, low]];
  }
  if (scale.kind === "set") {
    return Array.from(codes, (code) => [code, code] as const);
  }
  if (low === MISSING) {
    const size = scale.kind === "numeric" ? scale.values.length : scale.taxonomy.leaves + 1;
    return [[MISSING, size - 1]];
  }
  if (scale.kind === "numeric") {
    return [[low, high]];
  }
  return scale.taxonomy
    .cover(low, high)
    .children.filter(({ first, last }: TaxonomyPlace) => codes.some((code) => code >= first && code <= last))
    .map(({ first, last }) => [first, last] as const);
}

function overlap({ intervals, codes }: Spread, first: number, last: number): number {
  let shared = 0;
  for (const [from, to] of intervals) {
    shared += Math.max(0, Math.min(to, last) - Math.max(from, first) + 1);
  }
  return shared / codes;
}
