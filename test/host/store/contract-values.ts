import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Store } from "../../../host/store/index.ts";
import { codeOf, freshCollection } from "./subject.ts";

const key = fc.stringMatching(/^[a-z][a-zA-Z0-9_-]{0,8}$/).filter((name) => !(name in Object.prototype));
const scalar = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value)),
  fc.maxSafeInteger(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array(),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: "small", withCrossShrink: true }, scalar, tie("object"), tie("array")),
  object: fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  array: fc.array(fc.oneof(scalar, tie("object")), { maxLength: 4 }),
}));

/** What goes in comes out. */
export function valueContract(store: () => Store): void {
  describe("values", () => {
    it("come back equal, binaries as plain Uint8Array", async () => {
      const items = await freshCollection(store());
      const document = {
        _id: "all",
        text: "Grüße, 患者 \u{1f9e0}\0",
        numbers: [0, 1, -1, 0.1, 2 ** 31, -(2 ** 31) - 1, 2 ** 53, Number.MAX_VALUE, Number.MIN_VALUE],
        yes: true,
        no: false,
        nothing: null,
        date: new Date("2024-02-29T12:34:56.789Z"),
        before: new Date(-1),
        bytes: new Uint8Array([0, 1, 254, 255]),
        empty: { bytes: new Uint8Array(0), list: [], object: {}, text: "" },
        list: [{ deep: { bytes: new Uint8Array([7]) } }, "text", 5, null],
      };
      await items.insertOne(document);
      expect(await items.findOne({ _id: "all" })).toStrictEqual(document);
      const bytes = (await items.findOne({ _id: "all" }))?.bytes;
      expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
      expect(bytes.buffer).toBeInstanceOf(ArrayBuffer);
    });

    it("come back equal whatever they are", async () => {
      const items = await freshCollection(store());
      let count = 0;
      await fc.assert(
        fc.asyncProperty(value, async (random) => {
          count += 1;
          const document = { _id: `random-${count}`, value: random };
          await items.insertOne(document);
          expect(await items.findOne({ _id: document._id })).toStrictEqual(document);
        }),
        { numRuns: 150 },
      );
    });

    it("come back as they were when an update sets them", async () => {
      const items = await freshCollection(store());
      await items.insertOne({ _id: "a" });
      await fc.assert(
        fc.asyncProperty(value, async (random) => {
          await items.updateOne({ _id: "a" }, { $set: { value: random } });
          expect(await items.findOne({})).toStrictEqual({ _id: "a", value: random });
        }),
        { numRuns: 60 },
      );
    });

    it("take views into larger buffers, and Node's Buffer", async () => {
      const items = await freshCollection(store());
      await items.insertOne({
        _id: "a",
        part: new Uint8Array([1, 2, 3, 4]).subarray(1, 3),
        node: Buffer.from("x"),
      });
      expect(await items.findOne({ part: new Uint8Array([2, 3]) })).toStrictEqual({
        _id: "a",
        part: new Uint8Array([2, 3]),
        node: new Uint8Array([120]),
      });
    });

    it("are not those the caller keeps a hand on", async () => {
      const items = await freshCollection(store());
      const list = [1];
      await items.insertOne({ _id: "a", list });
      list.push(2);
      const found = await items.findOne({});
      found?.list.push(3);
      expect(await items.findOne({})).toEqual({ _id: "a", list: [1] });
    });

    it("are refused when stores would not agree on them", async () => {
      const items = await freshCollection(store());
      const values = [
        undefined,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        1n,
        Symbol("s"),
        () => 1,
        /re/,
        new Date(Number.NaN),
        new Map(),
        new Float64Array(1),
        new ArrayBuffer(1),
        "\ud800",
        [[1]],
        { "": 1 },
        { "a.b": 1 },
        { "a\0": 1 },
        { _bsontype: "Binary" },
        { toString: "x" },
        JSON.parse('{ "__proto__": 1 }'),
      ];
      for (const refused of values) {
        expect(await codeOf(items.insertOne({ _id: "a", refused }))).toBe("STORE_VALUE_INVALID");
        expect(await codeOf(items.updateOne({ _id: "a" }, { $set: { refused } }))).toBe(
          "STORE_VALUE_INVALID",
        );
        expect(await codeOf(items.findOne({ refused }))).toBe("STORE_VALUE_INVALID");
      }
      for (const _id of [undefined, null, 5, "", {}, new Uint8Array(1)]) {
        expect(await codeOf(items.insertOne({ _id: _id as string }))).toBe("STORE_VALUE_INVALID");
      }
      expect(await items.countDocuments({})).toBe(0);
    });

    it("are refused above 16 MiB", async () => {
      const items = await freshCollection(store());
      const large = new Uint8Array(16 * 1024 * 1024);
      expect(await codeOf(items.insertOne({ _id: "a", large }))).toBe("STORE_VALUE_INVALID");
      await items.insertOne({ _id: "a", large: large.subarray(0, 1024 * 1024) });
      expect((await items.findOne({}))?.large.length).toBe(1024 * 1024);
    });
  });
}
