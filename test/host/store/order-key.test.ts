import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toWhere } from "../../../host/store/embedded/select.ts";
import { parseFilter } from "../../../host/store/filter.ts";
import { bracketOf, orderKey } from "../../../host/store/order-key.ts";
import type { Scalar } from "../../../host/store/values.ts";

const RANKS = ["null", "number", "string", "bytes", "boolean", "date"];

const number = fc.double({ noNaN: true, noDefaultInfinity: true });
const scalar = fc.oneof(
  fc.constant(null),
  number,
  fc.integer({ min: -3, max: 3 }),
  fc.string({ unit: "binary", maxLength: 4 }),
  fc.uint8Array({ maxLength: 3 }),
  fc.boolean(),
  fc.date({ noInvalidDate: true }),
);

function kindOf(value: Scalar): string {
  if (value === null) {
    return "null";
  }
  if (value instanceof Date) {
    return "date";
  }
  return value instanceof Uint8Array ? "bytes" : typeof value;
}

/** MongoDB's comparison order, written down a second time: by type, then by value. */
function compare(a: Scalar, b: Scalar): number {
  const byType = RANKS.indexOf(kindOf(a)) - RANKS.indexOf(kindOf(b));
  if (byType !== 0) {
    return byType;
  }
  if (typeof a === "string" && typeof b === "string") {
    const [left, right] = [[...a], [...b]].map((text) =>
      text.map((character) => character.codePointAt(0) ?? 0),
    );
    return compareLists(left ?? [], right ?? []);
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    return a.length - b.length || compareLists([...a], [...b]);
  }
  return Math.sign(Number(a) - Number(b));
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  const i = a.findIndex((item, at) => item !== b[at]);
  return i === -1 ? a.length - b.length : (a[i] as number) - (b[i] ?? -1);
}

describe("order keys", () => {
  it("are in the order of the values", () => {
    fc.assert(
      fc.property(scalar, scalar, (a, b) => {
        expect(Math.sign(Buffer.compare(orderKey(a), orderKey(b)))).toBe(Math.sign(compare(a, b)));
      }),
      { numRuns: 5_000 },
    );
  });

  it("lie in the bracket of their type, and no other key does", () => {
    fc.assert(
      fc.property(scalar, scalar, (a, b) => {
        const { from, to } = bracketOf(a);
        const inside = Buffer.compare(orderKey(b), from) >= 0 && Buffer.compare(orderKey(b), to) < 0;
        expect(inside).toBe(kindOf(a) === kindOf(b));
      }),
    );
  });

  it("are the same for null and for nothing, for 0 and -0", () => {
    expect(orderKey(undefined)).toEqual(orderKey(null));
    expect(orderKey(-0)).toEqual(orderKey(0));
  });

  it("do not exist for arrays and objects", () => {
    expect(() => orderKey([1])).toThrow(/cannot be indexed/);
    expect(() => orderKey({})).toThrow(/cannot be indexed/);
  });
});

describe("the planner", () => {
  const indexed = new Set(["_id", "n", "p.q"]);

  it.each([
    [{ n: 5, "p.q": { $in: [1, 2] }, _id: { $ne: "a" } }, 0],
    [{ $and: [{ n: { $gt: 1, $lte: 5 } }, { $or: [{ n: 1 }, { "p.q": 2, n: { $nin: [3] } }] }] }, 0],
    [{ n: 5, other: 1 }, 1],
    [{ n: { $gt: 1, $exists: true } }, 1],
    [{ $or: [{ n: 1 }, { other: 1 }] }, 1],
    [{ n: { $not: { $gt: 1 } }, "p.r": 1, p: null }, 3],
  ])("leaves of %j %i conditions to be tested in memory", (filter, count) => {
    expect(toWhere(parseFilter(filter), indexed).residual).toHaveLength(count);
  });
});
