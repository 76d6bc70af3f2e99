import fc from "fast-check";
import { find as findWithMingo } from "mingo";
import type { Document, Filter } from "mongodb";
import { describe, expect, it } from "vitest";
import type { Collection, SortSpec, Store } from "../../../host/store/index.ts";
import { freshCollection, type Item } from "./subject.ts";

const INDEXES = [{ fields: { n: 1 } }, { fields: { "p.q": -1, n: 1 } }] as const;

const PATHS = ["_id", "n", "p.q", "u", "list"] as const;
const SCALAR_PATHS = ["_id", "n", "p.q", "u"] as const;

const ordered = fc.constantFrom<string | number | Date>(
  ...["", "a", "ab", "b", "é", "d1", "d3"],
  ...[-(2 ** 40), -1.5, -1, 0, 0.5, 1, 2, 2 ** 31, 2 ** 53],
  ...[new Date(-1), new Date(0), new Date(1e12)],
);
const scalar = fc.oneof(
  { weight: 4, arbitrary: ordered },
  { weight: 1, arbitrary: fc.constantFrom(null, true, false, new Uint8Array([1]), new Uint8Array([200])) },
);
const maybe = fc.option(scalar, { nil: undefined });

const documents = fc
  .array(
    fc.record({
      n: maybe,
      p: fc.option(fc.record({ q: maybe }), { nil: undefined }),
      u: maybe,
      list: fc.option(fc.array(scalar, { maxLength: 3 }), { nil: undefined }),
    }),
    { maxLength: 10 },
  )
  .map((list) => list.map((fields, i): Item => ({ ...withoutUndefined(fields), _id: `d${i}` })));

const operators = fc.oneof(
  fc.record({ $eq: scalar }),
  fc.record({ $ne: scalar }),
  fc.record({ $in: fc.array(scalar, { maxLength: 4 }) }),
  fc.record({ $nin: fc.array(scalar, { maxLength: 4 }) }),
  fc.record({ $exists: fc.boolean() }),
  fc.record({ $gt: ordered }),
  fc.record({ $lte: ordered }),
  fc.record({ $gte: ordered, $lt: ordered }),
);
const field = fc
  .tuple(fc.constantFrom(...PATHS), fc.oneof(scalar, operators, fc.record({ $not: operators })))
  .map(([path, condition]): Document => ({ [path]: condition }));
const { filter } = fc.letrec<{ filter: Document; some: Document[] }>((tie) => ({
  filter: fc.oneof(
    { depthSize: "small", maxDepth: 3 },
    field,
    fc.tuple(field, field, field).map((parts): Document => Object.assign({}, ...parts)),
    tie("some").map(($and): Document => ({ $and })),
    tie("some").map(($or): Document => ({ $or })),
  ),
  some: fc.array(tie("filter"), { minLength: 1, maxLength: 3 }),
}));

const sort = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...SCALAR_PATHS), fc.constantFrom<1 | -1>(1, -1)), {
    selector: ([path]) => path,
    maxLength: 3,
  })
  .map(
    (entries): SortSpec<Item> => ({
      ...Object.fromEntries(entries),
      ...(entries.some(([path]) => path === "_id") ? {} : { _id: 1 }),
    }),
  );

/** A nested object without its undefined members: the store has no undefined. */
function withoutUndefined(fields: Document): Document {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, key === "p" ? withoutUndefined(value) : value]),
  );
}

