import { Query } from "mingo";
import type { Document } from "mongodb";
import { type Condition, type Conjunction, type FieldCondition, renderFilter } from "../filter.ts";
import { bracketOf, orderKey, sortKey } from "../order-key.ts";
import type { Ordering } from "../spec.ts";
import { type Scalar, valueAt } from "../values.ts";
import type { Connection, Parameter } from "./database.ts";
import { columnOf, decode, tableOf } from "./schema.ts";

/** A piece of SQL that is exactly one condition. */
interface Clause {
  readonly sql: string;
  readonly parameters: readonly Parameter[];
}

/** What SQL decides, and the conditions it leaves to be tested on the documents. */
interface Where extends Clause {
  readonly residual: Conjunction;
}

export interface Selection {
  readonly filter: Conjunction;
  readonly sort: readonly Ordering[];
  readonly skip: number;
  readonly limit: number | null;
}

/** A row of a collection's table: the key of its `_id`, its bytes, and what they decode to. */
export interface Found {
  readonly id: Buffer;
  readonly bytes: Buffer;
  readonly document: Document;
}

const MAX_LIST = 500;
const SQL_OPERATORS = { $eq: "=", $ne: "<>", $gt: ">", $gte: ">=", $lt: "<", $lte: "<=" } as const;

/** Translates the conditions on indexed paths; every other one is residual. */
export function toWhere(filter: Conjunction, indexed: ReadonlySet<string>): Where {
  const clauses: Clause[] = [];
  const residual: Condition[] = [];
  for (const condition of filter) {
    const clause = toClause(condition, indexed);
    if (clause === null) {
      residual.push(condition);
    } else {
      clauses.push(clause);
    }
  }
  return { ...allOf(clauses), residual };
}

function allOf(clauses: readonly Clause[]): Clause {
  return {
    sql: clauses.length === 0 ? "1" : clauses.map(({ sql }) => sql).join(" AND "),
    parameters: clauses.flatMap(({ parameters }) => parameters),
  };
}

function toClause(condition: Condition, indexed: ReadonlySet<string>): Clause | null {
  if ("anyOf" in condition) {
    const branches = condition.anyOf.map((branch) => toWhere(branch, indexed));
    if (branches.some(({ residual }) => residual.length > 0)) {
      return null;
    }
    return {
      sql: `(${branches.map(({ sql }) => `(${sql})`).join(" OR ")})`,
      parameters: branches.flatMap(({ parameters }) => parameters),
    };
  }
  return indexed.has(condition.path) ? fieldClause(condition) : null;
}

/** A key cannot tell a missing field from `null`, so `$exists` is residual, and so is what `$not` holds. */
function fieldClause(condition: FieldCondition): Clause | null {
  const column = columnOf(condition.path);
  switch (condition.operator) {
    case "$eq":
    case "$ne":
      return {
        sql: `${column} ${SQL_OPERATORS[condition.operator]} ?`,
        parameters: [orderKey(condition.operand)],
      };
    case "$gt":
    case "$gte":
    case "$lt":
    case "$lte":
      return rangeClause(column, condition.operator, condition.operand);
    case "$in":
    case "$nin":
      if (condition.operand.length > MAX_LIST) {
        return null;
      }
      return {
        sql: `${column} ${condition.operator === "$in" ? "IN" : "NOT IN"} (${condition.operand.map(() => "?").join(", ")})`,
        parameters: condition.operand.map(orderKey),
      };
    default:
      return null;
  }
}

/** MongoDB's ranges stay within the type of their operand. */
function rangeClause(column: string, operator: "$gt" | "$gte" | "$lt" | "$lte", operand: Scalar): Clause {
  const { from, to } = bracketOf(operand);
  const upwards = operator === "$gt" || operator === "$gte";
  return {
    sql: `${column} ${SQL_OPERATORS[operator]} ? AND ${column} ${upwards ? "<" : ">="} ?`,
    parameters: [orderKey(operand), upwards ? to : from],
  };
}

/**
 * The matching documents in order. SQL does as much as the indexed columns allow: conditions, and order and window
 * when nothing is left to test afterwards.
 */
export function select(
  connection: Connection,
  collection: string,
  indexed: ReadonlySet<string>,
  { filter, sort, skip, limit }: Selection,
): Found[] {
  const where = toWhere(filter, indexed);
  const sqlSorts = sort.every(([path]) => indexed.has(path));
  const sqlWindows = sqlSorts && where.residual.length === 0;
  const order = sort.map(([path, direction]) => `${columnOf(path)} ${direction === 1 ? "ASC" : "DESC"}`);
  const rows = connection.all(
    [
      `SELECT "_id", "document" FROM ${tableOf(collection)} WHERE ${where.sql}`,
      sqlSorts && order.length > 0 ? `ORDER BY ${order.join(", ")}` : "",
      sqlWindows ? "LIMIT ? OFFSET ?" : "",
    ].join(" "),
    sqlWindows ? [...where.parameters, limit ?? -1, skip] : where.parameters,
  );
  const found = rows.map(
    ([id, bytes]): Found => ({ id: id as Buffer, bytes: bytes as Buffer, document: decode(bytes) }),
  );
  if (sqlWindows) {
    return found;
  }
  const kept = where.residual.length === 0 ? found : keep(found, where.residual);
  const sorted = sqlSorts ? kept : sortInMemory(kept, sort);
  return sorted.slice(skip, limit === null ? undefined : skip + limit);
}

/** How many documents match; without reading them when SQL can tell. */
export function count(
  connection: Connection,
  collection: string,
  indexed: ReadonlySet<string>,
  filter: Conjunction,
): number {
  const where = toWhere(filter, indexed);
  if (where.residual.length > 0) {
    return select(connection, collection, indexed, { filter, sort: [], skip: 0, limit: null }).length;
  }
  const rows = connection.all(
    `SELECT COUNT(*) FROM ${tableOf(collection)} WHERE ${where.sql}`,
    where.parameters,
  );
  return Number(rows[0]?.[0]);
}

function keep(found: readonly Found[], residual: Conjunction): Found[] {
  const query = new Query(renderFilter(residual));
  return found.filter(({ document }) => query.test(document));
}

function sortInMemory(found: readonly Found[], sort: readonly Ordering[]): Found[] {
  const keyed = found.map((item) => ({
    item,
    keys: sort.map(([path, direction]) => sortKey(valueAt(item.document, path), direction)),
  }));
  keyed.sort((a, b) => {
    for (const [i, [, direction]] of sort.entries()) {
      const order = Buffer.compare(a.keys[i] as Buffer, b.keys[i] as Buffer);
      if (order !== 0) {
        return order * direction;
      }
    }
    return 0;
  });
  return keyed.map(({ item }) => item);
}
