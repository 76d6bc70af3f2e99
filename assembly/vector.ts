/** Short names for vectors of eight coefficients modulo 2^16. */

// @ts-ignore: decorator
@inline
export function sum(a: v128, b: v128): v128 {
  return i16x8.add(a, b);
}

// @ts-ignore: decorator
@inline
export function difference(a: v128, b: v128): v128 {
  return i16x8.sub(a, b);
}

// @ts-ignore: decorator
@inline
export function times(a: v128, factor: i16): v128 {
  return i16x8.mul(a, i16x8.splat(factor));
}

/** 2^k a. */
// @ts-ignore: decorator
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
