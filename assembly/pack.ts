/**
 * Polynomials as bytes (NTRU round-3 specification): coefficients modulo q as a string of LOG_Q bits each,
 * low bits first; ternary ones five to a byte in base 3. Only the first n - 1 coefficients are stored.
 *
 * Eight coefficients make LOG_Q bytes, and n - 1 is 4 modulo 8 in every set: the last vector counts half.
 */
import { CIPHERTEXT_BYTES, LOG_Q, Q_MASK, SENT, TRITS_BYTES } from "./params";
import { POLY_BYTES } from "./plan";
import { sumOfLanes, tritsOfFractions } from "./vector";

/** Bits of the last byte that no coefficient uses. */
const UNUSED_BITS: i32 = 8 * CIPHERTEXT_BYTES - LOG_Q * SENT;
/** Bytes in memory of the coefficients that fill whole vectors, and of all vectors that are not zero. */
const WHOLE: usize = 2 * (SENT - 4);
const USED: usize = WHOLE + 16;

/** Four coefficients below q from each half of a vector, packed to the low 4 LOG_Q bits of each half. */
@inline
function packHalves(x: v128): v128 {
  const reduced = v128.and(x, i16x8.splat(<i16>Q_MASK));
  // Pairs of neighbours: the first plus 2^LOG_Q times the second.
  const pairs = i32x4.dot_i16x8_s(reduced, i32x4.splat(1 | (1 << (16 + LOG_Q))));
  const second = i64x2.shl(i64x2.shr_u(pairs, 32), 2 * LOG_Q);
  return v128.or(v128.and(pairs, i64x2.splat(0xffffffff)), second);
}

/**
 * Writes the first n - 1 coefficients of `a` modulo q; the unused bits of the last byte are zero, as are up
 * to two bytes behind it.
 */
export function packQ(bytes: usize, a: usize): void {
  for (let i: usize = 0; i < WHOLE; i += 16) {
    const halves = packHalves(v128.load(a + i));
    const high = i64x2.extract_lane(halves, 1);
    store<u64>(bytes, i64x2.extract_lane(halves, 0) | (high << (4 * LOG_Q)));
    // What follows overwrites the bytes that are too many.
    store<u64>(bytes, <u64>high >> (64 - 4 * LOG_Q), 8);
    bytes += LOG_Q;
  }
  store<u64>(bytes, i64x2.extract_lane(packHalves(v128.load(a + WHOLE)), 0));
}

// The first of the bytes that coefficient k of eight touches.
const AT_1: u8 = <u8>((1 * LOG_Q) >> 3);
const AT_2: u8 = <u8>((2 * LOG_Q) >> 3);
const AT_3: u8 = <u8>((3 * LOG_Q) >> 3);
const AT_4: u8 = <u8>((4 * LOG_Q) >> 3);
const AT_5: u8 = <u8>((5 * LOG_Q) >> 3);
const AT_6: u8 = <u8>((6 * LOG_Q) >> 3);
const AT_7: u8 = <u8>((7 * LOG_Q) >> 3);

/** 2^(7 - s) where s is the bit in its first byte at which coefficient k of eight starts. */
@inline
function alignment(k: i32): i32 {
  return 1 << (7 - ((k * LOG_Q) & 7));
}

