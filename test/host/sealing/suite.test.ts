import { createDecipheriv, createHmac } from "node:crypto";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  type Bytes,
  concatBytes,
  isMedcloudletError,
  randomBytes,
  toHex,
  utf8,
} from "../../../host/base/index.ts";
import { loadNtru } from "../../../host/ntru/index.ts";
import { createNtruX25519Kem } from "../../../host/sealing/hybrid-kem.ts";
import { createSealingSuite, type Recipient, type SealingSuite } from "../../../host/sealing/index.ts";
import type { Sealed } from "../../../host/sealing/suite.ts";
import { codeOf, flipped, loadSuite, rejectionOf } from "./fixtures.ts";

const INFO = utf8("what it is for");
const AAD = utf8("what goes with it");
const PLAINTEXT = utf8("what is sealed");

let suite: SealingSuite;
let privateKey: Bytes;
let recipient: Recipient;
let sealed: Sealed;
beforeAll(async () => {
  suite = await loadSuite();
  privateKey = randomBytes(32);
  recipient = await suite.recipient(privateKey);
  sealed = await suite.seal(recipient.publicKey, INFO, AAD, PLAINTEXT);
});

/** The error of an opening, as everything that a caller could tell one failure from another by. */
async function failureOf(opening: Promise<unknown>): Promise<string> {
  try {
    await opening;
  } catch (error) {
    if (isMedcloudletError(error)) {
      const { code, message, status, details } = error;
      return JSON.stringify({ code, message, status, details });
    }
    throw error;
  }
  return "opened";
}

const THE_FAILURE = JSON.stringify({
  code: "SEALED_OPEN_FAILED",
  message: "The sealed data could not be opened.",
  status: 422,
  details: {},
});

describe("the sealing suite", () => {
  it("opens what it sealed, of any length", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 500 }),
        fc.uint8Array({ maxLength: 50 }),
        fc.uint8Array({ maxLength: 50 }),
        async (plaintext, info, aad) => {
          const parts = [plaintext, info, aad].map((bytes) => new Uint8Array(bytes)) as [Bytes, Bytes, Bytes];
          const message = await suite.seal(recipient.publicKey, parts[1], parts[2], parts[0]);
          expect(message.enc).toHaveLength(suite.encBytes);
          expect(message.ciphertext).toHaveLength(plaintext.length + 16);
          expect(await recipient.open(message, parts[1], parts[2])).toEqual(parts[0]);
        },
      ),
      { numRuns: 30 },
    );
  });

  it("takes a key pair from 32 bytes, and again the same from the same", async () => {
    const pair = await suite.generateKeyPair();
    expect(pair.privateKey).toHaveLength(32);
    expect(pair.publicKey).toHaveLength(suite.publicKeyBytes);
    const again = await suite.recipient(pair.privateKey);
    expect(again.publicKey).toEqual(pair.publicKey);
    const message = await suite.seal(pair.publicKey, INFO, AAD, PLAINTEXT);
    expect(await again.open(message, INFO, AAD)).toEqual(PLAINTEXT);
    expect((await suite.generateKeyPair()).privateKey).not.toEqual(pair.privateKey);
  });

  it("never seals the same twice", async () => {
    const again = await suite.seal(recipient.publicKey, INFO, AAD, PLAINTEXT);
    expect(toHex(again.enc)).not.toBe(toHex(sealed.enc));
    expect(toHex(again.ciphertext)).not.toBe(toHex(sealed.ciphertext));
  });

  it("fails with one and the same error for every changed byte", async () => {
    const changes: [Sealed, Bytes, Bytes][] = [];
    for (let at = 0; at < sealed.enc.length; at++) {
      changes.push([{ ...sealed, enc: flipped(sealed.enc, at, at % 8) }, INFO, AAD]);
    }
    for (let at = 0; at < sealed.ciphertext.length; at++) {
      changes.push([{ ...sealed, ciphertext: flipped(sealed.ciphertext, at, at % 8) }, INFO, AAD]);
    }
    for (let at = 0; at < INFO.length; at++) {
      changes.push([sealed, flipped(INFO, at), AAD]);
    }
    for (let at = 0; at < AAD.length; at++) {
      changes.push([sealed, INFO, flipped(AAD, at)]);
    }
    const failures = new Set<string>();
    for (const [message, info, aad] of changes) {
      failures.add(await failureOf(recipient.open(message, info, aad)));
    }
    expect([...failures]).toEqual([THE_FAILURE]);
    expect(changes.length).toBeGreaterThan(1000);
  });

  it("fails with that same error for wrong lengths, a point of small order and another recipient", async () => {
    const { enc, ciphertext } = sealed;
    const smallOrder = concatBytes(enc.subarray(0, 930), new Uint8Array(32));
    const messages: Sealed[] = [
      { enc: smallOrder, ciphertext },
      { enc: enc.slice(0, -1), ciphertext },
      { enc: concatBytes(enc, Uint8Array.of(0)), ciphertext },
      { enc: new Uint8Array(), ciphertext },
      { enc, ciphertext: ciphertext.slice(0, -1) },
      { enc, ciphertext: concatBytes(ciphertext, Uint8Array.of(0)) },
      { enc, ciphertext: ciphertext.slice(0, 15) },
      { enc, ciphertext: new Uint8Array() },
    ];
    for (const message of messages) {
      expect(await failureOf(recipient.open(message, INFO, AAD))).toBe(THE_FAILURE);
    }
    const other = await suite.recipient(randomBytes(32));
    expect(await failureOf(other.open(sealed, INFO, AAD))).toBe(THE_FAILURE);
    expect(await failureOf(recipient.open(sealed, AAD, INFO))).toBe(THE_FAILURE);
    expect(await recipient.open(sealed, INFO, AAD)).toEqual(PLAINTEXT);
  });

  it("refuses keys of the wrong length", async () => {
    expect(await rejectionOf(suite.recipient(new Uint8Array(31)))).toBe("SEALING_KEY_LENGTH");
    expect(await rejectionOf(suite.recipient(new Uint8Array(33)))).toBe("SEALING_KEY_LENGTH");
    expect(await rejectionOf(suite.seal(recipient.publicKey.slice(1), INFO, AAD, PLAINTEXT))).toBe(
      "SEALING_KEY_LENGTH",
    );
  });

  it("is made of its own NTRU set and no other", async () => {
    const other = await loadNtru("ntruhrss701");
    expect(codeOf(() => createSealingSuite(other))).toBe("SEALING_SUITE_MISMATCH");
  });

  it("does not let a caller change its public key", async () => {
    const own = await suite.recipient(privateKey);
    own.publicKey.fill(0);
    expect(await own.open(sealed, INFO, AAD)).toEqual(PLAINTEXT);
  });
});

