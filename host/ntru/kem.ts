import type { Bytes } from "../base/index.ts";
import {
  badRequest,
  isAllZero,
  requireCiphertext,
  requireCount,
  requireEach,
  requireLength,
  requirePublicKey,
  requireSecretKey,
} from "./checks.ts";
import type { NtruParameters } from "./parameters.ts";

/** What assembly/index.ts exports: constants, the three operations on the arena, and the wipe. */
export interface NtruModuleExports extends Record<string, unknown> {
  readonly memory: WebAssembly.Memory;
  readonly N: WebAssembly.Global<"i32">;
  readonly LOG_Q: WebAssembly.Global<"i32">;
  readonly SEED: WebAssembly.Global<"i32">;
  readonly PUBLIC_KEY: WebAssembly.Global<"i32">;
  readonly SECRET_KEY: WebAssembly.Global<"i32">;
  readonly CIPHERTEXT: WebAssembly.Global<"i32">;
  readonly SHARED_SECRET: WebAssembly.Global<"i32">;
  generateKeyPair(): void;
  encapsulate(): void;
  decapsulate(): void;
  wipe(): void;
}

/** A fresh key pair: `publicKeyBytes` and `secretKeyBytes` of the set. */
export interface NtruKeyPair {
  readonly publicKey: Bytes;
  readonly secretKey: Bytes;
}

/** A shared secret of 32 bytes and the ciphertext that carries it. */
export interface NtruEncapsulation {
  readonly ciphertext: Bytes;
  readonly sharedSecret: Bytes;
}

/**
 * The NTRU key encapsulation for one parameter set. Calls are synchronous, results are copies of the caller's own,
 * and after each call nothing of it is left in the module's memory.
 */
export interface Ntru {
  readonly parameters: NtruParameters;
  /**
   * A key pair from fresh randomness, or from `seed`: `sampleFgBytes`, then the 32 bytes of the rejection key.
   * @throws MedcloudletError `NTRU_SEED_LENGTH`, `NTRU_SEED_DEGENERATE`
   */
  generateKeyPair(seed?: Uint8Array): NtruKeyPair;
  /**
   * A shared secret for the owner of `publicKey`, from fresh randomness or from `seed` of `sampleRmBytes`.
   *
   * One key has one spelling: a public key whose unused last bits are set is refused, and so is the key of all zero
   * coefficients, which would send half of the plaintext in the clear. (The reference code takes both.)
   * @throws MedcloudletError `NTRU_PUBLIC_KEY_LENGTH`, `NTRU_PUBLIC_KEY_INVALID`, `NTRU_SEED_LENGTH`
   */
  encapsulate(publicKey: Uint8Array, seed?: Uint8Array): NtruEncapsulation;
  /**
   * The 32-byte shared secret of `ciphertext`. A ciphertext of the right length never fails: one that no
   * encapsulation made gives SHA3-256(rejection key || ciphertext), which no one else can tell from a secret.
   * @throws MedcloudletError `NTRU_SECRET_KEY_LENGTH`, `NTRU_CIPHERTEXT_LENGTH`
   */
  decapsulate(secretKey: Uint8Array, ciphertext: Uint8Array): Bytes;
  /**
   * `count` key pairs from fresh randomness.
   * @throws MedcloudletError `NTRU_COUNT_INVALID`
   */
  generateKeyPairs(count: number): NtruKeyPair[];
  /**
   * One encapsulation for each public key, in their order. All keys are checked before the first is used; the
   * error has the place of the bad one in `details.index`.
   * @throws MedcloudletError `NTRU_PUBLIC_KEY_LENGTH`, `NTRU_PUBLIC_KEY_INVALID`
   */
  encapsulateMany(publicKeys: readonly Uint8Array[]): NtruEncapsulation[];
  /**
   * The shared secrets of many ciphertexts for one key, in their order; checked like `encapsulateMany`.
   * @throws MedcloudletError `NTRU_SECRET_KEY_LENGTH`, `NTRU_CIPHERTEXT_LENGTH`
   */
  decapsulateMany(secretKey: Uint8Array, ciphertexts: readonly Uint8Array[]): Bytes[];
}

