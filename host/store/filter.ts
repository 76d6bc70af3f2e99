import type { Document } from "mongodb";
import { forbidden, invalid } from "./errors.ts";
import { assertPath, copyScalar, isPlainObject, type Scalar } from "./values.ts";

export type ComparisonOperator = "$eq" | "$ne" | "$gt" | "$gte" | "$lt" | "$lte";

export type FieldCondition = { readonly path: string } & (
  | { readonly operator: ComparisonOperator; readonly operand: Scalar }
  | { readonly operator: "$in" | "$nin"; readonly operand: readonly Scalar[] }
  | { readonly operator: "$exists"; readonly operand: boolean }
  | { readonly operator: "$not"; readonly operand: readonly FieldCondition[] }
);

/** `anyOf` is `$or`: at least one of the conjunctions holds. */
export type Condition = FieldCondition | { readonly anyOf: readonly Conjunction[] };

/** All of these hold. A filter is one conjunction, with every `$and` flattened into it. */
export type Conjunction = readonly Condition[];

const MAX_DEPTH = 16;

/**
 * The checked form of a MongoDB filter. Nothing of the argument is kept, and only operators of the port get through:
 * below an operator there are scalars only, so an object that came with a request can never become a condition.
 * @throws MedcloudletError `STORE_OPERATOR_FORBIDDEN` or `STORE_VALUE_INVALID`
 */
export function parseFilter(filter: unknown, depth = 0): Conjunction {
  if (!isPlainObject(filter)) {
    throw invalid("A filter is a plain object.");
  }
  if (depth > MAX_DEPTH) {
    throw invalid("A filter is nested too deeply.");
  }
  const conditions: Condition[] = [];
  for (const [key, value] of Object.entries(filter)) {
    if (key === "$and") {
      conditions.push(...members(key, value).flatMap((member) => parseFilter(member, depth + 1)));
    } else if (key === "$or") {
      conditions.push({ anyOf: members(key, value).map((member) => parseFilter(member, depth + 1)) });
    } else {
      assertPath(key);
      conditions.push(...parseField(key, value, depth));
    }
  }
  return conditions;
}

function members(operator: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw invalid(`${operator} takes an array that is not empty.`);
  }
  return value;
}

function parseField(path: string, value: unknown, depth: number): FieldCondition[] {
  return isPlainObject(value)
    ? parseOperators(path, value, depth)
    : [{ path, operator: "$eq", operand: copyScalar(value) }];
}

function parseOperators(path: string, operators: Record<string, unknown>, depth: number): FieldCondition[] {
  const entries = Object.entries(operators);
  if (depth > MAX_DEPTH || entries.length === 0) {
    throw invalid(`The condition on ${path} is empty or nested too deeply.`);
  }
  return entries.map(([operator, operand]) => parseOperator(path, operator, operand, depth));
}

function parseOperator(path: string, operator: string, operand: unknown, depth: number): FieldCondition {
  switch (operator) {
    case "$eq":
    case "$ne":
      return { path, operator, operand: copyScalar(operand) };
    case "$gt":
    case "$gte":
    case "$lt":
    case "$lte":
      return { path, operator, operand: orderedOperand(operator, operand) };
    case "$in":
    case "$nin":
      if (!Array.isArray(operand)) {
        throw invalid(`${operator} takes an array.`);
      }
      return { path, operator, operand: operand.map(copyScalar) };
    case "$exists":
      if (typeof operand !== "boolean") {
        throw invalid("$exists takes a boolean.");
      }
      return { path, operator, operand };
    case "$not":
      if (!isPlainObject(operand)) {
        throw invalid("$not takes an object of operators.");
      }
      return { path, operator, operand: parseOperators(path, operand, depth + 1) };
    default:
      throw operator.startsWith("$")
        ? forbidden(operator)
        : invalid(`The condition on ${path} is an object; compare its fields by dotted paths.`);
  }
}

/** Ranges compare numbers, strings and dates: on everything else servers and libraries differ. */
export function orderedOperand(operator: string, operand: unknown): string | number | Date {
  const scalar = copyScalar(operand);
  if (typeof scalar === "string" || typeof scalar === "number" || scalar instanceof Date) {
    return scalar;
  }
  throw invalid(`${operator} takes a number, a string or a Date.`);
}

/**
 * The same filter as a plain MongoDB document: a single equality is written without `$eq` and every field has one
 * operator, the rest under `$and`. (Some servers only use an index, or only copy an equality into an upserted
 * document, in this form.)
 */
export function renderFilter(conditions: Conjunction): Document {
  const filter: Document = {};
  const rest: Document[] = [];
  for (const condition of conditions) {
    const [key, value] = renderCondition(condition);
    if (Object.hasOwn(filter, key)) {
      rest.push({ [key]: value });
    } else {
      filter[key] = value;
    }
  }
  return rest.length === 0 ? filter : { ...filter, $and: rest };
}

function renderCondition(condition: Condition): [key: string, value: unknown] {
  if ("anyOf" in condition) {
    return ["$or", condition.anyOf.map(renderFilter)];
  }
  if (condition.operator === "$eq") {
    return [condition.path, condition.operand];
  }
  return [condition.path, renderOperator(condition)];
}

function renderOperator(condition: FieldCondition): Document {
  if (condition.operator !== "$not") {
    return { [condition.operator]: condition.operand };
  }
  return { $not: Object.assign({}, ...condition.operand.map(renderOperator)) };
}

/** The equalities an upsert copies into the document it inserts. */
export function equalities(conditions: Conjunction): Map<string, Scalar> {
  const found = new Map<string, Scalar>();
  for (const condition of conditions) {
    if ("anyOf" in condition || condition.operator !== "$eq") {
      continue;
    }
    if (found.has(condition.path)) {
      throw invalid(`An upsert cannot take two values for ${condition.path}.`);
    }
    found.set(condition.path, condition.operand);
  }
  return found;
}
