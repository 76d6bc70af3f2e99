import { createHash, randomFillSync } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { type Bytes, concatBytes, fromHex, randomBytes, toHex, utf8 } from "../../../host/base/index.ts";
import {
  type BatchHeader,
  batchDigest,
  MAX_BATCH_BYTES,
  openBatch,
  type Priority,
  parseBatch,
  type ReadingColumn,
  type Recipient,
  type Region,
  type SealingSuite,
  type SigningKey,
  sealBatch,
  verifyBatch,
  verifySignature,
} from "../../../host/sealing/index.ts";
import { padmeLength } from "../../../host/sealing/padding.ts";
import { codeOf, loadSuite, newSigningKey, rejectionOf } from "./fixtures.ts";

const ENC_BYTES = 962;
const HEADER = {
  region: "medical",
  priority: "abnormal",
  epochId: "00112233445566778899aabbccddeeff",
  streamId: "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
  deviceId: "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
  sequence: 0x0102_0304_0506,
} as const satisfies Omit<BatchHeader, "firstTime" | "lastTime">;
const FIRST = 1_700_000_000_123;
const LAST = FIRST + 5000;
const COLUMNS: ReadingColumn[] = [
  { quantity: "heartRate", times: [FIRST + 1000, LAST], values: [72, 71] },
  { quantity: "steps", times: [], values: [] },
  { quantity: "oxygenSaturation", times: [FIRST, FIRST + 2000], values: [97, null] },
];
const FILLED = COLUMNS.filter(({ times }) => times.length > 0);

let suite: SealingSuite;
let recipient: Recipient;
let signingKey: SigningKey;
let sealed: Bytes;
const seal = (
  header: Partial<Omit<BatchHeader, "firstTime" | "lastTime">> = {},
  columns: readonly ReadingColumn[] = COLUMNS,
) =>
  sealBatch({
    suite,
    epochPublicKey: recipient.publicKey,
    signingKey,
    header: { ...HEADER, ...header },
    columns,
  });
beforeAll(async () => {
  suite = await loadSuite();
  recipient = await suite.recipient(randomBytes(32));
  signingKey = await newSigningKey();
  sealed = await seal();
});

/** The sealed batch with bytes written over it, signed anew: a header that the device itself got wrong. */
async function resigned(at: number, bytes: readonly number[]): Promise<Bytes> {
  const signed = sealed.slice(0, -64);
  signed.set(bytes, at);
  return concatBytes(signed, await signingKey.sign(signed));
}

const i64 = (value: bigint) => [...new Uint8Array(new BigInt64Array([value]).buffer)];

describe("the layout of a sealed batch", () => {
  it("is the documented one, byte for byte", async () => {
    const body = sealed.length - 80 - 2 - ENC_BYTES - 4 - 64;
    const expected = Buffer.alloc(86 + ENC_BYTES);
    expected.write("MCLB", 0, "latin1");
    expected.set([1, 1, 3, 1], 4);
    expected.write(HEADER.epochId, 8, "hex");
    expected.write(HEADER.streamId, 24, "hex");
    expected.write(HEADER.deviceId, 40, "hex");
    expected.writeBigUInt64LE(0x0102_0304_0506n, 56);
    expected.writeBigInt64LE(BigInt(FIRST), 64);
    expected.writeBigInt64LE(BigInt(LAST), 72);
    expected.writeUInt16LE(ENC_BYTES, 80);
    expected.writeUInt32LE(body, 82 + ENC_BYTES);
    // What lies between is the encapsulated key, different every time.
    expected.set(sealed.subarray(82, 82 + ENC_BYTES), 82);
    expect(toHex(sealed.subarray(0, 86 + ENC_BYTES))).toBe(expected.toString("hex"));
    expect(await verifySignature(signingKey.publicKey, sealed.slice(0, -64), sealed.slice(-64))).toBe(true);
  });

  it("has a body that opens with the header as additional data, padded to the Padmé length", async () => {
    const plaintext = await recipient.open(
      { enc: sealed.slice(82, 82 + ENC_BYTES), ciphertext: sealed.slice(86 + ENC_BYTES, -64) },
      utf8("medcloudlet sealed batch v1"),
      sealed.slice(0, 80),
    );
    const length = new DataView(plaintext.buffer).getUint32(0, true);
    expect(plaintext).toHaveLength(padmeLength(4 + length));
  });

  it.each<[Region, number]>([
    ["identity", 1],
    ["profile", 2],
    ["medical", 3],
  ])("writes the region %s as %i", async (region, byte) => {
    const bytes = await seal({ region });
    expect(bytes[6]).toBe(byte);
    expect(parseBatch(bytes).header.region).toBe(region);
  });

  it.each<[Priority, number]>([
    ["emergency", 0],
    ["abnormal", 1],
    ["regular", 2],
    ["bulk", 3],
  ])("writes the priority %s as %i", async (priority, byte) => {
    const bytes = await seal({ priority });
    expect(bytes[7]).toBe(byte);
    expect(parseBatch(bytes).header.priority).toBe(priority);
  });
});

