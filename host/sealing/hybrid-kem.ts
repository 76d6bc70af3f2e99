import type { KemId, KemInterface, RecipientContextParams, SenderContextParams } from "@hpke/common";
import { sha3_256, shake256 } from "@noble/hashes/sha3.js";
import { type Bytes, concatBytes, MedcloudletError, randomBytes, utf8 } from "../base/index.ts";
import type { Ntru } from "../ntru/index.ts";
import {
  generateX25519Pair,
  importX25519PrivateKey,
  importX25519PublicKey,
  X25519_BYTES,
  x25519,
} from "./x25519.ts";

/**
 * KEM identifier inside the HPKE key schedule. It is ours: the IANA HPKE registry knows no NTRU. Two peers agree
 * on it through the suite byte of the sealed batch.
 */
export const NTRU_X25519_KEM_ID = 0x4e58;

/** A private key is a seed, as in X-Wing: 32 bytes to wrap instead of 1.3 KB, and nothing malformed to import. */
export const HYBRID_SEED_BYTES = 32;

const EXPAND_LABEL = utf8("medcloudlet NtruX25519 v1 expand");
const DERIVE_LABEL = utf8("medcloudlet NtruX25519 v1 derive");
const COMBINE_LABEL = utf8("medcloudlet NtruX25519 v1 combine");
const ALGORITHM = { name: "NtruX25519" };

class HybridPublicKey implements CryptoKey {
  readonly type = "public";
  readonly extractable = true;
  readonly algorithm = ALGORITHM;
  readonly usages: KeyUsage[] = [];
  readonly bytes: Bytes;

  constructor(bytes: Bytes) {
    this.bytes = bytes;
  }
}

class HybridPrivateKey implements CryptoKey {
  readonly type = "private";
  readonly extractable = true;
  readonly algorithm = ALGORITHM;
  readonly usages: KeyUsage[] = ["deriveBits"];
  readonly seed: Bytes;
  readonly ntruSecretKey: Bytes;
  readonly x25519Key: CryptoKey;
  readonly publicKey: HybridPublicKey;

  constructor(seed: Bytes, ntruSecretKey: Bytes, x25519Key: CryptoKey, publicKey: HybridPublicKey) {
    this.seed = seed;
    this.ntruSecretKey = ntruSecretKey;
    this.x25519Key = x25519Key;
    this.publicKey = publicKey;
  }
}

function publicKeyOf(key: CryptoKey): HybridPublicKey {
  if (!(key instanceof HybridPublicKey)) {
    throw new MedcloudletError("SEALING_KEY_TYPE", "Expected an NTRU-X25519 public key.", { status: 400 });
  }
  return key;
}

function privateKeyOf(key: CryptoKey): HybridPrivateKey {
  if (!(key instanceof HybridPrivateKey)) {
    throw new MedcloudletError("SEALING_KEY_TYPE", "Expected an NTRU-X25519 private key.", { status: 400 });
  }
  return key;
}

/** The public key that belongs to an imported private key. */
export function hybridPublicKeyBytes(privateKey: CryptoKey): Bytes {
  return privateKeyOf(privateKey).publicKey.bytes.slice();
}

/** Copies whatever byte container HPKE hands over into bytes of our own. */
function toBytes(source: ArrayBufferLike | ArrayBufferView): Bytes {
  if (ArrayBuffer.isView(source)) {
    return new Uint8Array(source.buffer, source.byteOffset, source.byteLength).slice();
  }
  return new Uint8Array(source).slice();
}

function wrongLength(what: string, expected: number, actual: number): MedcloudletError {
  return new MedcloudletError("SEALING_KEY_LENGTH", `A ${what} has ${expected} bytes, not ${actual}.`, {
    status: 400,
  });
}

/**
 * The hybrid KEM of NTRU and X25519 as RFC 9180 wants one (section 4), for `@hpke/core`.
 *
 * The shared secret is SHA3-256(label | ss_ntru | ss_x25519 | ct_ntru | ct_x25519 | pk_ntru | pk_x25519); every
 * field has a fixed length. Both public keys and both ciphertexts are hashed in because NTRU's own secret binds
 * neither: without them one ciphertext could open to the same key under two recipients. The secret stays safe
 * while either of the two problems stays hard.
 */
