import type { Document } from "mongodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Store } from "../../../host/store/index.ts";
import { concurrencyContract } from "./contract-concurrency.ts";
import { guardContract } from "./contract-guard.ts";
import { insertManyContract } from "./contract-insert-many.ts";
import { queryContract } from "./contract-queries.ts";
import { updateContract } from "./contract-updates.ts";
import { valueContract } from "./contract-values.ts";
import { codeOf, freshCollection, type Item, type Subject } from "./subject.ts";

/** What every adapter keeps, whatever is behind it. */
export function storeContract(subject: Subject): void {
  describe(`the store contract on ${subject.name}`, () => {
    let store: Store;
    const current = () => store;

    beforeAll(async () => {
      store = await subject.open();
    });

    afterAll(async () => {
      await store.close();
    });

    valueContract(current);
    queryContract(current);
    updateContract(current);
    guardContract(current);
    insertManyContract(current);
    concurrencyContract(current, subject.lacks);
    uniqueContract(current, subject);
    lifeContract(current, subject);
  });
}

function uniqueContract(store: () => Store, { lacks }: Subject): void {
  describe("unique indexes", () => {
    it("refuse a second document with the same key on insert, update and upsert", async () => {
      const items = await freshCollection(store(), [{ fields: { handle: 1 }, unique: true }]);
      await items.insertOne({ _id: "a", handle: "x" });
      await items.insertOne({ _id: "b", handle: "y" });
      expect(await codeOf(items.insertOne({ _id: "c", handle: "x" }))).toBe("STORE_DUPLICATE");
      expect(await codeOf(items.insertOne({ _id: "a", handle: "z" }))).toBe("STORE_DUPLICATE");
      expect(await codeOf(items.updateOne({ _id: "b" }, { $set: { handle: "x" } }))).toBe("STORE_DUPLICATE");
      const upsert = items.updateOne({ _id: "d" }, { $set: { handle: "x" } }, { upsert: true });
      expect(await codeOf(upsert)).toBe("STORE_DUPLICATE");
      expect(await items.countDocuments({})).toBe(2);
      expect(await items.findOne({ _id: "b" })).toEqual({ _id: "b", handle: "y" });
    });

    it("take the key again once it is free", async () => {
      const items = await freshCollection(store(), [{ fields: { handle: 1 }, unique: true }]);
      await items.insertOne({ _id: "a", handle: "x" });
      await items.updateOne({ _id: "a" }, { $set: { handle: "y" } });
      await items.insertOne({ _id: "b", handle: "x" });
      await items.deleteOne({ _id: "a" });
      await items.insertOne({ _id: "c", handle: "y" });
      expect(await items.countDocuments({})).toBe(2);
    });

    it("look at all fields of a compound key together", async () => {
      const items = await freshCollection(store(), [{ fields: { owner: 1, "device.id": -1 }, unique: true }]);
      await items.insertOne({ _id: "a", owner: "p", device: { id: 1 } });
      await items.insertOne({ _id: "b", owner: "p", device: { id: 2 } });
      await items.insertOne({ _id: "c", owner: "q", device: { id: 1 } });
      const again = items.insertOne({ _id: "d", owner: "q", device: { id: 1 } });
      expect(await codeOf(again)).toBe("STORE_DUPLICATE");
    });

    it.skipIf(lacks.has("unique missing fields"))("take a missing field for null", async () => {
      const items = await freshCollection(store(), [{ fields: { handle: 1 }, unique: true }]);
      await items.insertOne({ _id: "a" });
      expect(await codeOf(items.insertOne({ _id: "b" }))).toBe("STORE_DUPLICATE");
      expect(await codeOf(items.insertOne({ _id: "c", handle: null }))).toBe("STORE_DUPLICATE");
    });

    it("do not take arrays or objects", async () => {
      const items = await freshCollection(store(), [{ fields: { "a.b": 1 } }]);
      await items.insertOne({ _id: "ok", a: { b: 1 } });
      for (const a of [{ b: [] }, { b: {} }, [{ b: 1 }], []]) {
        expect(await codeOf(items.insertOne({ _id: "no", a }))).toBe("STORE_VALUE_INVALID");
        expect(await codeOf(items.updateOne({ _id: "ok" }, { $set: { a } }))).toBe("STORE_VALUE_INVALID");
      }
      const updates: readonly Document[] = [
        { $set: { "a.b": [1] } },
        { $set: { "a.b.c": 1 } },
        { $push: { "a.b": 1 } },
        { $setOnInsert: { "a.b": {} } },
        { $inc: { "a.b.c": 1 } },
      ];
      for (const update of updates) {
        expect(await codeOf(items.updateOne({ _id: "ok" }, update))).toBe("STORE_VALUE_INVALID");
      }
      expect(await items.findOne({ "a.b": 1 })).toEqual({ _id: "ok", a: { b: 1 } });
    });
  });
}