describe("the key schedule", () => {
  const KEM = 0x4e58;
  const KDF_HKDF_SHA256 = 1;
  const AEAD_AES_256_GCM = 2;
  const suiteId = Buffer.concat([
    Buffer.from("HPKE"),
    Buffer.from([KEM >> 8, KEM & 255, 0, KDF_HKDF_SHA256, 0, AEAD_AES_256_GCM]),
  ]);

  /** RFC 9180, section 4: LabeledExtract and LabeledExpand over RFC 5869 with SHA-256. */
  function labeledExtract(salt: Uint8Array, label: string, ikm: Uint8Array): Buffer {
    return createHmac("sha256", salt)
      .update(Buffer.concat([Buffer.from("HPKE-v1"), suiteId, Buffer.from(label), ikm]))
      .digest();
  }
  function labeledExpand(key: Uint8Array, label: string, info: Uint8Array, length: number): Buffer {
    const labeled = Buffer.concat([
      Buffer.from([0, length]),
      Buffer.from("HPKE-v1"),
      suiteId,
      Buffer.from(label),
      info,
    ]);
    // One block of SHA-256 holds every length asked for here.
    return createHmac("sha256", key)
      .update(Buffer.concat([labeled, Buffer.from([1])]))
      .digest()
      .subarray(0, length);
  }

  it("is that of RFC 9180 in base mode with KEM 0x4e58, HKDF-SHA256 and AES-256-GCM", async () => {
    const kem = createNtruX25519Kem(await loadNtru("ntruhps2048677"));
    const sharedSecret = new Uint8Array(
      await kem.decap({
        recipientKey: await kem.deserializePrivateKey(privateKey),
        enc: sealed.enc.slice().buffer,
      }),
    );
    // Section 5.1: KeySchedule(mode_base, shared_secret, info, "", ""); section 5.2: the first nonce is the base.
    const none = new Uint8Array();
    const context = Buffer.concat([
      Buffer.from([0]),
      labeledExtract(none, "psk_id_hash", none),
      labeledExtract(none, "info_hash", INFO),
    ]);
    const secret = labeledExtract(sharedSecret, "secret", none);
    const key = labeledExpand(secret, "key", context, 32);
    const nonce = labeledExpand(secret, "base_nonce", context, 12);

    const decipher = createDecipheriv("aes-256-gcm", key, nonce);
    decipher.setAAD(AAD);
    decipher.setAuthTag(sealed.ciphertext.subarray(-16));
    const plaintext = Buffer.concat([decipher.update(sealed.ciphertext.subarray(0, -16)), decipher.final()]);
    expect(plaintext.toString()).toBe("what is sealed");
  });
});
