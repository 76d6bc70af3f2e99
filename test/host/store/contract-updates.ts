import type { Document, UpdateFilter } from "mongodb";
import { describe, expect, it } from "vitest";
import type { Store } from "../../../host/store/index.ts";
import { codeOf, freshCollection, type Item } from "./subject.ts";

/** [what is there, the update, what is there afterwards]; the same object twice: nothing is modified. */
const UPDATES: readonly (readonly [Document, Document, Document])[] = [
  [{ a: 1 }, { $set: { a: 2 } }, { a: 2 }],
  [{ a: 1 }, { $set: { a: 1 } }, { a: 1 }],
  [{}, { $set: { "a.b.c": 1 } }, { a: { b: { c: 1 } } }],
  [{ a: { x: 1 } }, { $set: { "a.b": [1, { c: 2 }] } }, { a: { x: 1, b: [1, { c: 2 }] } }],
  [{ a: 1 }, { $set: { a: new Uint8Array([1]) } }, { a: new Uint8Array([1]) }],
  [{ a: 1, b: 2 }, { $unset: { a: "" } }, { b: 2 }],
  [{ a: { b: 1, c: 2 } }, { $unset: { "a.b": "" } }, { a: { c: 2 } }],
  [{ a: 1 }, { $unset: { b: "", "a.c": "", "d.e": "" } }, { a: 1 }],
  [{ a: 1 }, { $inc: { a: 2, b: -3, "c.d": 0.5 } }, { a: 3, b: -3, c: { d: 0.5 } }],
  [{ a: 2 ** 31 - 1 }, { $inc: { a: 1 } }, { a: 2 ** 31 }],
  [{ a: 2 ** 52 }, { $inc: { a: 1 } }, { a: 2 ** 52 + 1 }],
  [{ a: 5 }, { $min: { a: 3 }, $max: { b: 7 } }, { a: 3, b: 7 }],
  [
    { a: 5, b: 7 },
    { $min: { a: 6 }, $max: { b: 7 } },
    { a: 5, b: 7 },
  ],
  [{ a: new Date(5) }, { $max: { a: new Date(6) } }, { a: new Date(6) }],
  [{ a: "b" }, { $min: { a: "a" } }, { a: "a" }],
  [{ a: 5 }, { $max: { a: "text is more than numbers" } }, { a: "text is more than numbers" }],
  [{}, { $push: { a: 1 } }, { a: [1] }],
  [{ a: [1] }, { $push: { a: { b: 2 } } }, { a: [1, { b: 2 }] }],
  [{ a: [1] }, { $push: { a: { $each: [2, "x", null] } } }, { a: [1, 2, "x", null] }],
  [{}, { $push: { "a.b": { $each: [1, 2] } } }, { a: { b: [1, 2] } }],
  [{ a: [1, 2, 1, "1", { b: 1 }] }, { $pull: { a: 1 } }, { a: [2, "1", { b: 1 }] }],
  [{ a: [1, 2] }, { $pull: { a: 3 } }, { a: [1, 2] }],
  [{ a: 1 }, { $pull: { b: 3 } }, { a: 1 }],
  [{ a: 1 }, { $setOnInsert: { a: 2 } }, { a: 1 }],
  [{ a: 1 }, { $setOnInsert: { b: 2 }, $set: { c: 3 } }, { a: 1, c: 3 }],
];

/** [what is there, an update that does not fit it] */
const MISFITS: readonly (readonly [Document, Document])[] = [
  [{ a: "x" }, { $inc: { a: 1 } }],
  [{ a: null }, { $inc: { a: 1 } }],
  [{ a: 1 }, { $push: { a: 1 } }],
  [{ a: 1 }, { $pull: { a: 1 } }],
  [{ a: 1 }, { $set: { "a.b": 1 } }],
  [{ a: null }, { $set: { "a.b": 1 } }],
  [{ a: "x" }, { $inc: { "a.b": 1 } }],
];

