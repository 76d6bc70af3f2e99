/** Short names for vectors of eight coefficients modulo 2^16. */

@inline
export function sum(a: v128, b: v128): v128 {
  return i16x8.add(a, b);
}

@inline
export function difference(a: v128, b: v128): v128 {
  return i16x8.sub(a, b);
}

@inline
export function times(a: v128, factor: i16): v128 {
  return i16x8.mul(a, i16x8.splat(factor));
}

/** 2^k a. */
@inline
export function shifted(a: v128, k: i32): v128 {
  return i16x8.shl(a, k);
}

// Inverses modulo 2^16, for divisions that are known to be exact.
export const INVERSE_3: i16 = -21845;
export const INVERSE_9: i16 = -29127;
export const INVERSE_15: i16 = -4369;
export const INVERSE_45: i16 = 20389;
export const INVERSE_315: i16 = 12275;

/** The sum of all lanes modulo 2^16. */
@inline
export function sumOfLanes(x: v128): i32 {
  const fours = i16x8.add(x, i16x8.shuffle(x, x, 4, 5, 6, 7, 0, 1, 2, 3));
  const twos = i16x8.add(fours, i16x8.shuffle(fours, fours, 2, 3, 0, 1, 6, 7, 4, 5));
  return i16x8.extract_lane_s(i16x8.add(twos, i16x8.shuffle(twos, twos, 1, 0, 3, 2, 5, 4, 7, 6)), 0);
}

/** 0, 1 or -1 for fractions of 2^16 from 0, 1/3 or 2/3 on. */
@inline
export function tritsOfFractions(x: v128): v128 {
  const one = i16x8.gt_u(x, i16x8.splat(21845));
  const two = i16x8.gt_u(x, i16x8.splat(-21846));
  // The masks are -1 where they are set.
  return i16x8.sub(i16x8.add(two, two), one);
}