/** Filters, orders and windows mean what they mean in MongoDB. */
export function queryContract(store: () => Store): void {
  describe("queries", () => {
    it("agree with a plain evaluation in memory", async () => {
      const items = await freshCollection(store(), INDEXES);
      const window = { skip: fc.nat({ max: 3 }), limit: fc.option(fc.integer({ min: 1, max: 6 })) };
      await fc.assert(
        fc.asyncProperty(
          documents,
          fc.array(fc.tuple(filter, sort, fc.record(window)), { minLength: 6, maxLength: 6 }),
          async (all, queries) => {
            await items.deleteMany({});
            for (const document of all) {
              await items.insertOne(document);
            }
            for (const [where, order, { skip, limit }] of queries) {
              const matching = findWithMingo<Item>(all, where).all();
              const sorted = findWithMingo<Item>(matching, {}).sort(order).all();
              const expected = sorted.slice(skip, limit === null ? undefined : skip + limit);
              const options = limit === null ? { sort: order, skip } : { sort: order, skip, limit };
              expect(await items.find(where as Filter<Item>, options)).toEqual(expected);
              expect(await items.countDocuments(where as Filter<Item>)).toBe(matching.length);
            }
          },
        ),
        { numRuns: 60 },
      );
    });

    it("delete what they match", async () => {
      const items = await freshCollection(store(), INDEXES);
      await fc.assert(
        fc.asyncProperty(documents, filter, async (all, where) => {
          await items.deleteMany({});
          for (const document of all) {
            await items.insertOne(document);
          }
          const matching = new Set(
            findWithMingo<Item>(all, where)
              .all()
              .map(({ _id }) => _id),
          );
          const one = await items.deleteOne(where as Filter<Item>);
          expect(one).toBe(Math.min(1, matching.size));
          expect(await items.deleteMany(where as Filter<Item>)).toBe(matching.size - one);
          const left = await items.find({}, { sort: { _id: 1 } });
          expect(left).toEqual(all.filter(({ _id }) => !matching.has(_id)));
        }),
        { numRuns: 25 },
      );
    });

    it("compare across types in MongoDB's order", async () => {
      const items = await freshCollection(store(), [{ fields: { v: 1 } }]);
      const inOrder = [
        null,
        -Number.MAX_VALUE,
        -(2 ** 53),
        -1,
        -Number.MIN_VALUE,
        0,
        Number.MIN_VALUE,
        1,
        2 ** 53,
        Number.MAX_VALUE,
        "",
        "A",
        "a",
        "aa",
        "é",
        "\uffee",
        "\u{1f600}",
        new Uint8Array([]),
        new Uint8Array([255]),
        new Uint8Array([0, 0]),
        false,
        true,
        new Date(-8.64e15),
        new Date(-1),
        new Date(0),
        new Date(8.64e15),
      ];
      for (const [i, v] of inOrder.entries()) {
        await items.insertOne({ _id: `d${(i * 7) % inOrder.length}`, v, copy: v });
      }
      for (const path of ["v", "copy"]) {
        const ascending = await items.find({}, { sort: { [path]: 1 } });
        expect(ascending.map(({ v }) => v)).toEqual(inOrder);
        const descending = await items.find({}, { sort: { [path]: -1 } });
        expect(descending.map(({ v }) => v)).toEqual(inOrder.toReversed());
      }
    });

    it("keep ranges within one type", async () => {
      const items = await typed(store());
      const idsOf = async (where: Filter<Item>) =>
        (await items.find(where, { sort: { _id: 1 } })).map(({ _id }) => _id);
      for (const path of ["v", "copy"]) {
        expect(await idsOf({ [path]: { $gt: 4 } })).toEqual(["number"]);
        expect(await idsOf({ [path]: { $lt: 6 } })).toEqual(["number"]);
        expect(await idsOf({ [path]: { $gte: "" } })).toEqual(["text"]);
        expect(await idsOf({ [path]: { $lte: new Date(9e12) } })).toEqual(["date"]);
        expect(await idsOf({ [path]: null })).toEqual(["missing", "null"]);
        expect(await idsOf({ [path]: { $exists: false } })).toEqual(["missing"]);
        expect(await idsOf({ [path]: { $ne: 5 } })).toEqual(["date", "missing", "null", "text", "true"]);
        expect(await idsOf({ [path]: { $not: { $gt: 4 } } })).toEqual([
          "date",
          "missing",
          "null",
          "text",
          "true",
        ]);
        expect(await idsOf({ [path]: { $in: [] } })).toEqual([]);
        expect(await idsOf({ [path]: { $nin: [null, 5] } })).toEqual(["date", "text", "true"]);
      }
    });

    it("page with an $or over two indexed fields", async () => {
      const items = await freshCollection(store(), [{ fields: { at: 1 } }]);
      for (let i = 0; i < 30; i++) {
        await items.insertOne({ _id: `d${String(i).padStart(2, "0")}`, at: Math.floor(i / 4) });
      }
      const seen: string[] = [];
      for (let after: Item | undefined; ; ) {
        const where: Filter<Item> =
          after === undefined
            ? {}
            : { $or: [{ at: { $gt: after.at } }, { at: after.at, _id: { $gt: after._id } }] };
        const page = await items.find(where, { sort: { at: 1, _id: 1 }, limit: 7 });
        seen.push(...page.map(({ _id }) => _id));
        after = page.at(-1);
        if (page.length < 7) {
          break;
        }
      }
      expect(seen).toEqual(Array.from({ length: 30 }, (_, i) => `d${String(i).padStart(2, "0")}`));
    });

    it("take long lists", async () => {
      const items = await freshCollection(store());
      await items.insertOne({ _id: "d1999" });
      const ids = Array.from({ length: 2_000 }, (_, i) => `d${i}`);
      expect(await items.countDocuments({ _id: { $in: ids } })).toBe(1);
      expect(await items.countDocuments({ _id: { $nin: ids } })).toBe(0);
    });

    it("project fields in or out", async () => {
      const items = await freshCollection(store());
      await items.insertOne({ _id: "a", x: 1, y: { z: 2, w: new Uint8Array([3]) }, list: [{ k: 1, l: 2 }] });
      const project = async (projection: Record<string, 0 | 1>) => await items.find({}, { projection });
      expect(await project({ x: 1 })).toEqual([{ _id: "a", x: 1 }]);
      expect(await project({ x: 1, _id: 0 })).toEqual([{ x: 1 }]);
      expect(await project({ _id: 1 })).toEqual([{ _id: "a" }]);
      expect(await project({ x: 0, list: 0 })).toEqual([{ _id: "a", y: { z: 2, w: new Uint8Array([3]) } }]);
      expect(await project({ "y.w": 1 })).toEqual([{ _id: "a", y: { w: new Uint8Array([3]) } }]);
      expect(await project({ "y.w": 0, list: 0 })).toEqual([{ _id: "a", x: 1, y: { z: 2 } }]);
      expect(await project({})).toHaveLength(1);
      expect(await project({ absent: 1 })).toEqual([{ _id: "a" }]);
    });
  });
}

async function typed(store: Store): Promise<Collection<Item>> {
  const items = await freshCollection(store, [{ fields: { v: 1 } }]);
  await items.insertOne({ _id: "missing" });
  for (const [_id, v] of Object.entries({
    null: null,
    number: 5,
    text: "5",
    true: true,
    date: new Date(5),
  })) {
    await items.insertOne({ _id, v, copy: v });
  }
  return items;
}