function lifeContract(store: () => Store, subject: Subject): void {
  describe("a store's life", () => {
    it("answers a ping", async () => {
      await store().ping();
    });

    it("dumps every document of every collection", async () => {
      const [first, second] = [await freshCollection(store()), await freshCollection(store())];
      const marks = Array.from({ length: 230 }, (_, i) => `dump-mark-${i}`);
      for (const mark of marks) {
        await first.insertOne({ _id: mark });
      }
      await second.insertOne({ _id: "dump-mark-bytes", bytes: new Uint8Array([0, 255]) });
      const dumped = new Map<string, unknown>();
      for await (const { collection, document } of store().dump()) {
        expect(collection).toMatch(/^items-/);
        dumped.set(String(document._id), document);
      }
      for (const mark of marks) {
        expect(dumped.get(mark)).toEqual({ _id: mark });
      }
      expect(dumped.get("dump-mark-bytes")).toStrictEqual({
        _id: "dump-mark-bytes",
        bytes: new Uint8Array([0, 255]),
      });
    });

    it("keeps documents and indexes when it is opened again", async () => {
      const spec = { name: "kept", indexes: [{ fields: { handle: 1 }, unique: true }] } as const;
      const earlier = await subject.open();
      await (await earlier.collection<Item>(spec)).insertOne({ _id: "a", handle: "x" });
      await earlier.close();
      const later = await subject.open();
      const items = await later.collection<Item>(spec);
      expect(await items.findOne({ handle: "x" })).toEqual({ _id: "a", handle: "x" });
      expect(await codeOf(items.insertOne({ _id: "b", handle: "x" }))).toBe("STORE_DUPLICATE");
      await later.close();
    });

    it("adds an index to documents that are there", async () => {
      const items = await store().collection<Item>({ name: "grown", indexes: [] });
      for (let i = 0; i < 12; i++) {
        await items.insertOne({ _id: `d${i}`, at: new Date(100 - i), n: i });
      }
      const grown = await store().collection<Item>({
        name: "grown",
        indexes: [{ fields: { at: -1 } }, { fields: { n: 1 }, unique: true }],
      });
      const latest = await grown.find({ at: { $lt: new Date(98) } }, { sort: { at: -1 }, limit: 2 });
      expect(latest.map(({ _id }) => _id)).toEqual(["d3", "d4"]);
      expect(await codeOf(items.insertOne({ _id: "again", n: 3 }))).toBe("STORE_DUPLICATE");
    });

    it("refuses every call once it is closed", async () => {
      const closing = await subject.open();
      const items = await closing.collection<Item>({ name: "closing", indexes: [] });
      await closing.close();
      await closing.close();
      const calls = [
        closing.ping(),
        closing.collection({ name: "closing", indexes: [] }),
        closing.dump()[Symbol.asyncIterator]().next(),
        items.insertOne({ _id: "a" }),
        items.findOne({}),
        items.find({}),
        items.updateOne({}, { $set: { a: 1 } }),
        items.findOneAndUpdate({}, { $set: { a: 1 } }, { returnDocument: "after" }),
        items.deleteOne({}),
        items.deleteMany({}),
        items.countDocuments({}),
      ];
      for (const call of calls) {
        expect(await codeOf(call)).toBe("STORE_CLOSED");
      }
    });
  });
}
