/**
 * The key encapsulation with implicit rejection (NTRU round-3 specification). The host fills and reads the
 * arena.
 */
import {
  CIPHERTEXT,
  MESSAGE,
  REJECTION_SECRET,
  SECRET_KEY,
  SEED,
  SHARED_SECRET,
} from "./arena";
import { decrypt, encrypt, keyPair } from "./owcpa";
import {
  CIPHERTEXT_BYTES,
  MESSAGE_BYTES,
  PAIR_SEED_BYTES,
  REJECTION_KEY_BYTES,
  SECRET_KEY_BYTES,
  SHARED_SECRET_BYTES,
} from "./params";
import { sha3, sha3Pair } from "./sha3";

const REJECTION_KEY: usize = SECRET_KEY + SECRET_KEY_BYTES - REJECTION_KEY_BYTES;

/** SEED (sampling bytes, then the rejection key) to PUBLIC_KEY and SECRET_KEY. */
export function generateKeyPair(): void {
  keyPair();
  memory.copy(REJECTION_KEY, SEED + PAIR_SEED_BYTES, REJECTION_KEY_BYTES);
}

/** SEED (sampling bytes) and PUBLIC_KEY to CIPHERTEXT and SHARED_SECRET. */
export function encapsulate(): void {
  encrypt();
  sha3(SHARED_SECRET, MESSAGE, MESSAGE_BYTES);
}

/**
 * SECRET_KEY and CIPHERTEXT to SHARED_SECRET: the hash of (r, m), or for a ciphertext that nobody made by the
 * rules the hash of (rejection key || ciphertext). Both are always computed, and which one is taken is
 * secret.
 */
export function decapsulate(): void {
  const wrong = decrypt();
  sha3Pair(
    SHARED_SECRET,
    MESSAGE,
    MESSAGE_BYTES,
    REJECTION_SECRET,
    REJECTION_KEY,
    REJECTION_KEY_BYTES + CIPHERTEXT_BYTES,
  );

  // All ones when `wrong` is not zero, spread over a vector: bitselect cannot turn into a branch.
  const reject = i32x4.splat(<i32>(wrong | (0 - wrong)) >> 31);
  for (let i: usize = 0; i < <usize>SHARED_SECRET_BYTES; i += 16) {
    const own = v128.load(SHARED_SECRET + i);
    v128.store(SHARED_SECRET + i, v128.bitselect(v128.load(REJECTION_SECRET + i), own, reject));
  }
}
