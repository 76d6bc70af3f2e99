import { type Document, serialize } from "bson";
import { find as findWithMingo } from "mingo";
import type { Change, CollectionAdapter, StoreAdapter } from "../adapter.ts";
import { duplicate, invalid, isDuplicate } from "../errors.ts";
import { guardStore } from "../guard.ts";
import { orderKey } from "../order-key.ts";
import type { Store, UpdateResult } from "../port.ts";
import type { CollectionPlan, Ordering, Projection } from "../spec.ts";
import { valueAt } from "../values.ts";
import { applyUpdate, upsertedDocument } from "./apply.ts";
import { type Connection, connect, prepareFile } from "./database.ts";
import {
  columnOf,
  decode,
  listCollections,
  listKeyPaths,
  migrate,
  schemaVersion,
  tableOf,
} from "./schema.ts";
import { count, type Found, select } from "./select.ts";

const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;
const DUMP_BATCH = 100;

/**
 * A store in one SQLite file, `store.db` in `directory` (created with mode 0700, the file with 0600). Several
 * processes may open the same directory; a write waits for the others up to 5 seconds.
 * @throws MedcloudletError `STORE_UNAVAILABLE` when the file cannot be opened
 */
export function createEmbeddedStore({ directory }: { directory: string }): Store {
  const path = prepareFile(directory);
  const connection = connect(path);

  const adapter: StoreAdapter = {
    async collection(plan) {
      return embeddedCollection(connection, plan);
    },
    async ping() {
      connection.all("SELECT 1", []);
    },
    async close() {
      connection.close();
    },
    async *dump() {
      const snapshot = connect(path);
      try {
        snapshot.exec("BEGIN");
        for (const collection of listCollections(snapshot)) {
          for (const document of dumpTable(snapshot, collection)) {
            yield { collection, document };
          }
        }
      } finally {
        snapshot.close();
      }
    },
  };
  return guardStore(adapter);
}

function* dumpTable(connection: Connection, collection: string): Generator<Document> {
  const sql = `SELECT rowid, "document" FROM ${tableOf(collection)} WHERE rowid > ? ORDER BY rowid LIMIT ${DUMP_BATCH}`;
  for (let after = 0; ; ) {
    const rows = connection.all(sql, [after]);
    for (const [, bytes] of rows) {
      yield decode(bytes);
    }
    if (rows.length < DUMP_BATCH) {
      return;
    }
    after = Number(rows.at(-1)?.[0]);
  }
}

function embeddedCollection(connection: Connection, plan: CollectionPlan): CollectionAdapter {
  const { name } = plan;
  const table = tableOf(name);
  withName(() => migrate(connection, plan));
  let version: unknown;
  let keyPaths: readonly string[] = [];
  let indexed: ReadonlySet<string> = new Set();
  refresh();

  /** Another process may have added an index: its column is ours to fill too. */
  function refresh(): void {
    const current = schemaVersion(connection);
    if (current !== version) {
      version = current;
      keyPaths = listKeyPaths(connection, name);
      indexed = new Set(["_id", ...keyPaths]);
    }
  }

  function withName<R>(work: () => R): R {
    try {
      return work();
    } catch (error) {
      throw isDuplicate(error) ? duplicate(name, error.cause) : error;
    }
  }

  function write<R>(work: () => R): R {
    return withName(() =>
      connection.write(() => {
        refresh();
        return work();
      }),
    );
  }

  function keysOf(document: Document): Buffer[] {
    return keyPaths.map((path) => orderKey(valueAt(document, path)));
  }

  function insert(document: Document): void {
    const columns = ["_id", ...keyPaths].map(columnOf);
    connection.run(
      `INSERT INTO ${table} ("document", ${columns.join(", ")}) VALUES (?${", ?".repeat(columns.length)})`,
      [encode(document), orderKey(document._id), ...keysOf(document)],
    );
  }

  /** What there was and what there is now. */
  function change(
    { filter, update, seed }: Change,
    sort: readonly Ordering[],
  ): { before: Found | null; after: Document | null; modified: boolean } {
    const before = select(connection, name, indexed, { filter, sort, skip: 0, limit: 1 })[0] ?? null;
    if (before === null) {
      const after = seed === null ? null : upsertedDocument(seed, update);
      if (after !== null) {
        insert(after);
      }
      return { before, after, modified: false };
    }
    const after = decode(before.bytes);
    applyUpdate(after, update);
    const bytes = encode(after);
    const modified = !before.bytes.equals(bytes);
    if (modified) {
      const assignments = ['"document"', ...keyPaths.map(columnOf)].map((column) => `${column} = ?`);
      connection.run(`UPDATE ${table} SET ${assignments.join(", ")} WHERE "_id" = ?`, [
        bytes,
        ...keysOf(after),
        before.id,
      ]);
    }
    return { before, after, modified };
  }

  return {
    async insertOne(document) {
      write(() => insert(document));
    },
    async insertMany(documents) {
      write(() => documents.forEach(insert)); // one transaction: all or none
    },
    async find(filter, window) {
      const found = select(connection, name, indexed, { filter, ...window });
      return found.map(({ document }) => project(document, window.projection));
    },
    async updateOne(requested): Promise<UpdateResult> {
      const { before, after, modified } = write(() => change(requested, []));
      return {
        matched: before === null ? 0 : 1,
        modified: modified ? 1 : 0,
        upserted: before === null && after !== null,
      };
    },
    async findOneAndUpdate(requested, { returnDocument, sort }) {
      const { before, after } = write(() => change(requested, sort));
      return returnDocument === "before" ? (before?.document ?? null) : after;
    },
    async delete(filter, how) {
      return write(() => {
        const limit = how === "one" ? 1 : null;
        const found = select(connection, name, indexed, { filter, sort: [], skip: 0, limit });
        for (const { id } of found) {
          connection.run(`DELETE FROM ${table} WHERE "_id" = ?`, [id]);
        }
        return found.length;
      });
    },
    async count(filter) {
      return count(connection, name, indexed, filter);
    },
  };
}

function encode(document: Document): Uint8Array {
  const bytes = serialize(document);
  if (bytes.length > MAX_DOCUMENT_BYTES) {
    throw invalid("A document is larger than 16 MiB.");
  }
  return bytes;
}

function project(document: Document, projection: Projection | null): Document {
  return projection === null
    ? document
    : (findWithMingo<Document>([document], {}, projection).next() as Document);
}
