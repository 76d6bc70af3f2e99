import { KECCAK_STATE } from "./arena";
import { keccakF1600, keccakF1600Pair } from "./keccak";

/** Bytes that a permutation absorbs: 1600 bits less twice the 256 bits of output (FIPS 202, section 6.1). */
const RATE: i32 = 136;

/** Absorbs the end of a message, shorter than RATE, with its padding; lanes are 2^shift bytes apart. */
function absorbEnd(state: usize, shift: usize, input: usize, length: i32): void {
  const words = length & ~7;
  for (let i = 0; i < words; i += 8) {
    const at = byteOfLane(state, shift, i);
    store<u64>(at, load<u64>(at) ^ load<u64>(input + i));
  }
  for (let i = words; i < length; i++) {
    const at = byteOfLane(state, shift, i);
    store<u8>(at, load<u8>(at) ^ load<u8>(input + i));
  }
  // The suffix 01 of SHA-3, then the first and the last bit of the padding.
  const end = byteOfLane(state, shift, length);
  store<u8>(end, load<u8>(end) ^ 0x06);
  const last = byteOfLane(state, shift, RATE - 1);
  store<u8>(last, load<u8>(last) ^ 0x80);
}

@inline
function byteOfLane(state: usize, shift: usize, i: i32): usize {
  return state + ((<usize>i >> 3) << shift) + (<usize>i & 7);
}

/**
 * SHA3-256 of `length` bytes at `input` into 32 bytes at `output`.
 * The length is public, the bytes may be secret.
 */
export function sha3(output: usize, input: usize, length: i32): void {
  memory.fill(KECCAK_STATE, 0, 200);
  finish(output, input, length);
}

/** Absorbs the rest of a message into the state and writes its hash. */
function finish(output: usize, input: usize, length: i32): void {
  while (length >= RATE) {
    for (let i: usize = 0; i < <usize>RATE; i += 8) {
      store<u64>(KECCAK_STATE + i, load<u64>(KECCAK_STATE + i) ^ load<u64>(input + i));
    }
    keccakF1600();
    input += RATE;
    length -= RATE;
  }
  absorbEnd(KECCAK_STATE, 3, input, length);
  keccakF1600();
  memory.copy(output, KECCAK_STATE, 32);
}

/**
 * SHA3-256 of two messages side by side: `length` bytes at `input` into `output`, and the longer one,
 * `length2` bytes at `input2`, into `output2`. It must have at least one block more.
 */
export function sha3Pair(
  output: usize,
  input: usize,
  length: i32,
  output2: usize,
  input2: usize,
  length2: i32,
): void {
  memory.fill(KECCAK_STATE, 0, 400);
  while (true) {
    for (let i: usize = 0; i < <usize>RATE; i += 8) {
      const at = KECCAK_STATE + 2 * i;
      const second = load<u64>(input2 + i);
      if (length >= RATE) {
        store<u64>(at, load<u64>(at) ^ load<u64>(input + i));
      }
      store<u64>(at, load<u64>(at, 8) ^ second, 8);
    }
    input2 += RATE;
    length2 -= RATE;
    if (length < RATE) {
      break;
    }
    keccakF1600Pair();
    input += RATE;
    length -= RATE;
  }
  absorbEnd(KECCAK_STATE, 4, input, length);
  keccakF1600Pair();
  for (let i: usize = 0; i < 32; i += 8) {
    store<u64>(output + i, load<u64>(KECCAK_STATE + 2 * i));
  }
  // The second state, alone from here on.
  for (let i: usize = 0; i < 200; i += 8) {
    store<u64>(KECCAK_STATE + i, load<u64>(KECCAK_STATE + 2 * i, 8));
  }
  finish(output2, input2, length2);
}
