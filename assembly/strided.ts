/**
 * Polynomials over the fields of two and three elements for the inversions, one coefficient a bit, spread
 * over VECTORS vectors so that multiplying by x moves whole vectors.
 *
 * Coefficient i = 2 VECTORS b + VECTORS l + k is bit b of the 64-bit lane l of vector k. Times x, vector k
 * becomes vector k + 1, and only the last one changes on its way to the place of vector 0: lane 0 becomes
 * lane 1, and lane 1, moved up by one bit, lane 0. Vectors that stay where they are while the address of
 * vector 0 goes down by one place are free: a polynomial that is to be shifted lies in a window, which is
 * moved back to the start of its room after each BATCH steps.
 */
import { N } from "./params";

/** Vectors that hold n bits: what overflows them on multiplication by x is lost. */
export const VECTORS: i32 = (N + 127) / 128;
/** Division steps between two moves of the windows. */
export const BATCH: i32 = 32;

/**
 * Half the vectors, where that is a whole number, hold polynomials of half the length: v and w at the
 * start, and what still matters of f and g in the end.
 */
export const NARROW: i32 = VECTORS % 2 == 0 ? VECTORS / 2 : VECTORS;
/**
 * Steps for which they are enough: v and w have no more coefficients than steps that were done, and f and
 * g do not matter beyond the number of steps that are left.
 */
export const NARROW_STEPS: i32 = NARROW < VECTORS ? 128 * NARROW : 0;

const LANES: i32 = 2 * VECTORS;

/** A vector of the last place, times x, for the first: lane 1 moved up by a bit, then lane 0. */
@inline
export function upAround(last: v128): v128 {
  return i64x2.shuffle(i64x2.shl(last, 1), last, 1, 2);
}

/** A vector of the first place, divided by x, for the last: lane 1, then lane 0 without its bit 0. */
@inline
export function downAround(first: v128): v128 {
  return i64x2.shuffle(first, i64x2.shr_u(first, 1), 1, 2);
}

/** The bits with even numbers of each lane, in its lower half. */
@inline
function squeezed(x: v128): v128 {
  x = v128.and(x, i64x2.splat(0x5555555555555555));
  x = v128.and(v128.or(x, i64x2.shr_u(x, 1)), i64x2.splat(0x3333333333333333));
  x = v128.and(v128.or(x, i64x2.shr_u(x, 2)), i64x2.splat(0x0f0f0f0f0f0f0f0f));
  x = v128.and(v128.or(x, i64x2.shr_u(x, 4)), i64x2.splat(0x00ff00ff00ff00ff));
  x = v128.and(v128.or(x, i64x2.shr_u(x, 8)), i64x2.splat(0x0000ffff0000ffff));
  return v128.and(v128.or(x, i64x2.shr_u(x, 16)), i64x2.splat(0x00000000ffffffff));
}

/** The lower half of each lane, spread to the bits with even numbers. */
@inline
function stretched(x: v128): v128 {
  x = v128.and(x, i64x2.splat(0x00000000ffffffff));
  x = v128.and(v128.or(x, i64x2.shl(x, 16)), i64x2.splat(0x0000ffff0000ffff));
  x = v128.and(v128.or(x, i64x2.shl(x, 8)), i64x2.splat(0x00ff00ff00ff00ff));
  x = v128.and(v128.or(x, i64x2.shl(x, 4)), i64x2.splat(0x0f0f0f0f0f0f0f0f));
  x = v128.and(v128.or(x, i64x2.shl(x, 2)), i64x2.splat(0x3333333333333333));
  return v128.and(v128.or(x, i64x2.shl(x, 1)), i64x2.splat(0x5555555555555555));
}

/**
 * From NARROW to VECTORS vectors. Bit b of lane l of place k was coefficient k + NARROW (2b + l): lane 0 is
 * place k now and lane 1 place k + NARROW, their even bits in lane 0 and their odd ones in lane 1.
 */