describe("a sealed batch", () => {
  it("gives back header and readings, without the columns that hold none", async () => {
    const batch = parseBatch(sealed);
    expect(batch.header).toEqual({ ...HEADER, firstTime: FIRST, lastTime: LAST });
    await verifyBatch(batch, signingKey.publicKey);
    expect(await openBatch(batch, recipient)).toStrictEqual(FILLED);
  });

  it("is read from the middle of a larger buffer too, and does not change with it", async () => {
    const around = concatBytes(new Uint8Array(7), sealed, new Uint8Array(7));
    const batch = parseBatch(around.subarray(7, 7 + sealed.length));
    around.fill(0);
    await verifyBatch(batch, signingKey.publicKey);
    expect(await openBatch(batch, recipient)).toStrictEqual(FILLED);
  });

  it("tells the size of its readings only roughly", async () => {
    const sizes = new Set<number>();
    for (let i = 0; i < 20; i++) {
      const values = Array.from({ length: 60 }, () => 60 + (randomBytes(1)[0] as number) / 8);
      const times = values.map((_, second) => FIRST + 1000 * second);
      sizes.add((await seal({}, [{ quantity: "heartRate", times, values }])).length);
    }
    expect(sizes.size).toBeLessThan(8);
  });

  it("has a digest that is the SHA-256 of all of it", () => {
    expect(batchDigest(sealed)).toBe(createHash("sha256").update(sealed).digest("hex"));
  });

  it("is not another device's", async () => {
    const other = await newSigningKey();
    const batch = parseBatch(sealed);
    expect(await rejectionOf(verifyBatch(batch, other.publicKey))).toBe("BATCH_SIGNATURE_INVALID");
    expect(await rejectionOf(verifyBatch(batch, new Uint8Array(5)))).toBe("BATCH_SIGNATURE_INVALID");
  });

  it("is not for another epoch's key", async () => {
    const other = await suite.recipient(randomBytes(32));
    expect(await rejectionOf(openBatch(parseBatch(sealed), other))).toBe("SEALED_OPEN_FAILED");
  });

  it("does not open under any other header, even one that its device signed", async () => {
    const headers: [number, readonly number[]][] = [
      [6, [2]],
      [7, [0]],
      [8, [0xff]],
      [24, [0xff]],
      [40, [0xff]],
      [56, [0]],
      [64, [0]],
      [72, [255]],
    ];
    for (const [at, bytes] of headers) {
      const batch = parseBatch(await resigned(at, bytes));
      await verifyBatch(batch, signingKey.publicKey);
      expect(await rejectionOf(openBatch(batch, recipient)), `byte ${at}`).toBe("SEALED_OPEN_FAILED");
    }
  });

  it("does not open with the encapsulated key or the body of another", async () => {
    const first = parseBatch(sealed);
    const second = parseBatch(await seal());
    const swaps = [
      { ...first, enc: second.enc },
      { ...first, body: second.body },
      { ...first, aad: parseBatch(await seal({ sequence: 7 })).aad },
    ];
    for (const batch of swaps) {
      expect(await rejectionOf(openBatch(batch, recipient))).toBe("SEALED_OPEN_FAILED");
    }
    expect(await openBatch({ ...second, signature: first.signature }, recipient)).toStrictEqual(FILLED);
  });

  it("counts from 0 to 2^53 - 1", async () => {
    for (const sequence of [0, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      const batch = parseBatch(await seal({ sequence }));
      expect(batch.header.sequence).toBe(sequence);
      expect(await openBatch(batch, recipient)).toStrictEqual(FILLED);
    }
    for (const sequence of [-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(await rejectionOf(seal({ sequence })), `${sequence}`).toBe("BATCH_FIELD_INVALID");
    }
  });

  it("holds times before 1970", async () => {
    const times = [-(2 ** 48), -1];
    const bytes = await seal({}, [{ quantity: "heartRate", times, values: [1, 2] }]);
    expect(parseBatch(bytes).header).toMatchObject({ firstTime: -(2 ** 48), lastTime: -1 });
  });

  it("is not made of nothing, of broken readings or with broken ids", async () => {
    expect(await rejectionOf(seal({}, []))).toBe("BATCH_EMPTY");
    expect(await rejectionOf(seal({}, [{ quantity: "steps", times: [], values: [] }]))).toBe("BATCH_EMPTY");
    expect(await rejectionOf(seal({}, [{ quantity: "steps", times: [2, 1], values: [1, 1] }]))).toBe(
      "READINGS_INVALID",
    );
    for (const id of ["epochId", "streamId", "deviceId"] as const) {
      expect(await rejectionOf(seal({ [id]: "00".repeat(15) }))).toBe("BATCH_FIELD_INVALID");
      expect(await rejectionOf(seal({ [id]: "00".repeat(17) }))).toBe("BATCH_FIELD_INVALID");
      expect(await rejectionOf(seal({ [id]: "AA".repeat(16) }))).toBe("ENCODING_INVALID");
    }
  });

  it("is at most 1 MiB long", async () => {
    const values = [...randomFillSync(new Float64Array(180_000))].map((value) =>
      Number.isFinite(value) ? value : 0,
    );
    const column: ReadingColumn = { quantity: "steps", times: values.map((_, i) => i), values };
    expect(await rejectionOf(seal({}, [column]))).toBe("BATCH_TOO_LARGE");
    expect(codeOf(() => parseBatch(new Uint8Array(MAX_BATCH_BYTES + 1)))).toBe("BATCH_TOO_LARGE");
    expect(codeOf(() => parseBatch(new Uint8Array(MAX_BATCH_BYTES)))).toBe("BATCH_MAGIC_INVALID");
  });
});

describe("a damaged batch", () => {
  /** The error that a changed bit must give, told from its place alone. */
  function expectedCode(at: number, changed: Bytes): string | RegExp {
    if (at < 4) {
      return "BATCH_MAGIC_INVALID";
    }
    if (at === 4) {
      return "BATCH_VERSION_UNSUPPORTED";
    }
    if (at === 5) {
      return "BATCH_SUITE_UNSUPPORTED";
    }
    if (at < 8) {
      const known = at === 6 ? [1, 2, 3] : [0, 1, 2, 3];
      return known.includes(changed[at] as number) ? "BATCH_SIGNATURE_INVALID" : "BATCH_FIELD_INVALID";
    }
    if (at >= 56 && at < 80) {
      const view = new DataView(changed.buffer);
      const limit = BigInt(Number.MAX_SAFE_INTEGER);
      const first = view.getBigInt64(64, true);
      const last = view.getBigInt64(72, true);
      const sound =
        view.getBigUint64(56, true) <= limit &&
        [first, last].every((time) => time >= -limit && time <= limit) &&
        first <= last;
      return sound ? "BATCH_SIGNATURE_INVALID" : "BATCH_FIELD_INVALID";
    }
    if (at === 80 || at === 81) {
      return "BATCH_FIELD_INVALID";
    }
    if (at >= 82 + ENC_BYTES && at < 86 + ENC_BYTES) {
      return /^BATCH_(TRUNCATED|TRAILING_BYTES|FIELD_INVALID)$/;
    }
    return "BATCH_SIGNATURE_INVALID";
  }

  it("is refused for every single bit, with the error of its place", async () => {
    for (let at = 0; at < sealed.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const changed = sealed.slice();
        changed[at] = (changed[at] as number) ^ (1 << bit);
        const code = await rejectionOf(
          (async () => verifyBatch(parseBatch(changed), signingKey.publicKey))(),
        );
        const expected = expectedCode(at, changed);
        if (typeof expected === "string" ? code !== expected : !expected.test(code)) {
          expect.fail(`bit ${bit} of byte ${at}: ${code} instead of ${expected}`);
        }
      }
    }
    expect(await rejectionOf(verifyBatch(parseBatch(sealed), signingKey.publicKey))).toBe("none");
  });

  it("is refused when it is cut off anywhere", () => {
    for (let length = 0; length < sealed.length; length++) {
      expect(
        codeOf(() => parseBatch(sealed.subarray(0, length))),
        `cut to ${length}`,
      ).toBe("BATCH_TRUNCATED");
    }
  });

  it("is refused with anything behind it", () => {
    expect(codeOf(() => parseBatch(concatBytes(sealed, Uint8Array.of(0))))).toBe("BATCH_TRAILING_BYTES");
    expect(codeOf(() => parseBatch(concatBytes(sealed, sealed)))).toBe("BATCH_TRAILING_BYTES");
  });

  it.each<[string, number, readonly number[]]>([
    ["the region 0", 6, [0]],
    ["the region 4", 6, [4]],
    ["the priority 4", 7, [4]],
    ["a sequence of 2^53", 56, i64(2n ** 53n)],
    ["a sequence of 2^64 - 1", 56, i64(-1n)],
    ["a first time of -2^63", 64, i64(-(2n ** 63n))],
    ["a last time of 2^53", 72, i64(2n ** 53n)],
    ["a last time before the first", 72, i64(BigInt(FIRST) - 1n)],
    ["no enc", 80, [0, 0]],
    ["a body shorter than its tag", 82 + ENC_BYTES, [15, 0, 0, 0]],
  ])("is refused with %s, though its device signed it", async (_, at, bytes) => {
    const changed = await resigned(at, bytes);
    expect(codeOf(() => parseBatch(changed))).toBe("BATCH_FIELD_INVALID");
  });

  it("of an unknown suite or version says so before anything else is looked at", () => {
    const version = concatBytes(utf8("MCLB"), fromHex("02ff"), new Uint8Array(100));
    expect(codeOf(() => parseBatch(version))).toBe("BATCH_VERSION_UNSUPPORTED");
    const unknown = concatBytes(utf8("MCLB"), fromHex("01ff"), new Uint8Array(100));
    expect(codeOf(() => parseBatch(unknown))).toBe("BATCH_SUITE_UNSUPPORTED");
  });
});