/** Eight coefficients from the first LOG_Q of 16 bytes. */
@inline
function unpackEight(x: v128): v128 {
  // Each coefficient touches at most four bytes; a multiplication brings it to bit 7 of its lane.
  const low = i8x16.shuffle(x, x, 
    0, 1, 2, 3,
    AT_1, AT_1 + 1, AT_1 + 2, AT_1 + 3,
    AT_2, AT_2 + 1, AT_2 + 2, AT_2 + 3,
    AT_3, AT_3 + 1, AT_3 + 2, AT_3 + 3,
  );
  const high = i8x16.shuffle(x, x, 
    AT_4, AT_4 + 1, AT_4 + 2, AT_4 + 3,
    AT_5, AT_5 + 1, AT_5 + 2, AT_5 + 3,
    AT_6, AT_6 + 1, AT_6 + 2, AT_6 + 3,
    AT_7, AT_7 + 1, AT_7 + 2, AT_7 + 3,
  );
  const lowAligned = i32x4.mul(low, i32x4(alignment(0), alignment(1), alignment(2), alignment(3)));
  const highAligned = i32x4.mul(high, i32x4(alignment(4), alignment(5), alignment(6), alignment(7)));
  const mask = i32x4.splat(Q_MASK);
  return i16x8.narrow_i32x4_u(
    v128.and(i32x4.shr_u(lowAligned, 7), mask),
    v128.and(i32x4.shr_u(highAligned, 7), mask),
  );
}

/**
 * Reads n - 1 coefficients modulo q; the last one becomes zero: an element modulo Phi_n. Ignores unused bits.
 */
export function unpackQ(a: usize, bytes: usize): void {
  for (let i: usize = 0; i < USED; i += 16) {
    v128.store(a + i, unpackEight(v128.load(bytes)));
    bytes += LOG_Q;
  }
  memory.fill(a + 2 * SENT, 0, POLY_BYTES - 2 * SENT);
}

/** Reads n - 1 coefficients modulo q; the last one makes the sum zero: a multiple of x - 1 in R. */
export function unpackSumZero(a: usize, bytes: usize): void {
  unpackQ(a, bytes);
  let sum = i16x8.splat(0);
  for (let i: usize = 0; i < USED; i += 16) {
    sum = i16x8.add(sum, v128.load(a + i));
  }
  // Modulo 2^16, which q divides.
  store<u16>(a + 2 * SENT, <u16>-sumOfLanes(sum));
}

/** Not zero when a bit of the ciphertext that no coefficient uses is set. */
export function unusedBits(ciphertext: usize): u32 {
  return (<u32>load<u8>(ciphertext + CIPHERTEXT_BYTES - 1) << UNUSED_BITS) >> 8;
}

/** The values of five trits at `a` in base 3, with 0, 1, 2 for 0, 1, -1, as a sum of the lanes. */
@inline
function packFive(a: usize): v128 {
  const trits = v128.load(a);
  const digits = i16x8.add(trits, v128.and(i16x8.shr_s(trits, 15), i16x8.splat(3)));
  return i32x4.dot_i16x8_s(digits, i16x8(1, 3, 9, 27, 81, 0, 0, 0));
}

/** Four bytes from the twenty trits at `a`. */
@inline
function packTwenty(a: usize): u32 {
  const x0 = packFive(a);
  const x1 = packFive(a + 10);
  const x2 = packFive(a + 20);
  const x3 = packFive(a + 30);
  // Lane 3 is always zero: add lanes 0 and 2, then lane 1.
  const x01 = i32x4.add(i32x4.shuffle(x0, x1, 0, 4, 1, 5), i32x4.shuffle(x0, x1, 2, 6, 3, 7));
  const x23 = i32x4.add(i32x4.shuffle(x2, x3, 0, 4, 1, 5), i32x4.shuffle(x2, x3, 2, 6, 3, 7));
  const sums = i32x4.add(i64x2.shuffle(x01, x23, 0, 2), i64x2.shuffle(x01, x23, 1, 3));
  const words = i16x8.narrow_i32x4_u(sums, sums);
  return <u32>i32x4.extract_lane(i8x16.narrow_i16x8_u(words, words), 0);
}

/**
 * Writes the first n - 1 coefficients of the ternary `a`, whose others are zero and fill up the last byte.
 */
