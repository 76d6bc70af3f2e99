import { createHash, createPrivateKey, createPublicKey, diffieHellman } from "node:crypto";
import type { KemInterface } from "@hpke/common";
import { beforeAll, describe, expect, it } from "vitest";
import { type Bytes, concatBytes, randomBytes, toHex, utf8 } from "../../../host/base/index.ts";
import { loadNtru, type Ntru } from "../../../host/ntru/index.ts";
import { createNtruX25519Kem, NTRU_X25519_KEM_ID } from "../../../host/sealing/hybrid-kem.ts";
import { importX25519PrivateKey } from "../../../host/sealing/x25519.ts";
import { flipped, rejectionOf } from "./fixtures.ts";

const NTRU_BYTES = 930;
const HYBRID_BYTES = NTRU_BYTES + 32;

/** Points of small order and their other spellings: the shared secret with each of them is all zero. */
const SMALL_ORDER = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
].map((hex) => new Uint8Array(Buffer.from(hex, "hex")));

let ntru: Ntru;
let kem: KemInterface;
beforeAll(async () => {
  ntru = await loadNtru("ntruhps2048677");
  kem = createNtruX25519Kem(ntru);
});

async function pairOf(seed: Bytes): Promise<{ privateKey: CryptoKey; publicKey: CryptoKey; bytes: Bytes }> {
  const privateKey = await kem.deserializePrivateKey(seed);
  // A key derived of the same seed has the public half as a key of its own.
  const bytes = publicBytesOf(seed);
  return { privateKey, publicKey: await kem.deserializePublicKey(bytes), bytes };
}

/** The expansion of a seed, once more: SHAKE256, NTRU from its head, X25519 by node:crypto from its tail. */
function expand(seed: Bytes) {
  const { sampleFgBytes } = ntru.parameters;
  const stream = createHash("shake256", { outputLength: sampleFgBytes + 64 })
    .update("medcloudlet NtruX25519 v1 expand")
    .update(seed)
    .digest();
  const ntruPair = ntru.generateKeyPair(stream.subarray(0, sampleFgBytes + 32));
  const x25519 = createPrivateKey({
    key: Buffer.concat([
      Buffer.from("302e020100300506032b656e04220420", "hex"),
      stream.subarray(sampleFgBytes + 32),
    ]),
    format: "der",
    type: "pkcs8",
  });
  const x25519Public = createPublicKey(x25519).export({ format: "der", type: "spki" }).subarray(-32);
  return { ntruPair, x25519, x25519Public };
}

function publicBytesOf(seed: Bytes): Bytes {
  const { ntruPair, x25519Public } = expand(seed);
  return concatBytes(ntruPair.publicKey, x25519Public);
}

/** Decapsulation once more, from the comment over the KEM and with other implementations of all but NTRU. */
function decapAgain(seed: Bytes, enc: Uint8Array): string {
  const { ntruPair, x25519, x25519Public } = expand(seed);
  const ephemeral = createPublicKey({
    key: Buffer.concat([Buffer.from("302a300506032b656e032100", "hex"), enc.subarray(NTRU_BYTES)]),
    format: "der",
    type: "spki",
  });
  return createHash("sha3-256")
    .update("medcloudlet NtruX25519 v1 combine")
    .update(ntru.decapsulate(ntruPair.secretKey, enc.subarray(0, NTRU_BYTES)))
    .update(diffieHellman({ privateKey: x25519, publicKey: ephemeral }))
    .update(enc)
    .update(ntruPair.publicKey)
    .update(x25519Public)
    .digest("hex");
}

const hexOf = (secret: ArrayBufferLike) => toHex(new Uint8Array(secret));

