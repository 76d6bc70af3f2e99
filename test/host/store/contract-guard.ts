import type { Filter, UpdateFilter } from "mongodb";
import { beforeAll, describe, expect, it } from "vitest";
import type { Collection, Store } from "../../../host/store/index.ts";
import { codeOf, freshCollection, type Item } from "./subject.ts";

const FORBIDDEN_FILTERS: readonly unknown[] = [
  { $where: "sleep(1000) || true" },
  { $expr: { $function: { body: "function () { return true; }", args: [], lang: "js" } } },
  { $function: {} },
  { $nor: [{ a: 1 }] },
  { $jsonSchema: {} },
  { $text: { $search: "x" } },
  { $comment: "x" },
  { a: { $regex: ".*" } },
  { a: { $elemMatch: { $gt: 1 } } },
  { a: { $size: 1 } },
  { a: { $type: "string" } },
  { a: { $mod: [2, 0] } },
  { a: { $all: [1] } },
  { a: { $where: "true" } },
  { a: { $not: { $regex: "x" } } },
  { $and: [{ $or: [{ a: 1 }, { $where: "true" }] }] },
  { "$a.b": 1 },
  { "a.$": 1 },
];

/** What a request could put where a value belongs. */
const SMUGGLED: readonly unknown[] = [
  { $ne: null },
  { $gt: "" },
  { $where: "true" },
  { a: { $ne: 1 } },
  { a: 1 },
  [],
];

const FORBIDDEN_UPDATES: readonly unknown[] = [
  { $rename: { a: "b" } },
  { $currentDate: { a: true } },
  { $addToSet: { a: 1 } },
  { $mul: { a: 2 } },
  { $bit: { a: { and: 1 } } },
  { $push: { a: { $each: [1], $slice: 1 } } },
  { $push: { a: { $each: [1], $sort: 1 } } },
  { $set: { a: { $function: {} } } },
  { $set: { $a: 1 } },
  { $set: { "a.$[]": 1 } },
];

const INVALID_UPDATES: readonly unknown[] = [
  {},
  { $set: {} },
  { a: 1 },
  [{ $set: { a: 1 } }],
  { $set: { _id: "other" } },
  { $unset: { _id: "" } },
  { $set: { "_id.x": 1 } },
  { $set: { a: 1 }, $inc: { a: 1 } },
  { $set: { a: {}, "a.b": 1 } },
  { $inc: { a: "1" } },
  { $push: { a: { $each: [] } } },
  { $push: { a: [1] } },
  { $pull: { a: { $gt: 1 } } },
  { $max: { a: null } },
  { $set: { "a..b": 1 } },
  { $set: { "__proto__.polluted": 1 } },
  { $set: { "constructor.prototype.polluted": 1 } },
];

