import { type Document, deserialize } from "bson";
import { orderKey } from "../order-key.ts";
import type { CollectionPlan, Index } from "../spec.ts";
import { revive, valueAt } from "../values.ts";
import type { Connection } from "./database.ts";

const TABLE_PREFIX = "c:";
const KEY_PREFIX = "k:";
const BACKFILL_BATCH = 500;

/** SQLite folds the case of names, so upper case is written `^` and lower case; `^` is in no valid name. */
function escapeName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `^${letter.toLowerCase()}`);
}

function unescapeName(name: string): string {
  return name.replace(/\^(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** The quoted table of a collection. Names were checked by the guard: they hold no quotes. */
export function tableOf(collection: string): string {
  return `"${TABLE_PREFIX}${escapeName(collection)}"`;
}

/** The quoted column that holds the order key of a path; `_id` is one of its own. */
export function columnOf(path: string): string {
  return path === "_id" ? '"_id"' : `"${KEY_PREFIX}${escapeName(path)}"`;
}

function indexOf(collection: string, index: Index): string {
  const fields = index.fields.map(([path, direction]) => `${escapeName(path)}:${direction}`).join(",");
  return `"${index.unique ? "u" : "i"}:${escapeName(collection)}:${fields}"`;
}

/** The collections a file holds. */
export function listCollections(connection: Connection): string[] {
  return connection
    .all("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name", [])
    .map(([name]) => String(name))
    .filter((name) => name.startsWith(TABLE_PREFIX))
    .map((name) => unescapeName(name.slice(TABLE_PREFIX.length)));
}

/** The indexed paths of a collection's table, also those another opener asked for. */
export function listKeyPaths(connection: Connection, collection: string): string[] {
  return connection
    .all(`PRAGMA table_info(${tableOf(collection)})`, [])
    .map((column) => String(column[1]))
    .filter((name) => name.startsWith(KEY_PREFIX))
    .map((name) => unescapeName(name.slice(KEY_PREFIX.length)));
}

/** Changes whenever any connection changes a table. */
export function schemaVersion(connection: Connection): unknown {
  return connection.all("PRAGMA schema_version", [])[0]?.[0];
}

/**
 * Creates what a collection still lacks: its table, a key column per indexed path (filled in from the documents that
 * are there) and its indexes. All in one transaction.
 */
export function migrate(connection: Connection, plan: CollectionPlan): void {
  const table = tableOf(plan.name);
  connection.write(() => {
    connection.exec(`CREATE TABLE IF NOT EXISTS ${table} ("_id" BLOB PRIMARY KEY, "document" BLOB NOT NULL)`);
    const present = new Set(listKeyPaths(connection, plan.name));
    const wanted = new Set(plan.indexes.flatMap((index) => index.fields.map(([path]) => path)));
    const missing = [...wanted].filter((path) => !present.has(path));
    for (const path of missing) {
      connection.exec(`ALTER TABLE ${table} ADD COLUMN ${columnOf(path)} BLOB`);
    }
    if (missing.length > 0) {
      backfill(connection, table, missing);
    }
    for (const index of plan.indexes) {
      const columns = index.fields.map(
        ([path, direction]) => `${columnOf(path)} ${direction === 1 ? "ASC" : "DESC"}`,
      );
      connection.exec(
        `CREATE ${index.unique ? "UNIQUE" : ""} INDEX IF NOT EXISTS ${indexOf(plan.name, index)} ON ${table} (${columns.join(", ")})`,
      );
    }
  });
}

function backfill(connection: Connection, table: string, paths: readonly string[]): void {
  const assignments = paths.map((path) => `${columnOf(path)} = ?`).join(", ");
  for (let after = 0; ; ) {
    const rows = connection.all(
      `SELECT rowid, "document" FROM ${table} WHERE rowid > ? ORDER BY rowid LIMIT ${BACKFILL_BATCH}`,
      [after],
    );
    for (const [rowid, document] of rows) {
      const decoded = decode(document);
      const keys = paths.map((path) => orderKey(valueAt(decoded, path)));
      connection.run(`UPDATE ${table} SET ${assignments} WHERE rowid = ?`, [...keys, Number(rowid)]);
      after = Number(rowid);
    }
    if (rows.length < BACKFILL_BATCH) {
      return;
    }
  }
}

/** A stored document. */
export function decode(bytes: unknown): Document {
  return revive(deserialize(bytes as Uint8Array, { promoteBuffers: true }));
}
