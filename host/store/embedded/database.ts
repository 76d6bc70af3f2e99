import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { isMedcloudletError, type MedcloudletError } from "../../base/index.ts";
import { duplicate, failure, unavailable } from "../errors.ts";

/** One bound parameter. */
export type Parameter = Uint8Array | string | number;

/** One row, column by column. */
export type Row = readonly unknown[];

/** A thin layer over one SQLite connection: cached statements, transactions, our errors. */
export interface Connection {
  /** Every row of a query. */
  all(sql: string, parameters: readonly Parameter[]): Row[];
  /** Runs one statement; how many rows it changed. */
  run(sql: string, parameters: readonly Parameter[]): number;
  /** Runs `work` in one immediate (writing) transaction: committed and on disk when this returns. */
  write<R>(work: () => R): R;
  /** Runs SQL without parameters. */
  exec(sql: string): void;
  close(): void;
}

const FILE_NAME = "store.db";
const BUSY_TIMEOUT_MS = 5_000;
const MAX_CACHED_STATEMENTS = 200;

/** Creates the directory (0700) and the file (0600) where they are missing; returns the file's path. */
export function prepareFile(directory: string): string {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const path = join(directory, FILE_NAME);
    closeSync(openSync(path, "a", 0o600)); // SQLite gives its -wal and -shm files the mode of this one
    chmodSync(path, 0o600);
    return path;
  } catch (error) {
    throw unavailable(`The store's directory cannot be used: ${directory}`, error);
  }
}

/** Opens one connection: write-ahead log, every commit synced to disk, waiting for other writers. */
export function connect(path: string): Connection {
  const database = open(path);
  const statements = new Map<string, Database.Statement>();

  function prepare(sql: string): Database.Statement {
    const statement = statements.get(sql) ?? database.prepare(sql);
    statements.delete(sql);
    statements.set(sql, statement); // now the most recently used
    const [oldest] = statements.keys();
    if (oldest !== undefined && statements.size > MAX_CACHED_STATEMENTS) {
      statements.delete(oldest);
    }
    return statement;
  }

  function exec(sql: string): void {
    attempt(() => database.exec(sql));
  }

  function all(sql: string, parameters: readonly Parameter[]): Row[] {
    return attempt(
      () =>
        prepare(sql)
          .raw()
          .all([...parameters]) as Row[],
    );
  }

  function run(sql: string, parameters: readonly Parameter[]): number {
    return attempt(() => prepare(sql).run([...parameters]).changes);
  }

  setUp(exec, all);

  return {
    all,
    exec,
    run,
    write(work) {
      run("BEGIN IMMEDIATE", []);
      try {
        const result = work();
        run("COMMIT", []);
        return result;
      } catch (error) {
        if (database.inTransaction) {
          run("ROLLBACK", []);
        }
        throw error;
      }
    },
    close() {
      statements.clear();
      database.close();
    },
  };
}

function open(path: string): Database.Database {
  try {
    return new Database(path, { timeout: BUSY_TIMEOUT_MS });
  } catch (error) {
    throw unavailable("The store's file cannot be opened.", error);
  }
}

/** Switching to the log takes the whole file for a moment, and SQLite does not wait for it by itself. */
function setUp(exec: (sql: string) => void, all: Connection["all"]): void {
  const deadline = Date.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      all("PRAGMA journal_mode = WAL", []);
      break;
    } catch (error) {
      if (!isMedcloudletError(error, "STORE_UNAVAILABLE") || Date.now() > deadline) {
        throw error;
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
  exec("PRAGMA synchronous = FULL");
}

function attempt<R>(work: () => R): R {
  try {
    return work();
  } catch (error) {
    throw toStoreError(error);
  }
}

/** SQLite's error as one of ours. */
function toStoreError(error: unknown): MedcloudletError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "SQLITE_CONSTRAINT_PRIMARYKEY" || code === "SQLITE_CONSTRAINT_UNIQUE") {
    return duplicate("the collection", error);
  }
  if (code === "SQLITE_CORRUPT" || code === "SQLITE_NOTADB") {
    return failure("The store's file is damaged or is not a store.", error);
  }
  if (/^SQLITE_(BUSY|LOCKED|FULL|IOERR|CANTOPEN|READONLY|NOMEM|PROTOCOL)/.test(code)) {
    return unavailable(`The store's file cannot be used now (${code}).`, error);
  }
  return failure("The embedded store failed.", error);
}
