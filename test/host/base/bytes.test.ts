import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  concatBytes,
  equalBytes,
  fromBase64Url,
  fromHex,
  randomBytes,
  toBase64Url,
  toHex,
  utf8,
} from "../../../host/base/index.ts";

const anyBytes = () => fc.uint8Array({ maxLength: 200 });
const invalid = expect.objectContaining({ name: "MedcloudletError", code: "ENCODING_INVALID", status: 400 });

describe("hexadecimal", () => {
  it("spells bytes as Buffer does, and reads them back", () => {
    fc.assert(
      fc.property(anyBytes(), (bytes) => {
        const text = toHex(bytes);
        expect(text).toBe(Buffer.from(bytes).toString("hex"));
        expect(fromHex(text)).toEqual(Uint8Array.from(bytes));
      }),
    );
  });

  it("keeps apart the bytes of a view from the buffer around it", () => {
    expect(toHex(Uint8Array.from([1, 2, 3, 4]).subarray(1, 3))).toBe("0203");
  });

  it.each(["0", "000", "0G", "AB", "0x00", " 00", "00\n", "0 ", "-1", "٠٠"])("refuses %j", (text) => {
    expect(() => fromHex(text)).toThrow(invalid);
  });
});

describe("base64url", () => {
  it("spells bytes as Buffer does, and reads them back", () => {
    fc.assert(
      fc.property(anyBytes(), (bytes) => {
        const text = toBase64Url(bytes);
        expect(text).toBe(Buffer.from(bytes).toString("base64url"));
        expect(fromBase64Url(text)).toEqual(Uint8Array.from(bytes));
      }),
    );
  });

  it.each([
    ["A", "length 4n + 1"],
    ["AAAAA", "length 4n + 1"],
    ["AA==", "padding"],
    ["AAA=", "padding"],
    ["+A", "the alphabet of base64"],
    ["/A", "the alphabet of base64"],
    ["A A", "a space"],
    ["AA\n", "a line feed"],
    ["AB", "unused bits after one byte"],
    ["AP", "unused bits after one byte"],
    ["AAB", "unused bits after two bytes"],
    ["ÄA", "a letter beyond ASCII"],
  ])("refuses %j: %s", (text) => {
    expect(() => fromBase64Url(text)).toThrow(invalid);
  });

  it("takes exactly one spelling of each value", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9_-]{0,12}$/), (text) => {
        let bytes: Uint8Array;
        try {
          bytes = fromBase64Url(text);
        } catch (error) {
          expect(error).toEqual(invalid);
          expect(Buffer.from(text, "base64url").toString("base64url")).not.toBe(text);
          return;
        }
        expect(toBase64Url(bytes)).toBe(text);
      }),
    );
  });
});

describe("byte strings", () => {
  it("are joined in order", () => {
    fc.assert(
      fc.property(fc.array(anyBytes(), { maxLength: 8 }), (parts) => {
        expect(Buffer.from(concatBytes(...parts))).toEqual(Buffer.concat(parts));
      }),
    );
  });

  it("are equal to a copy, and to nothing that differs in one bit or in length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.nat(), fc.nat(7), (bytes, at, bit) => {
        expect(equalBytes(bytes, bytes.slice())).toBe(true);
        const other = bytes.slice();
        other[at % other.length] = (other[at % other.length] as number) ^ (1 << bit);
        expect(equalBytes(bytes, other)).toBe(false);
        expect(equalBytes(bytes, bytes.subarray(1))).toBe(false);
        expect(equalBytes(bytes, concatBytes(bytes, Uint8Array.of(0)))).toBe(false);
      }),
    );
    expect(equalBytes(new Uint8Array(), new Uint8Array())).toBe(true);
  });

  it("of a text are its UTF-8", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(Buffer.from(utf8(text)).toString("utf8")).toBe(text);
      }),
    );
  });

  it("are random to the last byte, also beyond the 64 KiB that the platform gives at once", () => {
    for (const length of [0, 1, 65_535, 65_536, 65_537, 200_000]) {
      expect(randomBytes(length)).toHaveLength(length);
    }
    // A stretch left out would stay zero: 32 zeros in a row do not happen by chance.
    const text = toHex(randomBytes(200_000));
    expect(text).not.toContain("0".repeat(64));
    expect(toHex(randomBytes(32))).not.toBe(toHex(randomBytes(32)));
  });
});