export function packTrits(bytes: usize, a: usize): void {
  for (let i = 0; i < (TRITS_BYTES & ~3); i += 4) {
    store<u32>(bytes + i, packTwenty(a + 10 * i));
  }
  let last = (TRITS_BYTES & 3) > 0 ? packTwenty(a + 10 * (TRITS_BYTES & ~3)) : 0;
  for (let i = TRITS_BYTES & ~3; i < TRITS_BYTES; i++) {
    store<u8>(bytes + i, <u8>last);
    last >>= 8;
  }
}

// 2^16/3^(k+1), rounded up: a byte times this, modulo 2^16, has digit k in front of the binary point when
// multiplied by 3.
const THIRD_0: i16 = 21846;
const THIRD_1: i16 = 7282;
const THIRD_2: i16 = 2428;
const THIRD_3: i16 = 810;
const THIRD_4: i16 = 270;

/**
 * The forty coefficients in eight bytes: coefficient i is digit i mod 5 of byte i div 5, which a shuffle with
 * zeros brings to its lane.
 */
@inline
function unpackForty(a: usize, bytes: v128): void {
  const zero = i8x16.splat(0);
  const spread0 = i8x16.shuffle(bytes, zero, 0, 16, 0, 16, 0, 16, 0, 16, 0, 16, 1, 16, 1, 16, 1, 16);
  const scale0 = i16x8(THIRD_0, THIRD_1, THIRD_2, THIRD_3, THIRD_4, THIRD_0, THIRD_1, THIRD_2);
  v128.store(a, tritsOfFractions(i16x8.mul(spread0, scale0)), 0);
  const spread1 = i8x16.shuffle(bytes, zero, 1, 16, 1, 16, 2, 16, 2, 16, 2, 16, 2, 16, 2, 16, 3, 16);
  const scale1 = i16x8(THIRD_3, THIRD_4, THIRD_0, THIRD_1, THIRD_2, THIRD_3, THIRD_4, THIRD_0);
  v128.store(a, tritsOfFractions(i16x8.mul(spread1, scale1)), 16);
  const spread2 = i8x16.shuffle(bytes, zero, 3, 16, 3, 16, 3, 16, 3, 16, 4, 16, 4, 16, 4, 16, 4, 16);
  const scale2 = i16x8(THIRD_1, THIRD_2, THIRD_3, THIRD_4, THIRD_0, THIRD_1, THIRD_2, THIRD_3);
  v128.store(a, tritsOfFractions(i16x8.mul(spread2, scale2)), 32);
  const spread3 = i8x16.shuffle(bytes, zero, 4, 16, 5, 16, 5, 16, 5, 16, 5, 16, 5, 16, 6, 16, 6, 16);
  const scale3 = i16x8(THIRD_4, THIRD_0, THIRD_1, THIRD_2, THIRD_3, THIRD_4, THIRD_0, THIRD_1);
  v128.store(a, tritsOfFractions(i16x8.mul(spread3, scale3)), 48);
  const spread4 = i8x16.shuffle(bytes, zero, 6, 16, 6, 16, 6, 16, 7, 16, 7, 16, 7, 16, 7, 16, 7, 16);
  const scale4 = i16x8(THIRD_2, THIRD_3, THIRD_4, THIRD_0, THIRD_1, THIRD_2, THIRD_3, THIRD_4);
  v128.store(a, tritsOfFractions(i16x8.mul(spread4, scale4)), 64);
}

/**
 * Reads n - 1 ternary coefficients, forty from eight bytes at a time, and writes up to 16 bytes behind the
 * polynomial. Bytes above 242, which packTrits never writes, give some ternary ones too.
 *
 * Digit k of a byte B is the integer part of 3 {B/3^(k+1)}; with fractions of 16 bits that is right for all
 * bytes, because the error of at most 255 is less than 2^16/3^5.
 */
export function unpackTrits(a: usize, bytes: usize): void {
  for (let i: usize = 0; i < USED; i += 80) {
    unpackForty(a + i, v128.load64_zero(bytes));
    bytes += 8;
  }
  memory.fill(a + 2 * SENT, 0, POLY_BYTES - 2 * SENT);
}
