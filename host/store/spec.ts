import { invalid } from "./errors.ts";
import type { CollectionSpec, Direction, IndexSpec } from "./port.ts";
import { assertNoConflict } from "./update.ts";
import { assertPath, isPlainObject } from "./values.ts";

/** One path of an index or a sort. */
export type Ordering = readonly [path: string, direction: Direction];

export interface Index {
  readonly fields: readonly Ordering[];
  readonly unique: boolean;
}

/** The checked form of a `CollectionSpec`. */
export interface CollectionPlan {
  readonly name: string;
  readonly indexes: readonly Index[];
}

export type Projection = Readonly<Record<string, 0 | 1>>;

/** The checked form of `FindOptions`. */
export interface Window {
  readonly sort: readonly Ordering[];
  readonly skip: number;
  readonly limit: number | null;
  readonly projection: Projection | null;
}

const COLLECTION_NAME = /^(?!system\.)[A-Za-z][A-Za-z0-9_.-]{0,63}$/;
const INDEXED_PATH = /^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)*$/;

/** @throws MedcloudletError `STORE_VALUE_INVALID` */
export function parseSpec<T>(spec: CollectionSpec<T>): CollectionPlan {
  if (!COLLECTION_NAME.test(spec.name)) {
    throw invalid("A collection name starts with a letter and holds letters, digits, '_', '-' and '.'.");
  }
  return { name: spec.name, indexes: spec.indexes.map(parseIndex) };
}

function parseIndex<T>(index: IndexSpec<T>): Index {
  const fields = parseOrderings(index.fields);
  if (fields.length === 0 || fields.some(([path]) => path === "_id" || !INDEXED_PATH.test(path))) {
    throw invalid("An index names at least one field other than _id, by letters, digits, '_', '-' and dots.");
  }
  return { fields, unique: index.unique === true };
}

/** Every path of every index once. */
export function indexedPaths(plan: CollectionPlan): readonly string[] {
  return [...new Set(plan.indexes.flatMap((index) => index.fields.map(([path]) => path)))];
}

/** @throws MedcloudletError `STORE_VALUE_INVALID` */
export function parseOrderings(spec: unknown): readonly Ordering[] {
  if (spec === undefined) {
    return [];
  }
  if (!isPlainObject(spec)) {
    throw invalid("An order is an object of fields with 1 or -1.");
  }
  return Object.entries(spec).map(([path, direction]): Ordering => {
    assertPath(path);
    if (direction !== 1 && direction !== -1) {
      throw invalid("An order is an object of fields with 1 or -1.");
    }
    return [path, direction];
  });
}

/** @throws MedcloudletError `STORE_VALUE_INVALID` */
export function parseWindow(options: {
  sort?: unknown;
  skip?: unknown;
  limit?: unknown;
  projection?: unknown;
}): Window {
  return {
    sort: parseOrderings(options.sort),
    skip: options.skip === undefined ? 0 : parseCount(options.skip, 0),
    limit: options.limit === undefined ? null : parseCount(options.limit, 1),
    projection: options.projection === undefined ? null : parseProjection(options.projection),
  };
}

function parseCount(value: unknown, least: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > 0x7fff_ffff) {
    throw invalid(`A limit or skip is an integer from ${least}.`);
  }
  return value;
}

function parseProjection(projection: unknown): Projection | null {
  if (!isPlainObject(projection)) {
    throw invalid("A projection is an object of fields with 0 or 1.");
  }
  const entries = Object.entries(projection).map(([path, keep]): [string, 0 | 1] => {
    assertPath(path);
    if (keep !== 0 && keep !== 1) {
      throw invalid("A projection is an object of fields with 0 or 1.");
    }
    return [path, keep];
  });
  const kinds = new Set(entries.filter(([path]) => path !== "_id").map(([, keep]) => keep));
  if (kinds.size > 1) {
    throw invalid("A projection either keeps fields (1) or leaves fields out (0).");
  }
  assertNoConflict(entries.map(([path]) => path));
  return entries.length === 0 ? null : Object.fromEntries(entries);
}
