import { describe, expect, it } from "vitest";
import type { Store } from "../../../host/store/index.ts";
import { codeOf, freshCollection } from "./subject.ts";

/** Inserting several documents at once. */
export function insertManyContract(store: () => Store): void {
  describe("insertMany", () => {
    const numbered = (from: number, to: number) =>
      Array.from({ length: to - from + 1 }, (_, i) => ({
        _id: String(from + i).padStart(6, "0"),
        n: from + i,
      }));

    it("inserts all of them, and nothing for an empty list", async () => {
      const items = await freshCollection(store(), [{ fields: { n: 1 } }]);
      await items.insertMany([]);
      await items.insertMany(numbered(1, 700));
      expect(await items.countDocuments({})).toBe(700);
      expect(await items.findOne({ n: 700 })).toEqual({ _id: "000700", n: 700 });
    });

    it("leaves nothing behind the first that is refused", async () => {
      const items = await freshCollection(store());
      await items.insertOne({ _id: "000004", n: 0 });
      expect(await codeOf(items.insertMany(numbered(1, 9)))).toBe("STORE_DUPLICATE");
      const kept = (await items.find({}, { sort: { _id: 1 } })).map(({ _id }) => Number(_id));
      expect([[1, 2, 3, 4], [4]]).toContainEqual(kept);
      expect(await items.findOne({ _id: "000004" })).toEqual({ _id: "000004", n: 0 });
    });

    it("inserts none when one of them is not of a form that documents have", async () => {
      const items = await freshCollection(store(), [{ fields: { n: 1 } }]);
      for (const bad of [{ _id: "" }, { _id: "x", $where: 1 }, { _id: "x", n: [1] }]) {
        expect(await codeOf(items.insertMany([{ _id: "first" }, bad]))).toMatch(/^STORE_(VALUE|OPERATOR)_/);
      }
      expect(await items.countDocuments({})).toBe(0);
    });

    it("gives one of many writers of the same numbers all of them", async () => {
      const items = await freshCollection(store());
      const codes = await Promise.all(
        Array.from({ length: 20 }, (_, writer) =>
          codeOf(items.insertMany(numbered(1, 10).map((document) => ({ ...document, writer })))),
        ),
      );
      expect(codes.filter((code) => code === null)).toHaveLength(1);
      expect(codes.filter((code) => code === "STORE_DUPLICATE")).toHaveLength(19);
      expect(new Set((await items.find({})).map(({ writer }) => writer)).size).toBe(1);
      expect(await items.countDocuments({})).toBe(10);
    });
  });
}