const REJECTION_KEY_BYTES = 32;

/** Binds the exports of a compiled module to the KEM of its parameter set; load.ts has checked that they match. */
export function bindNtru(parameters: NtruParameters, exports: NtruModuleExports): Ntru {
  const address = {
    seed: exports.SEED.value,
    publicKey: exports.PUBLIC_KEY.value,
    secretKey: exports.SECRET_KEY.value,
    ciphertext: exports.CIPHERTEXT.value,
    sharedSecret: exports.SHARED_SECRET.value,
  };

  // One view for all calls, as making one costs as much as copying a key: the module cannot grow its memory, which
  // would empty the view, and nobody else has it.
  const memory = new Uint8Array(exports.memory.buffer as ArrayBuffer);
  const write = (offset: number, bytes: Uint8Array) => memory.set(bytes, offset);
  const read = (offset: number, length: number): Bytes => memory.slice(offset, offset + length);
  const writeSeed = (seed: Uint8Array | undefined, length: number) => {
    if (seed === undefined) {
      // Straight into the arena: no copy of the randomness stays behind on the JavaScript side.
      crypto.getRandomValues(memory.subarray(address.seed, address.seed + length));
      return;
    }
    write(address.seed, seed);
  };

  const seedBytes = parameters.sampleFgBytes + REJECTION_KEY_BYTES;

  const ntru: Ntru = {
    parameters,

    generateKeyPair(seed) {
      if (seed !== undefined) {
        requireLength(seed, seedBytes, "NTRU_SEED_LENGTH", "seed of a key pair");
      }
      try {
        writeSeed(seed, seedBytes);
        exports.generateKeyPair();
        const publicKey = read(address.publicKey, parameters.publicKeyBytes);
        // h = 0 when f or g is 0, and only then: never from honest randomness.
        if (isAllZero(publicKey)) {
          throw badRequest(
            "NTRU_SEED_DEGENERATE",
            "The seed gives no key pair; draw it from a random source.",
          );
        }
        return { publicKey, secretKey: read(address.secretKey, parameters.secretKeyBytes) };
      } finally {
        exports.wipe();
      }
    },

    encapsulate(publicKey, seed) {
      requirePublicKey(parameters, publicKey);
      if (seed !== undefined) {
        requireLength(seed, parameters.sampleRmBytes, "NTRU_SEED_LENGTH", "seed of an encapsulation");
      }
      try {
        write(address.publicKey, publicKey);
        writeSeed(seed, parameters.sampleRmBytes);
        exports.encapsulate();
        return {
          ciphertext: read(address.ciphertext, parameters.ciphertextBytes),
          sharedSecret: read(address.sharedSecret, parameters.sharedSecretBytes),
        };
      } finally {
        exports.wipe();
      }
    },

    decapsulate(secretKey, ciphertext) {
      requireSecretKey(parameters, secretKey);
      requireCiphertext(parameters, ciphertext);
      try {
        write(address.secretKey, secretKey);
        write(address.ciphertext, ciphertext);
        exports.decapsulate();
        return read(address.sharedSecret, parameters.sharedSecretBytes);
      } finally {
        exports.wipe();
      }
    },

    generateKeyPairs(count) {
      requireCount(count);
      return Array.from({ length: count }, () => ntru.generateKeyPair());
    },

    encapsulateMany(publicKeys) {
      requireEach(publicKeys, (publicKey) => requirePublicKey(parameters, publicKey));
      return publicKeys.map((publicKey) => ntru.encapsulate(publicKey));
    },

    decapsulateMany(secretKey, ciphertexts) {
      requireSecretKey(parameters, secretKey);
      requireEach(ciphertexts, (ciphertext) => requireCiphertext(parameters, ciphertext));
      return ciphertexts.map((ciphertext) => ntru.decapsulate(secretKey, ciphertext));
    },
  };
  return ntru;
}
