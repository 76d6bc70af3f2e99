import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  type Bytes,
  concatBytes,
  fromHex,
  randomBytes,
  toBase64Url,
  toHex,
  utf8,
} from "../../../host/base/index.ts";
import {
  type Recipient,
  type SealingSuite,
  unwrapEpochKey,
  WRAPPED_KEY,
  type WrappedKey,
  wrapEpochKey,
} from "../../../host/sealing/index.ts";
import { loadSuite, rejectionOf } from "./fixtures.ts";

const id = () => toHex(randomBytes(16));
const BINDING = { consentId: id(), owner: id(), reader: id(), epochId: id() };
const FIELDS = ["consentId", "owner", "reader", "epochId"] as const;

let suite: SealingSuite;
let reader: Recipient;
let privateKey: Bytes;
let wrapped: WrappedKey;
const wrap = (ownerName: string) => wrapEpochKey(suite, reader.publicKey, BINDING, { privateKey, ownerName });
const unwrap = (key: WrappedKey) => unwrapEpochKey(suite, reader, key);
beforeAll(async () => {
  suite = await loadSuite();
  reader = await suite.recipient(randomBytes(32));
  privateKey = randomBytes(32);
  wrapped = await wrap("Ada");
});

/** A wrapped key with any content, sealed as the owner would. */
async function sealedByHand(plaintext: Bytes): Promise<WrappedKey> {
  const aad = concatBytes(...FIELDS.map((field) => fromHex(BINDING[field])));
  const info = utf8("medcloudlet wrapped epoch key v1");
  const { enc, ciphertext } = await suite.seal(reader.publicKey, info, aad, plaintext);
  return { ...BINDING, enc: toBase64Url(enc), ciphertext: toBase64Url(ciphertext) };
}

describe("a wrapped epoch key", () => {
  it("gives back key and name, whatever the name is written in", async () => {
    const names = fc.string({ unit: "grapheme" }).filter((name) => name.length <= 100);
    await fc.assert(
      fc.asyncProperty(names, async (ownerName) => {
        const key = await wrap(ownerName);
        expect(WRAPPED_KEY.schema.safeParse(key).success).toBe(true);
        expect(await unwrap(key)).toEqual({ privateKey, ownerName });
      }),
      { numRuns: 30 },
    );
  });

  it("has one length for every name", async () => {
    const lengths = new Set<number>();
    for (const name of ["", "A", "Ada", "x".repeat(100), "界".repeat(100), "😀".repeat(50)]) {
      const key = await wrap(name);
      lengths.add(key.ciphertext.length);
      expect((await unwrap(key)).ownerName).toBe(name);
    }
    expect(lengths.size).toBe(1);
  });

  it("has no room for a name beyond 100 characters", async () => {
    expect(await rejectionOf(wrap("x".repeat(101)))).toBe("WRAP_NAME_TOO_LONG");
    expect(await rejectionOf(wrap("😀".repeat(51)))).toBe("WRAP_NAME_TOO_LONG");
  });

  it.each(FIELDS)("opens under no other %s", async (field) => {
    expect(await rejectionOf(unwrap({ ...wrapped, [field]: id() }))).toBe("SEALED_OPEN_FAILED");
  });

  it("opens with no two of its ids exchanged", async () => {
    for (const one of FIELDS) {
      for (const other of FIELDS.filter((field) => field !== one)) {
        const exchanged = { ...wrapped, [one]: wrapped[other], [other]: wrapped[one] };
        expect(await rejectionOf(unwrap(exchanged)), `${one} and ${other}`).toBe("SEALED_OPEN_FAILED");
      }
    }
  });

  it("opens for no other reader, and with no part of another", async () => {
    const stranger = await suite.recipient(randomBytes(32));
    expect(await rejectionOf(unwrapEpochKey(suite, stranger, wrapped))).toBe("SEALED_OPEN_FAILED");
    const other = await wrap("Ada");
    expect(await rejectionOf(unwrap({ ...wrapped, enc: other.enc }))).toBe("SEALED_OPEN_FAILED");
    expect(await rejectionOf(unwrap({ ...wrapped, ciphertext: other.ciphertext }))).toBe(
      "SEALED_OPEN_FAILED",
    );
  });

  it("is not a sealed batch: what is sealed for the one use does not open for the other", async () => {
    const aad = concatBytes(...FIELDS.map((field) => fromHex(BINDING[field])));
    const sealed = await suite.seal(
      reader.publicKey,
      utf8("medcloudlet sealed batch v1"),
      aad,
      new Uint8Array(336),
    );
    const key = { ...BINDING, enc: toBase64Url(sealed.enc), ciphertext: toBase64Url(sealed.ciphertext) };
    expect(await rejectionOf(unwrap(key))).toBe("SEALED_OPEN_FAILED");
  });

  it("with anything but a key in it is refused", async () => {
    const tooShort = new Uint8Array(336);
    tooShort[0] = 31;
    const tooLong = new Uint8Array(336).fill(255);
    for (const plaintext of [new Uint8Array(), new Uint8Array(36), new Uint8Array(337), tooShort, tooLong]) {
      expect(await rejectionOf(unwrap(await sealedByHand(plaintext)))).toBe("WRAP_MALFORMED");
    }
    const right = new Uint8Array(336);
    right[0] = 32;
    expect(await unwrap(await sealedByHand(right))).toEqual({
      privateKey: new Uint8Array(32),
      ownerName: "",
    });
  });
});
