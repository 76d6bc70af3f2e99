import { forbidden, invalid } from "./errors.ts";
import { type Conjunction, equalities, orderedOperand } from "./filter.ts";
import { assertPath, copyScalar, copyValue, isPlainObject, isScalar, type Scalar } from "./values.ts";

const OPERATORS = ["$set", "$setOnInsert", "$unset", "$inc", "$push", "$pull", "$min", "$max"] as const;

export type UpdateOperator = (typeof OPERATORS)[number];

/** The checked form of an update: per operator, what it does to which path. Still MongoDB's own syntax. */
export type Update = Readonly<Partial<Record<UpdateOperator, Readonly<Record<string, unknown>>>>>;

/** An upsert inserts these paths before the update is applied; `_id` is among them. */
export type Seed = ReadonlyMap<string, Scalar>;

/**
 * A checked deep copy of a MongoDB update.
 * @param indexed paths that must keep holding scalars
 * @throws MedcloudletError `STORE_OPERATOR_FORBIDDEN` or `STORE_VALUE_INVALID`
 */
export function parseUpdate(update: unknown, indexed: readonly string[]): Update {
  if (!isPlainObject(update)) {
    throw invalid("An update is a plain object of update operators.");
  }
  const parsed: Partial<Record<UpdateOperator, Record<string, unknown>>> = {};
  const paths: string[] = [];
  for (const [operator, fields] of Object.entries(update)) {
    if (!isUpdateOperator(operator)) {
      throw operator.startsWith("$")
        ? forbidden(operator)
        : invalid("An update holds update operators only.");
    }
    if (!isPlainObject(fields)) {
      throw invalid(`${operator} takes an object of fields.`);
    }
    const entries = Object.entries(fields).map(([path, value]): [string, unknown] => {
      assertPath(path);
      const copy = copyOperand(operator, value);
      assertIdUntouched(operator, path, copy);
      assertIndexable(operator, path, copy, indexed);
      paths.push(path);
      return [path, copy];
    });
    if (entries.length > 0) {
      parsed[operator] = Object.fromEntries(entries);
    }
  }
  if (paths.length === 0) {
    throw invalid("An update changes at least one field.");
  }
  assertNoConflict(paths);
  return parsed;
}

/**
 * What an upsert starts from: the equalities of the filter.
 * @throws MedcloudletError `STORE_VALUE_INVALID` when no `_id` follows from the filter or `$setOnInsert`
 */
export function parseSeed(conditions: Conjunction, update: Update, indexed: readonly string[]): Seed {
  const seed = equalities(conditions);
  assertNoConflict([...seed.keys()]);
  for (const [path, value] of seed) {
    assertIndexable("$set", path, value, indexed);
  }
  const chosen = update.$setOnInsert?._id;
  if (chosen !== undefined && seed.has("_id")) {
    throw invalid("An upsert takes _id from the filter or from $setOnInsert, not from both.");
  }
  const id = seed.get("_id") ?? chosen;
  if (typeof id !== "string" || id === "") {
    throw invalid("An upsert needs its _id from the filter (equality) or from $setOnInsert.");
  }
  return seed;
}

function isUpdateOperator(operator: string): operator is UpdateOperator {
  return (OPERATORS as readonly string[]).includes(operator);
}

function copyOperand(operator: UpdateOperator, value: unknown): unknown {
  switch (operator) {
    case "$set":
    case "$setOnInsert":
      return copyValue(value);
    case "$unset":
      return "";
    case "$inc":
      if (typeof value !== "number") {
        throw invalid("$inc takes a number.");
      }
      return copyScalar(value);
    case "$min":
    case "$max":
      return orderedOperand(operator, value);
    case "$pull":
      return copyScalar(value);
    case "$push":
      return { $each: pushed(value) };
  }
}

function pushed(value: unknown): unknown {
  if (!isPlainObject(value) || !Object.keys(value).some((key) => key.startsWith("$"))) {
    return copyValue([value]);
  }
  const { $each: items, ...others } = value;
  for (const other of Object.keys(others)) {
    throw forbidden(other);
  }
  if (!Array.isArray(items) || items.length === 0) {
    throw invalid("$each takes an array that is not empty.");
  }
  return copyValue(items);
}

function assertIdUntouched(operator: UpdateOperator, path: string, value: unknown): void {
  const chosen = operator === "$setOnInsert" && path === "_id" && typeof value === "string";
  if (!chosen && (path === "_id" || path.startsWith("_id."))) {
    throw invalid("An update cannot change _id.");
  }
}

/** Refuses an update after which an indexed path could hold an array or an object. */
function assertIndexable(
  operator: UpdateOperator,
  path: string,
  value: unknown,
  indexed: readonly string[],
): void {
  for (const index of indexed) {
    const within = path.startsWith(`${index}.`) && operator !== "$unset";
    const array = path === index && (operator === "$push" || operator === "$pull");
    if (within || array || (path === index && !isScalar(value))) {
      throw invalid(`The indexed field ${index} holds a scalar: arrays and objects cannot be indexed.`);
    }
    if (index.startsWith(`${path}.`) && (operator === "$set" || operator === "$setOnInsert")) {
      assertIndexableWithin(value, index.slice(path.length + 1), index);
    }
  }
}

/** Refuses a value (an object that is set as a whole, or a document) that holds an array or object at an indexed path. */
export function assertIndexableWithin(value: unknown, path: string, index: string): void {
  let reached: unknown = value;
  for (const component of path.split(".")) {
    if (Array.isArray(reached)) {
      break;
    }
    reached = isPlainObject(reached) && Object.hasOwn(reached, component) ? reached[component] : undefined;
  }
  if (reached !== undefined && !isScalar(reached)) {
    throw invalid(`The indexed field ${index} holds a scalar: arrays and objects cannot be indexed.`);
  }
}

/** Refuses two paths of which one is the other or lies inside it. */
export function assertNoConflict(paths: readonly string[]): void {
  const seen = new Set<string>(paths);
  const conflict = paths.find((path) =>
    path.split(".").some((_, i, parts) => i > 0 && seen.has(parts.slice(0, i).join("."))),
  );
  if (seen.size !== paths.length || conflict !== undefined) {
    throw invalid("Two parts of one update, filter or projection concern the same field.");
  }
}