/** One guard in front of every adapter. */
export function guardContract(store: () => Store): void {
  describe("the guard", () => {
    let items: Collection<Item>;

    beforeAll(async () => {
      items = await freshCollection(store(), [{ fields: { token: 1 } }]);
      await items.insertOne({ _id: "a", a: 1, token: "secret" });
    });

    async function expectRefused(filter: unknown, code: string): Promise<void> {
      const where = filter as Filter<Item>;
      const update = { $set: { hit: true } };
      expect(await codeOf(items.findOne(where))).toBe(code);
      expect(await codeOf(items.find(where))).toBe(code);
      expect(await codeOf(items.countDocuments(where))).toBe(code);
      expect(await codeOf(items.deleteOne(where))).toBe(code);
      expect(await codeOf(items.deleteMany(where))).toBe(code);
      expect(await codeOf(items.updateOne(where, update))).toBe(code);
      expect(await codeOf(items.findOneAndUpdate(where, update, { returnDocument: "after" }))).toBe(code);
    }

    it.each(FORBIDDEN_FILTERS.map((filter) => ({ filter })))(
      "refuses the filter $filter",
      async ({ filter }) => {
        await expectRefused(filter, "STORE_OPERATOR_FORBIDDEN");
      },
    );

    it.each(FORBIDDEN_UPDATES.map((update) => ({ update })))(
      "refuses the update $update",
      async ({ update }) => {
        const refused = items.updateOne({ _id: "a" }, update as UpdateFilter<Item>);
        expect(await codeOf(refused)).toBe("STORE_OPERATOR_FORBIDDEN");
      },
    );

    it.each(INVALID_UPDATES.map((update) => ({ update })))(
      "does not take the update $update",
      async ({ update }) => {
        const refused = items.updateOne({ _id: "a" }, update as UpdateFilter<Item>);
        expect(await codeOf(refused)).toBe("STORE_VALUE_INVALID");
      },
    );

    it.each(SMUGGLED.map((input) => ({ input })))(
      "lets no $input in where a value belongs",
      async ({ input }) => {
        for (const token of [
          { $eq: input },
          { $in: [input] },
          { $nin: [input] },
          { $gt: input },
          { $ne: input },
        ]) {
          await expectRefused({ token }, "STORE_VALUE_INVALID");
          await expectRefused({ $or: [{ _id: "b" }, { token }] }, "STORE_VALUE_INVALID");
        }
        expect(
          await codeOf(items.updateOne({ _id: "a" }, { $pull: { list: input } } as UpdateFilter<Item>)),
        ).toBe("STORE_VALUE_INVALID");
      },
    );

    it("does not take filters, orders, windows and projections of other shapes", async () => {
      const filters = [
        null,
        undefined,
        "a",
        [],
        { $and: [] },
        { $or: {} },
        { $and: [1] },
        { a: {} },
        { a: { $in: 1 } },
      ];
      const odd = [
        { a: { $exists: 1 } },
        { a: { $not: 1 } },
        { a: { $not: {} } },
        { a: { $eq: 1, b: 2 } },
        { a: [1] },
      ];
      for (const filter of [...filters, ...odd, { a: /x/ }, { a: { $gt: null } }, { "": 1 }, { "a..b": 1 }]) {
        await expectRefused(filter, "STORE_VALUE_INVALID");
      }
      for (const options of [
        { limit: 0 },
        { limit: -1 },
        { limit: 1.5 },
        { skip: -1 },
        { sort: { a: 2 } },
        { sort: "a" },
        { projection: { a: 1, b: 0 } },
        { projection: { a: { $slice: 1 } } },
        { projection: { a: 1, "a.b": 1 } },
      ]) {
        expect(await codeOf(items.find({}, options as object))).toBe("STORE_VALUE_INVALID");
      }
      expect(await codeOf(items.find({}, { sort: { $natural: 1 } }))).toBe("STORE_OPERATOR_FORBIDDEN");
      expect(await codeOf(items.find({}, { projection: { $where: 1 } }))).toBe("STORE_OPERATOR_FORBIDDEN");
    });

    it("does not take bottomless input", async () => {
      let filter: Record<string, unknown> = { a: 1 };
      let value: Record<string, unknown> = {};
      for (let i = 0; i < 10_000; i++) {
        filter = { $or: [filter] };
        value = { value };
      }
      await expectRefused(filter, "STORE_VALUE_INVALID");
      expect(await codeOf(items.insertOne({ _id: "deep", value }))).toBe("STORE_VALUE_INVALID");
    });

    it("does not take documents with operators or names of other shapes", async () => {
      for (const document of [{ $where: 1 }, { a: { $set: 1 } }, { list: [{ $x: 1 }] }]) {
        expect(await codeOf(items.insertOne({ _id: "x", ...document }))).toBe("STORE_OPERATOR_FORBIDDEN");
      }
      for (const name of ["", "a b", "system.users", "a$b", "1a", 'a"b', "a\0", "x".repeat(65)]) {
        expect(await codeOf(store().collection({ name, indexes: [] }))).toBe("STORE_VALUE_INVALID");
      }
      for (const fields of [
        {},
        { _id: 1 },
        { 'a"': 1 },
        { "a b": 1 },
        { a: 2 as 1 },
        { "a.0": 1 },
      ] as const) {
        expect(await codeOf(store().collection({ name: "ok", indexes: [{ fields }] }))).toBe(
          "STORE_VALUE_INVALID",
        );
      }
    });

    it("has let nothing through", async () => {
      expect(await items.find({})).toEqual([{ _id: "a", a: 1, token: "secret" }]);
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    });
  });
}