export function widen(plane: usize, distance: i32): void {
  for (let at = plane; at < plane + distance * NARROW; at += distance) {
    const x = v128.load(at);
    const halved = i64x2.shr_u(x, 1);
    v128.store(at, squeezed(i64x2.shuffle(x, halved, 0, 2)));
    v128.store(at + distance * NARROW, squeezed(i64x2.shuffle(x, halved, 1, 3)));
  }
}

/** The reverse, where the upper half of the coefficients is lost. */
export function narrow(plane: usize, distance: i32): void {
  for (let at = plane; at < plane + distance * NARROW; at += distance) {
    const x = stretched(v128.load(at));
    const y = stretched(v128.load(at + distance * NARROW));
    const odd = i64x2.shuffle(x, y, 1, 3);
    v128.store(at, v128.or(i64x2.shuffle(x, y, 0, 2), i64x2.shl(odd, 1)));
  }
}

/** All ones when the constant coefficient is 1, else zero. */
@inline
export function constantMask(first: v128): v128 {
  return i32x4.shr_s(i32x4.shl(i32x4.shuffle(first, first, 0, 0, 0, 0), 31), 31);
}

/** Delta after a step: 1 + delta, and 1 - delta where the polynomials were exchanged. */
@inline
export function nextDelta(delta: v128, swap: v128): v128 {
  // All ones, which is -1, is a constant that the engine makes in one instruction.
  return i32x4.sub(i32x4.sub(v128.xor(delta, swap), swap), i32x4.splat(-1));
}

/** Of the coefficients below `length`, how many lie in a 64-bit lane: `lane` is l VECTORS + k. */
function bitsOf(lane: i32, length: i32): i32 {
  return (length - lane + LANES - 1) / LANES;
}

/** Address of a 64-bit lane; vectors are `distance` bytes apart. */
@inline
function laneAt(plane: usize, lane: i32, distance: i32): usize {
  return plane + (lane < VECTORS ? lane * distance : (lane - VECTORS) * distance + 8);
}

/** The coefficients below `length` in a 64-bit lane, all ones. */
@inline
function onesOf(lane: i32, length: i32): u64 {
  return <u64>-1 >> (64 - bitsOf(lane, length));
}

/** Sets the coefficients below n: all of Phi_n are 1. */
export function setPhi(plane: usize, distance: i32): void {
  for (let lane: i32 = 0; lane < LANES; lane++) {
    store<u64>(laneAt(plane, lane, distance), onesOf(lane, N));
  }
}

/**
 * Gathers bit `bit` of the first `length` 16-bit coefficients at `a`, last one first: the reversal of a.
 * Each is changed by `flip`, which is 0 or all ones. Places from `length` on become zero.
 */
export function gatherReversed(
  plane: usize,
  distance: i32,
  a: usize,
  length: i32,
  bit: i32,
  flip: u64,
): void {
  for (let lane: i32 = 0; lane < LANES; lane++) {
    const count = bitsOf(lane, length);
    let word: u64 = 0;
    let from = a + 2 * (length - 1 - lane - LANES * (count - 1));
    for (let b = 0; b < count; b++) {
      word = (word << 1) | <u64>((<u32>load<u16>(from) >> bit) & 1);
      from += 2 * LANES;
    }
    store<u64>(laneAt(plane, lane, distance), word ^ (flip & onesOf(lane, length)));
  }
}

/**
 * The first `length` 16-bit coefficients at `a` := 0 or 1 from the plane, last one first. With `signs` the
 * plane of the minus ones, 16 bytes behind, is subtracted twice.
 */
@inline
export function scatterReversed(a: usize, plane: usize, distance: i32, length: i32, signs: bool): void {
  for (let lane: i32 = 0; lane < LANES; lane++) {
    const at = laneAt(plane, lane, distance);
    let word = load<u64>(at);
    let minus = signs ? load<u64>(at, 16) : 0;
    let to = a + 2 * (length - 1 - lane);
    for (let b = bitsOf(lane, length); b > 0; b--) {
      store<u16>(to, <u16>((word & 1) - ((minus & 1) << 1)));
      word >>= 1;
      minus >>= 1;
      to -= 2 * LANES;
    }
  }
}
