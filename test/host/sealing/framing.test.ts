import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { frameBatches, unframeBatches } from "../../../host/sealing/index.ts";
import { codeOf } from "./fixtures.ts";

const batches = () => fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 });

describe("framing", () => {
  it("is a u32 length, little-endian, before each batch", () => {
    expect([...frameBatches([Uint8Array.of(7, 8), new Uint8Array(), new Uint8Array(258).fill(9)])]).toEqual([
      ...[2, 0, 0, 0, 7, 8],
      ...[0, 0, 0, 0],
      ...[2, 1, 0, 0, ...new Array(258).fill(9)],
    ]);
  });

  it("is undone", () => {
    fc.assert(
      fc.property(batches(), (parts) => {
        expect(unframeBatches(frameBatches(parts)).map((part) => [...part])).toEqual(
          parts.map((part) => [...part]),
        );
      }),
    );
  });

  it("gives copies, so that a page does not stay in memory for one batch of it", () => {
    const framed = frameBatches([Uint8Array.of(1, 2, 3)]);
    const [batch] = unframeBatches(framed) as [Uint8Array];
    framed.fill(0);
    expect([...batch]).toEqual([1, 2, 3]);
    expect(batch.buffer.byteLength).toBe(3);
  });

  it("cut off anywhere but between two batches is refused", () => {
    const parts = [new Uint8Array(5), new Uint8Array(0), new Uint8Array(300)];
    const framed = frameBatches(parts);
    const ends = new Set([0, 9, 13, framed.length]);
    for (let length = 0; length <= framed.length; length++) {
      const code = codeOf(() => unframeBatches(framed.subarray(0, length)));
      expect(code, `cut to ${length}`).toBe(ends.has(length) ? "none" : "FRAME_TRUNCATED");
    }
  });

  it("never answers any bytes with an exception of another kind", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(["none", "FRAME_TRUNCATED"]).toContain(codeOf(() => unframeBatches(bytes)));
      }),
    );
    expect(codeOf(() => unframeBatches(Uint8Array.of(255, 255, 255, 255, 0)))).toBe("FRAME_TRUNCATED");
  });
});
