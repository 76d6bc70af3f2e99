import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "libsql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEmbeddedStore, openStore } from "../../../host/store/index.ts";
import { codeOf, type Item } from "./subject.ts";

const WRITER = fileURLToPath(new URL("./writer.mjs", import.meta.url));
const BUILT = fileURLToPath(new URL("../../../build/host/store/index.js", import.meta.url));
const SPEC = {
  name: "items",
  indexes: [{ fields: { n: 1 } }, { fields: { handle: 1 }, unique: true }],
} as const;

let root: string;
let directories = 0;

beforeAll(async () => {
  expect(existsSync(BUILT), "run `npm run build` first").toBe(true);
  root = await mkdtemp(join(tmpdir(), "medcloudlet-embedded-"));
});

afterAll(async () => {
  await rm(root, { recursive: true });
});

function freshDirectory(): string {
  directories += 1;
  return join(root, "below", `store-${directories}`);
}

/** A writer in its own process, and the lines it has printed so far. */
function startWriter(
  args: readonly string[],
  limit?: string,
): { child: ChildProcess; lines: () => string[] } {
  const child =
    limit === undefined
      ? spawn(process.execPath, [WRITER, ...args])
      : spawn("bash", [
          "-c",
          `trap '' XFSZ; ulimit -f ${limit}; exec "$@"`,
          "bash",
          process.execPath,
          WRITER,
          ...args,
        ]);
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr?.pipe(process.stderr);
  return { child, lines: () => output.split("\n").slice(0, -1) };
}

