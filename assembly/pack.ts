/**
 * Polynomials as bytes (NTRU round-3 specification): coefficients modulo q as a string of LOG_Q bits each,
 * low bits first; ternary ones five to a byte in base 3. Only the first n - 1 coefficients are stored.
 */
import { CIPHERTEXT_BYTES, LOG_Q, Q_MASK, SENT, TRITS_BYTES } from "./params";
import { POLY_BYTES } from "./plan";

/** Bits of the last byte that no coefficient uses. */
const UNUSED_BITS: i32 = 8 * CIPHERTEXT_BYTES - LOG_Q * SENT;

/** Writes the first n - 1 coefficients of `a` modulo q; the unused bits of the last byte are zero. */
export function packQ(bytes: usize, a: usize): void {
  let gathered: u64 = 0;
  let bits = 0;
  for (let i: usize = 0; i < 2 * SENT; i += 2) {
    gathered |= <u64>(<i32>load<u16>(a + i) & Q_MASK) << bits;
    bits += LOG_Q;
    if (bits >= 32) {
      store<u32>(bytes, <u32>gathered);
      bytes += 4;
      gathered >>= 32;
      bits -= 32;
    }
  }
  for (; bits > 0; bits -= 8) {
    store<u8>(bytes++, <u8>gathered);
    gathered >>= 8;
  }
}

/**
 * Reads n - 1 coefficients modulo q; the last one becomes zero: an element modulo Phi_n. Ignores unused bits.
 */
export function unpackQ(a: usize, bytes: usize): void {
  memory.fill(a, 0, POLY_BYTES);
  for (let i: i32 = 0; i < SENT; i++) {
    const bit = i * LOG_Q;
    store<u16>(a + 2 * i, <u16>((load<u32>(bytes + (bit >> 3)) >> (bit & 7)) & Q_MASK));
  }
}

/** Reads n - 1 coefficients modulo q; the last one makes the sum zero: a multiple of x - 1 in R. */
export function unpackSumZero(a: usize, bytes: usize): void {
  unpackQ(a, bytes);
  let sum: i32 = 0;
  for (let i: usize = 0; i < 2 * SENT; i += 2) {
    sum += load<u16>(a + i);
  }
  store<u16>(a + 2 * SENT, <u16>-sum);
}

/** Not zero when a bit of the ciphertext that no coefficient uses is set. */
export function unusedBits(ciphertext: usize): u32 {
  return (<u32>load<u8>(ciphertext + CIPHERTEXT_BYTES - 1) << UNUSED_BITS) >> 8;
}

/** Writes the first n - 1 coefficients of the ternary `a`. */
export function packTrits(bytes: usize, a: usize): void {
  for (let i: i32 = 0; i < TRITS_BYTES; i++) {
    let byte: i32 = 0;
    // Coefficients from n - 1 on are zero, which fills up the last byte.
    for (let k: i32 = 4; k >= 0; k--) {
      const trit: i32 = load<i16>(a + 10 * i + 2 * k);
      byte = 3 * byte + ((trit & 1) ^ ((trit >> 1) & 3));
    }
    store<u8>(bytes + i, <u8>byte);
  }
}

/**
 * Reads n - 1 ternary coefficients. Bytes above 242, which packTrits never writes, give some ternary ones
 * too.
 */
export function unpackTrits(a: usize, bytes: usize): void {
  memory.fill(a, 0, POLY_BYTES);
  for (let i: i32 = 0; i < TRITS_BYTES; i++) {
    let byte: i32 = load<u8>(bytes + i);
    const count = min(5, SENT - 5 * i);
    for (let k: i32 = 0; k < count; k++) {
      // 171/512 instead of a division, whose time might depend on the secret; exact below 256.
      const third = (byte * 171) >> 9;
      const digit = byte - 3 * third;
      store<i16>(a + 10 * i + 2 * k, <i16>(digit - 3 * (digit >> 1)));
      byte = third;
    }
  }
}
