import fc from "fast-check";
import { deflateSync, Inflate } from "fflate";
import { describe, expect, it } from "vitest";
import { ByteWriter } from "../../../host/sealing/byte-stream.ts";
import { decodeReadings, encodeReadings, type ReadingColumn } from "../../../host/sealing/index.ts";
import { codeOf } from "./fixtures.ts";

const COLUMNS: ReadingColumn[] = [
  { quantity: "heartRate", times: [1000, 2000, 3000], values: [72, null, 71] },
  { quantity: "bodyTemperature", times: [1000, 4000], values: [36.6, 36.7] },
  { quantity: "steps", times: [1000], values: [1 / 3] },
];

function written(write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter();
  write(writer);
  return writer.finish();
}

/** An encoding with any content, and any declared size. */
function packed(plain: Uint8Array, size = plain.length, deflated = deflateSync(plain)): Uint8Array {
  return written((writer) => {
    writer.byte(1);
    writer.varint(size);
    writer.bytes(deflated);
  });
}

/** Number of columns, and the codes of the first. */
function head(writer: ByteWriter, codes: { loinc?: string; ucum?: string; mdc?: number } = {}): void {
  writer.varint(1);
  writer.text(codes.loinc ?? "8867-4");
  writer.text(codes.ucum ?? "/min");
  writer.varint(codes.mdc ?? 147_842);
}

const oneColumn = (write: (writer: ByteWriter) => void) =>
  packed(
    written((writer) => {
      head(writer);
      write(writer);
    }),
  );

const codeOfDecoding = (encoded: Uint8Array) => codeOf(() => decodeReadings(encoded));

/** What a decoder may give: an error of the two codes, or columns that keep every promise of ReadingColumn. */
function expectSound(encoded: Uint8Array): void {
  let columns: ReadingColumn[];
  try {
    columns = decodeReadings(encoded);
  } catch (error) {
    expect(error).toMatchObject({
      name: "MedcloudletError",
      code: expect.stringMatching(/^READINGS_(MALFORMED|CODE_UNKNOWN)$/),
      status: 422,
    });
    return;
  }
  // The encoder refuses times that go backwards or out of range, and values that are not finite.
  expect(decodeReadings(encodeReadings(columns))).toStrictEqual(columns);
}