describe("the hybrid KEM", () => {
  it("has an identifier of its own and the sizes of its two halves", () => {
    expect(kem).toMatchObject({
      id: 0x4e58,
      secretSize: 32,
      encSize: HYBRID_BYTES,
      publicKeySize: HYBRID_BYTES,
      privateKeySize: 32,
    });
    expect(NTRU_X25519_KEM_ID).toBe(0x4e58);
  });

  it("gives both sides one secret, which is the one of its description", async () => {
    for (let i = 0; i < 5; i++) {
      const seed = randomBytes(32);
      const { privateKey, publicKey } = await pairOf(seed);
      const { sharedSecret, enc } = await kem.encap({ recipientPublicKey: publicKey });
      expect(enc.byteLength).toBe(HYBRID_BYTES);
      const secret = hexOf(await kem.decap({ recipientKey: privateKey, enc }));
      expect(secret).toBe(hexOf(sharedSecret));
      expect(secret).toBe(decapAgain(seed, new Uint8Array(enc)));
    }
  });

  it("takes new randomness for both halves of each encapsulation", async () => {
    const { publicKey } = await pairOf(randomBytes(32));
    const [first, second] = [
      await kem.encap({ recipientPublicKey: publicKey }),
      await kem.encap({ recipientPublicKey: publicKey }),
    ].map(({ sharedSecret, enc }) => ({ secret: hexOf(sharedSecret), enc: new Uint8Array(enc) }));
    expect(first?.secret).not.toBe(second?.secret);
    expect(first?.enc.subarray(0, NTRU_BYTES)).not.toEqual(second?.enc.subarray(0, NTRU_BYTES));
    expect(first?.enc.subarray(NTRU_BYTES)).not.toEqual(second?.enc.subarray(NTRU_BYTES));
  });

  it("makes one key pair of one seed, and another of a seed that differs in one bit", async () => {
    const seed = randomBytes(32);
    const { publicKey } = await kem.deriveKeyPair(seed);
    const serialized = hexOf(await kem.serializePublicKey(publicKey));
    expect(hexOf(await kem.serializePublicKey((await kem.deriveKeyPair(seed)).publicKey))).toBe(serialized);
    expect(
      hexOf(await kem.serializePublicKey((await kem.deriveKeyPair(flipped(seed, 31))).publicKey)),
    ).not.toBe(serialized);
    // Input keying material is not the seed itself: it is hashed under a label of its own.
    expect(toHex(publicBytesOf(seed))).not.toBe(serialized);
    const derived = createHash("shake256", { outputLength: 32 })
      .update(concatBytes(utf8("medcloudlet NtruX25519 v1 derive"), seed))
      .digest();
    expect(toHex(publicBytesOf(new Uint8Array(derived)))).toBe(serialized);
  });

  it("keeps the secret of a seed through serialisation, as a copy", async () => {
    const seed = randomBytes(32);
    const key = await kem.deserializePrivateKey(seed);
    const copy = await kem.serializePrivateKey(key);
    expect(hexOf(copy)).toBe(toHex(seed));
    new Uint8Array(copy).fill(0);
    expect(hexOf(await kem.serializePrivateKey(key))).toBe(toHex(seed));
  });

  it("generates pairs whose halves belong together, each time others", async () => {
    const pair = await kem.generateKeyPair();
    const seed = new Uint8Array(await kem.serializePrivateKey(pair.privateKey));
    expect(hexOf(await kem.serializePublicKey(pair.publicKey))).toBe(toHex(publicBytesOf(seed)));
    const other = await kem.generateKeyPair();
    expect(hexOf(await kem.serializePrivateKey(other.privateKey))).not.toBe(toHex(seed));
  });

  it("binds the secret to every byte of the ciphertext", async () => {
    const { privateKey, publicKey } = await pairOf(randomBytes(32));
    const { sharedSecret, enc } = await kem.encap({ recipientPublicKey: publicKey });
    const seen = new Set([hexOf(sharedSecret)]);
    const bytes = new Uint8Array(enc);
    for (let at = 0; at < bytes.length; at++) {
      const changed = flipped(bytes, at, at % 8);
      seen.add(hexOf(await kem.decap({ recipientKey: privateKey, enc: changed.buffer })));
    }
    expect(seen.size).toBe(1 + HYBRID_BYTES);
  });

  it("binds the secret to the bits that X25519 and NTRU themselves ignore", async () => {
    const seed = randomBytes(32);
    const { privateKey, publicKey } = await pairOf(seed);
    const { sharedSecret, enc } = await kem.encap({ recipientPublicKey: publicKey });
    // X25519 masks the top bit of a point: its own secret stays the same here.
    const masked = flipped(new Uint8Array(enc), HYBRID_BYTES - 1, 7);
    expect(hexOf(await kem.decap({ recipientKey: privateKey, enc: masked.buffer }))).not.toBe(
      hexOf(sharedSecret),
    );
  });

  it("binds the secret to the public key as it is spelled, where X25519 itself masks a bit", async () => {
    const { privateKey, bytes } = await pairOf(randomBytes(32));
    const respelled = await kem.deserializePublicKey(flipped(bytes, HYBRID_BYTES - 1, 7));
    const { sharedSecret, enc } = await kem.encap({ recipientPublicKey: respelled });
    expect(hexOf(await kem.decap({ recipientKey: privateKey, enc }))).not.toBe(hexOf(sharedSecret));
  });

  it("refuses the all-zero X25519 secret on either side", async () => {
    const seed = randomBytes(32);
    const { privateKey, publicKey, bytes } = await pairOf(seed);
    const { enc } = await kem.encap({ recipientPublicKey: publicKey });
    for (const point of SMALL_ORDER) {
      const weak = await kem.deserializePublicKey(concatBytes(bytes.subarray(0, NTRU_BYTES), point));
      expect(await rejectionOf(kem.encap({ recipientPublicKey: weak })), toHex(point)).toBe(
        "SEALING_KEY_INVALID",
      );
      const weakEnc = concatBytes(new Uint8Array(enc).subarray(0, NTRU_BYTES), point);
      expect(
        await rejectionOf(kem.decap({ recipientKey: privateKey, enc: weakEnc.buffer })),
        toHex(point),
      ).toBe("SEALING_KEY_INVALID");
    }
  });

  it("refuses wrong lengths", async () => {
    const { privateKey } = await pairOf(randomBytes(32));
    for (const length of [0, 31, 32, NTRU_BYTES, HYBRID_BYTES - 1, HYBRID_BYTES + 1]) {
      const bytes = new Uint8Array(length);
      expect(await rejectionOf(kem.deserializePublicKey(bytes))).toBe("SEALING_KEY_LENGTH");
      expect(await rejectionOf(kem.decap({ recipientKey: privateKey, enc: bytes.buffer }))).toBe(
        "SEALING_KEY_LENGTH",
      );
    }
    for (const length of [0, 31, 33, 1234]) {
      expect(await rejectionOf(kem.deserializePrivateKey(new Uint8Array(length)))).toBe("SEALING_KEY_LENGTH");
    }
  });

  it("refuses an NTRU half that is zero or has unused bits set", async () => {
    const { bytes } = await pairOf(randomBytes(32));
    const zero = concatBytes(new Uint8Array(NTRU_BYTES), bytes.subarray(NTRU_BYTES));
    for (const publicKey of [zero, flipped(bytes, NTRU_BYTES - 1, 7)]) {
      const recipientPublicKey = await kem.deserializePublicKey(publicKey);
      expect(await rejectionOf(kem.encap({ recipientPublicKey }))).toBe("NTRU_PUBLIC_KEY_INVALID");
    }
  });

  it("offers the base mode with fresh randomness alone, and keys of its own kind alone", async () => {
    const { privateKey, publicKey } = await pairOf(randomBytes(32));
    expect(await rejectionOf(kem.encap({ recipientPublicKey: publicKey, ekm: new ArrayBuffer(32) }))).toBe(
      "SEALING_MODE",
    );
    expect(await rejectionOf(kem.encap({ recipientPublicKey: publicKey, senderKey: privateKey }))).toBe(
      "SEALING_MODE",
    );
    const { privateKey: foreign } = await importX25519PrivateKey(randomBytes(32));
    expect(await rejectionOf(kem.encap({ recipientPublicKey: foreign }))).toBe("SEALING_KEY_TYPE");
    expect(await rejectionOf(kem.encap({ recipientPublicKey: privateKey }))).toBe("SEALING_KEY_TYPE");
    expect(
      await rejectionOf(kem.decap({ recipientKey: publicKey, enc: new ArrayBuffer(HYBRID_BYTES) })),
    ).toBe("SEALING_KEY_TYPE");
    expect(await rejectionOf(kem.importKey("jwk", {}))).toBe("SEALING_KEY_TYPE");
  });
});