export function createNtruX25519Kem(ntru: Ntru): KemInterface {
  const { publicKeyBytes, ciphertextBytes, sampleFgBytes } = ntru.parameters;
  const publicKeySize = publicKeyBytes + X25519_BYTES;
  const encSize = ciphertextBytes + X25519_BYTES;

  const expand = async (seed: Bytes): Promise<HybridPrivateKey> => {
    const ntruSeedBytes = sampleFgBytes + 32;
    const stream = shake256(concatBytes(EXPAND_LABEL, seed), { dkLen: ntruSeedBytes + X25519_BYTES });
    const ntruPair = ntru.generateKeyPair(stream.subarray(0, ntruSeedBytes));
    const x25519Pair = await importX25519PrivateKey(stream.slice(ntruSeedBytes));
    stream.fill(0);
    const publicKey = new HybridPublicKey(concatBytes(ntruPair.publicKey, x25519Pair.publicKey));
    return new HybridPrivateKey(seed, ntruPair.secretKey, x25519Pair.privateKey, publicKey);
  };

  const combine = (
    ntruSecret: Uint8Array,
    x25519Secret: Uint8Array,
    enc: Uint8Array,
    publicKey: Uint8Array,
  ): ArrayBuffer => {
    const input = concatBytes(COMBINE_LABEL, ntruSecret, x25519Secret, enc, publicKey);
    const secret = new Uint8Array(sha3_256(input));
    input.fill(0);
    return secret.buffer;
  };

  const deserializePublicKey = async (source: ArrayBufferLike | ArrayBufferView): Promise<CryptoKey> => {
    const bytes = toBytes(source);
    if (bytes.length !== publicKeySize) {
      throw wrongLength("public key", publicKeySize, bytes.length);
    }
    return new HybridPublicKey(bytes);
  };

  const deserializePrivateKey = async (source: ArrayBufferLike | ArrayBufferView): Promise<CryptoKey> => {
    const seed = toBytes(source);
    if (seed.length !== HYBRID_SEED_BYTES) {
      throw wrongLength("private key", HYBRID_SEED_BYTES, seed.length);
    }
    return expand(seed);
  };

  const pairOf = async (seed: Bytes): Promise<CryptoKeyPair> => {
    const privateKey = await expand(seed);
    return { privateKey, publicKey: privateKey.publicKey };
  };

  return {
    id: NTRU_X25519_KEM_ID as KemId,
    secretSize: 32,
    encSize,
    publicKeySize,
    privateKeySize: HYBRID_SEED_BYTES,
    serializePublicKey: async (key) => publicKeyOf(key).bytes.slice().buffer,
    deserializePublicKey,
    serializePrivateKey: async (key) => privateKeyOf(key).seed.slice().buffer,
    deserializePrivateKey,
    importKey: async (format, key, isPublic = true) => {
      if (format !== "raw" || !(key instanceof ArrayBuffer)) {
        throw new MedcloudletError("SEALING_KEY_TYPE", "Only raw keys can be imported.", { status: 400 });
      }
      return isPublic ? deserializePublicKey(key) : deserializePrivateKey(key);
    },
    generateKeyPair: () => pairOf(randomBytes(HYBRID_SEED_BYTES)),
    deriveKeyPair: (ikm) =>
      pairOf(new Uint8Array(shake256(concatBytes(DERIVE_LABEL, toBytes(ikm)), { dkLen: HYBRID_SEED_BYTES }))),

    async encap(params: SenderContextParams) {
      if (params.ekm !== undefined || params.senderKey !== undefined) {
        throw new MedcloudletError("SEALING_MODE", "Only the base mode with fresh randomness is offered.");
      }
      const recipient = publicKeyOf(params.recipientPublicKey).bytes;
      const ntruPart = ntru.encapsulate(recipient.subarray(0, publicKeyBytes));
      const recipientX25519 = await importX25519PublicKey(recipient.slice(publicKeyBytes));
      const ephemeral = await generateX25519Pair();
      const x25519Secret = await x25519(ephemeral.privateKey, recipientX25519);
      const enc = concatBytes(ntruPart.ciphertext, ephemeral.publicKey);
      return {
        sharedSecret: combine(ntruPart.sharedSecret, x25519Secret, enc, recipient),
        enc: enc.buffer,
      };
    },

    async decap(params: RecipientContextParams) {
      const given = params.recipientKey;
      const key = privateKeyOf("privateKey" in given ? given.privateKey : given);
      const enc = toBytes(params.enc);
      if (enc.length !== encSize) {
        throw wrongLength("encapsulated key", encSize, enc.length);
      }
      const ntruSecret = ntru.decapsulate(key.ntruSecretKey, enc.subarray(0, ciphertextBytes));
      const ephemeral = await importX25519PublicKey(enc.slice(ciphertextBytes));
      const x25519Secret = await x25519(key.x25519Key, ephemeral);
      return combine(ntruSecret, x25519Secret, enc, key.publicKey.bytes);
    },
  };
}
