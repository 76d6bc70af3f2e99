import { describe, expect, it } from "vitest";
import type { Store } from "../../../host/store/index.ts";
import type { Guarantee } from "../../support/guarantees.ts";
import { codeOf, freshCollection } from "./subject.ts";

/** Many writers at once. */
export function concurrencyContract(store: () => Store, lacks: ReadonlySet<Guarantee>): void {
  describe("concurrent writers", () => {
    const unatomic = lacks.has("atomic updates");

    it("win a unique key once", async () => {
      const items = await freshCollection(store(), [{ fields: { handle: 1 }, unique: true }]);
      const codes = await Promise.all(
        Array.from({ length: 50 }, (_, i) => codeOf(items.insertOne({ _id: `d${i}`, handle: "one" }))),
      );
      expect(codes.filter((code) => code === null)).toHaveLength(1);
      expect(codes.filter((code) => code === "STORE_DUPLICATE")).toHaveLength(49);
      expect(await items.countDocuments({})).toBe(1);
    });

    it("win an _id once", async () => {
      const items = await freshCollection(store());
      const codes = await Promise.all(
        Array.from({ length: 50 }, (_, i) => codeOf(items.insertOne({ _id: "one", i }))),
      );
      expect(codes.filter((code) => code === null)).toHaveLength(1);
      expect(codes.filter((code) => code === "STORE_DUPLICATE")).toHaveLength(49);
    });

    it("upsert one document between them", async () => {
      const items = await freshCollection(store());
      const results = await Promise.all(
        Array.from({ length: 30 }, (_, i) =>
          items.updateOne({ _id: "one" }, { $setOnInsert: { first: i } }, { upsert: true }),
        ),
      );
      expect(results.filter(({ upserted }) => upserted)).toHaveLength(1);
      expect(await items.countDocuments({})).toBe(1);
    });

    it.skipIf(unatomic)("lose no increment", async () => {
      const items = await freshCollection(store());
      await items.insertOne({ _id: "counter", n: 0 });
      await Promise.all(
        Array.from({ length: 100 }, () => items.updateOne({ _id: "counter" }, { $inc: { n: 1 } })),
      );
      expect(await items.findOne({})).toEqual({ _id: "counter", n: 100 });
    });

    it.skipIf(unatomic)("hand out every number once", async () => {
      const items = await freshCollection(store());
      const given = await Promise.all(
        Array.from({ length: 100 }, () =>
          items.findOneAndUpdate({ _id: "c" }, { $inc: { n: 1 } }, { upsert: true, returnDocument: "after" }),
        ),
      );
      const numbers = given.map((document) => Number(document?.n)).sort((a, b) => a - b);
      expect(numbers).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    });

    it.skipIf(unatomic)("win a compare-and-set once", async () => {
      const items = await freshCollection(store());
      await items.insertOne({ _id: "a", version: 0 });
      const results = await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          items.updateOne({ _id: "a", version: 0 }, { $set: { version: 1, winner: i } }),
        ),
      );
      expect(results.filter(({ modified }) => modified === 1)).toHaveLength(1);
    });
  });
}
