import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pad, padmeLength, unpad } from "../../../host/sealing/padding.ts";
import { codeOf } from "./fixtures.ts";

const MOST = 1024 * 1024;

describe("the Padmé length", () => {
  it("never shortens, never falls, and adds at most 12%, for every length up to 1 MiB", () => {
    let previous = 0;
    for (let length = 0; length <= MOST; length++) {
      const padded = padmeLength(length);
      // Plain comparisons: a million calls of expect take a minute.
      if (padded < length || padded < previous || padded > 1.12 * length) {
        expect.fail(`${length} is padded to ${padded} after ${previous}`);
      }
      previous = padded;
    }
    expect(previous).toBe(MOST);
  });

  it("takes 300 different values up to 1 MiB, of a million", () => {
    const distinct = new Set(Array.from({ length: MOST }, (_, i) => padmeLength(i + 1)));
    expect(distinct.size).toBe(300);
  });

  it("is a fixed point: what is padded is not padded further", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (length) => {
        expect(padmeLength(padmeLength(length))).toBe(padmeLength(length));
      }),
    );
  });

  it.each([
    // Worked by hand from the paper: E = floor(log2 L), S = floor(log2 E) + 1, the last E - S bits become zero.
    [0, 0],
    [1, 1],
    [9, 10],
    [33, 36],
    [129, 144],
    [1000, 1024],
    [1025, 1088],
    [100_000, 100_352],
  ])("of %i is %i", (length, padded) => {
    expect(padmeLength(length)).toBe(padded);
  });
});

describe("padding", () => {
  it("is undone, and the filling is zeros", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (data) => {
        const padded = pad(data);
        expect(padded).toHaveLength(padmeLength(4 + data.length));
        expect([...unpad(padded)]).toEqual([...data]);
        expect(padded.subarray(4 + data.length).every((byte) => byte === 0)).toBe(true);
      }),
    );
  });

  it("is undone in a view of a larger buffer too", () => {
    const around = new Uint8Array(100).fill(255);
    around.set(pad(Uint8Array.of(1, 2, 3)), 50);
    expect([...unpad(around.subarray(50, 50 + padmeLength(7)))]).toEqual([1, 2, 3]);
  });

  it.each([
    ["nothing", []],
    ["less than a length field", [0, 0, 0]],
    ["a length one too large", [3, 0, 0, 0, 1, 2]],
    ["a length beyond every array", [255, 255, 255, 255, 1, 2]],
  ])("with %s is refused", (_, bytes) => {
    expect(codeOf(() => unpad(Uint8Array.from(bytes)))).toBe("READINGS_MALFORMED");
  });
});
