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