describe("the embedded store's file", () => {
  it("is readable by its owner only", async () => {
    const directory = freshDirectory();
    const store = createEmbeddedStore({ directory });
    await (await store.collection<Item>(SPEC)).insertOne({ _id: "a" });
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    const files = await readdir(directory);
    expect(files).toContain("store.db");
    for (const file of files) {
      expect((await stat(join(directory, file))).mode & 0o777, file).toBe(0o600);
    }
    await store.close();
  });

  it("is closed to others again when it was opened up", async () => {
    const directory = freshDirectory();
    await createEmbeddedStore({ directory }).close();
    await chmod(join(directory, "store.db"), 0o644);
    await createEmbeddedStore({ directory }).close();
    expect((await stat(join(directory, "store.db"))).mode & 0o777).toBe(0o600);
  });

  it("keeps every acknowledged write when the process is killed", async () => {
    const directory = freshDirectory();
    for (const [round, enough] of [50, 120, 10].entries()) {
      const { child, lines } = startWriter([directory, `r${round}-`, "1000000", "500"]);
      while (lines().length < enough) {
        await once(child.stdout as NonNullable<typeof child.stdout>, "data");
      }
      child.kill("SIGKILL");
      await once(child, "close");
      const acknowledged = lines();
      const store = createEmbeddedStore({ directory });
      const items = await store.collection<Item>(SPEC);
      for (const _id of acknowledged) {
        expect(await items.findOne({ handle: _id }), _id).toMatchObject({ _id });
      }
      // Nothing is half there: the counter is behind the inserts by one at most, per round.
      const documents = await items.countDocuments({ handle: { $gt: "" } });
      const counter = Number((await items.findOne({ _id: "counter" }))?.n);
      expect(documents - counter).toBeGreaterThanOrEqual(0);
      expect(documents - counter).toBeLessThanOrEqual(round + 1);
      await store.close();
    }
  });

  it("serves several processes at once", async () => {
    const directory = freshDirectory();
    const writers = ["a", "b", "c"].map((prefix) => startWriter([directory, prefix, "100", "50"]));
    const closed = writers.map(({ child }) => once(child, "close"));
    const store = createEmbeddedStore({ directory });
    const items = await store.collection<Item>(SPEC);
    for (let i = 0; i < 100; i++) {
      await items.updateOne({ _id: "counter" }, { $inc: { n: 1 } }, { upsert: true });
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await Promise.all(closed);
    expect(writers.map(({ lines }) => lines().length)).toEqual([100, 100, 100]);
    expect(await items.findOne({ _id: "counter" })).toEqual({ _id: "counter", n: 400 });
    expect(await items.countDocuments({ bytes: { $exists: true } })).toBe(300);
    await store.close();
  });

  it("says that it is unavailable when the disk is full, and keeps what it acknowledged", async () => {
    const directory = freshDirectory();
    const { child, lines } = startWriter([directory, "d", "1000000", "5000"], "300");
    await once(child, "close");
    expect(lines().at(-1)).toBe("error STORE_UNAVAILABLE");
    const acknowledged = lines().slice(0, -1);
    expect(acknowledged.length).toBeGreaterThan(5);
    const store = createEmbeddedStore({ directory });
    const items = await store.collection<Item>(SPEC);
    for (const _id of acknowledged) {
      expect(await items.findOne({ _id }), _id).not.toBeNull();
    }
    await store.close();
  });

  it("says that it is unavailable while another process holds the write lock", async () => {
    const directory = freshDirectory();
    const store = createEmbeddedStore({ directory });
    const items = await store.collection<Item>(SPEC);
    await items.insertOne({ _id: "a", handle: "a" });
    const other = new Database(join(directory, "store.db"));
    other.exec("BEGIN IMMEDIATE");
    expect(await codeOf(items.insertOne({ _id: "b", handle: "b" }))).toBe("STORE_UNAVAILABLE");
    expect(await items.countDocuments({})).toBe(1);
    other.exec("ROLLBACK");
    other.close();
    await items.insertOne({ _id: "b", handle: "b" });
    await store.close();
  });

  it("is refused when it is no store, or cannot be one", async () => {
    const directory = freshDirectory();
    await createEmbeddedStore({ directory }).close();
    await writeFile(join(directory, "store.db"), "x".repeat(5000));
    expect(await codeOf(openStore({ database: "d", directory }))).toBe("STORE_FAILURE");
    const below = join(directory, "store.db", "below");
    expect(await codeOf(openStore({ database: "d", directory: below }))).toBe("STORE_UNAVAILABLE");
  });

  it("keeps names apart that differ in case", async () => {
    const store = await openStore({ mongodbUrl: "", database: "d", directory: freshDirectory() });
    const specOf = (name: string) =>
      ({ name, indexes: [{ fields: { userId: 1 } }, { fields: { userid: 1 } }] }) as const;
    const [upper, lower] = [
      await store.collection<Item>(specOf("Aa")),
      await store.collection<Item>(specOf("aa")),
    ];
    await upper.insertOne({ _id: "a", userId: 1, userid: 2 });
    expect(await upper.findOne({ userId: 1, userid: 2 })).not.toBeNull();
    expect(await lower.countDocuments({})).toBe(0);
    const names = [];
    for await (const { collection } of store.dump()) {
      names.push(collection);
    }
    expect(names).toEqual(["Aa"]);
    await store.close();
  });

  it("fills an index that another process adds while this one is at work", async () => {
    const directory = freshDirectory();
    const [older, newer] = [createEmbeddedStore({ directory }), createEmbeddedStore({ directory })];
    const before = await older.collection<Item>({ name: "items", indexes: [] });
    await before.insertOne({ _id: "a", n: 1 });
    const after = await newer.collection<Item>({
      name: "items",
      indexes: [{ fields: { n: 1 }, unique: true }],
    });
    await before.insertOne({ _id: "b", n: 2 });
    await before.updateOne({ _id: "a" }, { $set: { n: 3 } });
    expect((await after.find({ n: { $gte: 2 } }, { sort: { n: 1 } })).map(({ _id }) => _id)).toEqual([
      "b",
      "a",
    ]);
    expect(await codeOf(before.insertOne({ _id: "c", n: 3 }))).toBe("STORE_DUPLICATE");
    await older.close();
    await newer.close();
  });

  it("does not take a unique index that its documents break", async () => {
    const store = createEmbeddedStore({ directory: freshDirectory() });
    const items = await store.collection<Item>({ name: "items", indexes: [] });
    await items.insertOne({ _id: "a", n: 1 });
    await items.insertOne({ _id: "b", n: 1 });
    const unique = store.collection({ name: "items", indexes: [{ fields: { n: 1 }, unique: true }] });
    expect(await codeOf(unique)).toBe("STORE_DUPLICATE");
    expect(await items.countDocuments({ n: 1 })).toBe(2);
    await store.close();
  });

  it("dumps one moment, whatever is written meanwhile", async () => {
    const store = createEmbeddedStore({ directory: freshDirectory() });
    const items = await store.collection<Item>({ name: "items", indexes: [] });
    for (let i = 0; i < 250; i++) {
      await items.insertOne({ _id: `d${i}` });
    }
    let dumped = 0;
    for await (const { document } of store.dump()) {
      dumped += 1;
      await items.insertOne({ _id: `late-${dumped}` });
      expect(document._id).toMatch(/^d/);
    }
    expect(dumped).toBe(250);
    await store.close();
  });
});
