import { KECCAK_STATE } from "./arena";
import { keccakF1600 } from "./keccak";

/** Bytes that a permutation absorbs: 1600 bits less twice the 256 bits of output (FIPS 202, section 6.1). */
const RATE: i32 = 136;

/**
 * SHA3-256 of `length` bytes at `input` into 32 bytes at `output`.
 * The length is public, the bytes may be secret.
 */
export function sha3(output: usize, input: usize, length: i32): void {
  memory.fill(KECCAK_STATE, 0, 200);
  while (length >= RATE) {
    for (let i: usize = 0; i < <usize>RATE; i += 8) {
      store<u64>(KECCAK_STATE + i, load<u64>(KECCAK_STATE + i) ^ load<u64>(input + i));
    }
    keccakF1600();
    input += RATE;
    length -= RATE;
  }
  for (let i = 0; i < length; i++) {
    store<u8>(KECCAK_STATE + i, load<u8>(KECCAK_STATE + i) ^ load<u8>(input + i));
  }
  // The suffix 01 of SHA-3, then the first and the last bit of the padding.
  store<u8>(KECCAK_STATE + length, load<u8>(KECCAK_STATE + length) ^ 0x06);
  store<u8>(KECCAK_STATE, load<u8>(KECCAK_STATE, RATE - 1) ^ 0x80, RATE - 1);
  keccakF1600();
  memory.copy(output, KECCAK_STATE, 32);
}