/** Updates change what MongoDB would change, and say so. */
export function updateContract(store: () => Store): void {
  describe("updates", () => {
    it.each(UPDATES.map(([before, update, after], i) => ({ i, before, update, after })))(
      "case $i: $update",
      async ({ before, update, after }) => {
        const items = await freshCollection(store());
        await items.insertOne({ _id: "a", ...before });
        const same = JSON.stringify(before) === JSON.stringify(after);
        expect(await items.updateOne({ _id: "a" }, update as UpdateFilter<Item>)).toEqual({
          matched: 1,
          modified: same ? 0 : 1,
          upserted: false,
        });
        expect(await items.findOne({})).toStrictEqual({ _id: "a", ...after });
      },
    );

    it.each(MISFITS.map(([before, update]) => ({ before, update })))(
      "refuse $update on $before",
      async ({ before, update }) => {
        const items = await freshCollection(store());
        await items.insertOne({ _id: "a", ...before });
        expect(await codeOf(items.updateOne({}, update as UpdateFilter<Item>))).toBe("STORE_VALUE_INVALID");
        const returning = items.findOneAndUpdate({}, update as UpdateFilter<Item>, {
          returnDocument: "after",
        });
        expect(await codeOf(returning)).toBe("STORE_VALUE_INVALID");
        expect(await items.findOne({})).toEqual({ _id: "a", ...before });
      },
    );

    it("change one document only, and none when none matches", async () => {
      const items = await freshCollection(store());
      await items.insertOne({ _id: "a", n: 0 });
      await items.insertOne({ _id: "b", n: 0 });
      expect(await items.updateOne({ n: 0 }, { $set: { n: 1 } })).toEqual({
        matched: 1,
        modified: 1,
        upserted: false,
      });
      expect(await items.countDocuments({ n: 1 })).toBe(1);
      expect(await items.updateOne({ n: 9 }, { $set: { n: 1 } })).toEqual({
        matched: 0,
        modified: 0,
        upserted: false,
      });
    });

    it("upsert from the filter's equalities, $setOnInsert and the update", async () => {
      const items = await freshCollection(store());
      const update = { $setOnInsert: { created: 1 }, $inc: { count: 1 }, $set: { state: "on" } };
      const filter = {
        _id: "a",
        owner: { $eq: "p" },
        version: { $gte: 1, $lt: 5 },
        $and: [{ "kind.of": "x" }],
      };
      expect(await items.updateOne(filter, update, { upsert: true })).toEqual({
        matched: 0,
        modified: 0,
        upserted: true,
      });
      const inserted = { _id: "a", owner: "p", kind: { of: "x" }, created: 1, count: 1, state: "on" };
      expect(await items.findOne({})).toEqual(inserted);
      expect(await items.updateOne({ _id: "a" }, update, { upsert: true })).toEqual({
        matched: 1,
        modified: 1,
        upserted: false,
      });
      expect(await items.findOne({})).toEqual({ ...inserted, count: 2 });
    });

    it("upsert with an _id of $setOnInsert, or say that there is none", async () => {
      const items = await freshCollection(store());
      const named = await items.updateOne(
        { handle: "x" },
        { $setOnInsert: { _id: "chosen" }, $set: { n: 1 } },
        { upsert: true },
      );
      expect(named.upserted).toBe(true);
      expect(await items.findOne({})).toEqual({ _id: "chosen", handle: "x", n: 1 });
      for (const filter of [{}, { handle: "y" }, { _id: { $gt: "a" } }, { $or: [{ _id: "a" }] }]) {
        const unnamed = items.updateOne(filter, { $set: { n: 1 } }, { upsert: true });
        expect(await codeOf(unnamed)).toBe("STORE_VALUE_INVALID");
      }
    });

    it("return the document before or after", async () => {
      const items = await freshCollection(store(), [{ fields: { at: 1 } }]);
      const [before, after] = [{ returnDocument: "before" }, { returnDocument: "after" }] as const;
      expect(await items.findOneAndUpdate({ _id: "a" }, { $set: { n: 1 } }, after)).toBeNull();
      expect(
        await items.findOneAndUpdate({ _id: "a" }, { $set: { n: 1 } }, { ...before, upsert: true }),
      ).toBeNull();
      expect(await items.findOneAndUpdate({ _id: "a" }, { $inc: { n: 1 } }, before)).toEqual({
        _id: "a",
        n: 1,
      });
      expect(await items.findOneAndUpdate({ _id: "a" }, { $inc: { n: 1 } }, after)).toEqual({
        _id: "a",
        n: 3,
      });
      expect(await items.findOneAndUpdate({ _id: "a" }, { $set: { n: 3 } }, after)).toEqual({
        _id: "a",
        n: 3,
      });
      const upserted = await items.findOneAndUpdate(
        { _id: "b" },
        { $set: { n: 1 } },
        { ...after, upsert: true },
      );
      expect(upserted).toEqual({ _id: "b", n: 1 });
    });

    it("take the first in order", async () => {
      const items = await freshCollection(store(), [{ fields: { at: 1 } }]);
      for (const at of [3, 1, 2]) {
        await items.insertOne({ _id: `d${at}`, at, note: `n${at}` });
      }
      const take = async (sort: Record<string, 1 | -1>) =>
        await items.findOneAndUpdate(
          { taken: { $exists: false } },
          { $set: { taken: true } },
          { sort, returnDocument: "before" },
        );
      expect((await take({ at: 1 }))?._id).toBe("d1");
      expect((await take({ note: -1 }))?._id).toBe("d3");
      expect((await take({ at: -1 }))?._id).toBe("d2");
      expect(await take({ at: 1 })).toBeNull();
    });
  });
}