describe("malformed readings", () => {
  it("written by hand as the encoder writes them are taken: the cases below fail for their own reason", () => {
    const encoded = oneColumn((writer) => {
      writer.varint(2);
      writer.signedVarint(5000);
      writer.signedVarint(-4000);
      writer.byte(1);
      writer.byte(0b10);
      writer.byte(1);
      writer.signedVarint(725);
    });
    expect(decodeReadings(encoded)).toEqual([
      { quantity: "heartRate", times: [5000, 6000], values: [72.5, null] },
    ]);
  });

  it("cut off anywhere are refused", () => {
    const encoded = encodeReadings(COLUMNS);
    for (let length = 0; length < encoded.length; length++) {
      expect(codeOfDecoding(encoded.subarray(0, length)), `cut to ${length}`).toBe("READINGS_MALFORMED");
    }
  });

  it("cut off anywhere before they were compressed are refused", () => {
    const whole = written((writer) => {
      head(writer);
      writer.varint(2);
      writer.signedVarint(1_700_000_000_000);
      writer.signedVarint(1000);
      writer.byte(0);
      writer.byte(255);
      writer.float64(1 / 3);
      writer.float64(2 / 3);
    });
    expect(codeOfDecoding(packed(whole.slice(0, -16)))).toBe("READINGS_MALFORMED");
    for (let length = 0; length < whole.length; length++) {
      expect(codeOfDecoding(packed(whole.slice(0, length))), `cut to ${length}`).toMatch(
        /^READINGS_(MALFORMED|CODE_UNKNOWN)$/,
      );
    }
  });

  it("with a byte too many behind the last column are refused", () => {
    const plain = written((writer) => writer.varint(0));
    expect(decodeReadings(packed(plain))).toEqual([]);
    expect(codeOfDecoding(packed(Uint8Array.of(0, 0)))).toBe("READINGS_MALFORMED");
  });

  it.each([0, 2, 255])("of the unknown format %i are refused", (format) => {
    const encoded = encodeReadings(COLUMNS);
    encoded[0] = format;
    expect(codeOfDecoding(encoded)).toBe("READINGS_MALFORMED");
  });

  it.each([
    ["less than there is", -1],
    ["more than there is", 1],
  ])("that declare %s are refused", (_, difference) => {
    const plain = new Uint8Array(200);
    plain[0] = 1;
    expect(codeOfDecoding(packed(plain, plain.length + difference))).toBe("READINGS_MALFORMED");
    // The same where the content up to the declared size would be whole: a size must not cut anything off.
    expect(codeOfDecoding(packed(Uint8Array.of(0, 9, 9), 1))).toBe("READINGS_MALFORMED");
  });

  it("with nothing where the compressed data should be are refused, whatever they declare", () => {
    for (const size of [0, 1, 1000]) {
      expect(codeOfDecoding(packed(new Uint8Array(size), size, new Uint8Array()))).toBe("READINGS_MALFORMED");
    }
  });

  it("that declare more than the limit are refused before anything is inflated", () => {
    expect(codeOfDecoding(packed(new Uint8Array(10), 8 * 1024 * 1024 + 1))).toBe("READINGS_MALFORMED");
    expect(codeOfDecoding(packed(new Uint8Array(10), 2 ** 51))).toBe("READINGS_MALFORMED");
  });

  it("that are an inflate bomb cost no more than they declare", () => {
    const bomb = deflateSync(new Uint8Array(256 * 1024 * 1024), { level: 9 });
    const started = performance.now();
    for (const size of [10, 8 * 1024 * 1024]) {
      expect(codeOfDecoding(packed(new Uint8Array(), size, bomb))).toBe("READINGS_MALFORMED");
    }
    const bounded = performance.now() - started;
    // Inflating the whole of it takes far longer than stopping at its declared size.
    const whole = performance.now();
    decodeWhole(bomb);
    expect(bounded).toBeLessThan((performance.now() - whole) * 0.75);
  });

  it.each([
    ["in nine bytes", [128, 128, 128, 128, 128, 128, 128, 128, 1]],
    ["of 2^52", [128, 128, 128, 128, 128, 128, 128, 8]],
    ["in two bytes where one would do", [128, 0]],
    ["in a thousand empty bytes", [...new Array<number>(1000).fill(128), 1]],
  ])("with an integer %s are refused", (_, bytes) => {
    const broken = Uint8Array.from(bytes);
    expect(codeOfDecoding(written((w) => [w.byte(1), w.bytes(broken)]))).toBe("READINGS_MALFORMED");
    expect(codeOfDecoding(packed(broken))).toBe("READINGS_MALFORMED");
    const asTime = oneColumn((writer) => {
      writer.varint(1);
      writer.bytes(broken);
      writer.bytes(Uint8Array.of(0, 0, 0));
    });
    expect(codeOfDecoding(asTime)).toBe("READINGS_MALFORMED");
  });

  it("of an unknown LOINC code are refused with a code of their own, which quotes little of it", () => {
    const long = "9".repeat(127);
    for (const loinc of ["8867-5", "", "heartRate", "__proto__", long]) {
      expect(
        codeOfDecoding(
          packed(written((writer) => [head(writer, { loinc }), writer.bytes(new Uint8Array(4))])),
        ),
      ).toBe("READINGS_CODE_UNKNOWN");
    }
    const longer = packed(written((writer) => head(writer, { loinc: `${long}9` })));
    expect(codeOfDecoding(longer)).toBe("READINGS_MALFORMED");
  });

  it.each([
    ["another unit", { ucum: "/s" }],
    ["no unit", { ucum: "" }],
    ["another IEEE 11073 code", { mdc: 149_530 }],
    ["no IEEE 11073 code", { mdc: 0 }],
  ])("with %s are refused", (_, codes) => {
    const plain = written((writer) => [head(writer, codes), writer.bytes(new Uint8Array(3))]);
    expect(codeOfDecoding(packed(plain))).toBe("READINGS_MALFORMED");
  });

  it.each<[string, (writer: ByteWriter) => void]>([
    [
      "more values declared than bytes are left",
      (writer) => {
        writer.varint(2 ** 40);
        writer.bytes(new Uint8Array(20));
      },
    ],
    [
      "times that go backwards",
      (writer) => {
        writer.varint(2);
        writer.signedVarint(1000);
        writer.signedVarint(-1001);
        writer.bytes(Uint8Array.of(0, 0, 0, 0));
      },
    ],
    [
      "a time beyond the range",
      (writer) => {
        writer.varint(1);
        writer.signedVarint(2 ** 49);
        writer.bytes(Uint8Array.of(0, 0, 0));
      },
    ],
    [
      "times that add up beyond the range",
      (writer) => {
        writer.varint(3);
        for (let i = 0; i < 3; i++) {
          writer.signedVarint(2 ** 48);
        }
        writer.bytes(Uint8Array.of(0, 0, 0, 0, 0));
      },
    ],
    ["an unknown gap byte", (writer) => writer.bytes(Uint8Array.of(1, 0, 2, 0, 0))],
    ["ten decimals", (writer) => writer.bytes(Uint8Array.of(1, 0, 0, 10, 0))],
    [
      "values that add up beyond the range",
      (writer) => {
        writer.bytes(Uint8Array.of(3, 0, 0, 0, 0, 0));
        for (let i = 0; i < 3; i++) {
          writer.signedVarint(2 ** 49);
        }
      },
    ],
    ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map(
      (value): [string, (writer: ByteWriter) => void] => [
        `the value ${value}`,
        (writer) => {
          writer.bytes(Uint8Array.of(1, 0, 0, 255));
          writer.float64(value);
        },
      ],
    ),
  ])("with %s are refused", (_, write) => {
    expect(codeOfDecoding(oneColumn(write))).toBe("READINGS_MALFORMED");
  });

  it("of any bytes give an error of ours or sound columns", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), expectSound), { numRuns: 1000 });
    const content = fc.uint8Array({ maxLength: 300 }).map((plain) => packed(plain));
    fc.assert(fc.property(content, expectSound), { numRuns: 1000 });
    const afterHead = fc
      .uint8Array({ maxLength: 60 })
      .map((rest) => oneColumn((writer) => writer.bytes(rest)));
    fc.assert(fc.property(afterHead, expectSound), { numRuns: 2000 });
  });

  it("with any one bit turned over give an error of ours or sound columns", () => {
    const encoded = encodeReadings(COLUMNS);
    for (let at = 0; at < 8 * encoded.length; at++) {
      const changed = encoded.slice();
      changed[at >> 3] = (changed[at >> 3] as number) ^ (1 << (at & 7));
      expectSound(changed);
    }
  });
});

/** The cost that the bound saves. */
function decodeWhole(deflated: Uint8Array): void {
  const stream = new Inflate(() => {});
  for (let at = 0; at < deflated.length; at += 1000) {
    stream.push(deflated.subarray(at, at + 1000), at + 1000 >= deflated.length);
  }
}
