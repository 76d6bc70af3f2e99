/**
 * Inversion modulo (3, Phi_n) by the division steps of invert2.ts. A polynomial is two bit planes: which
 * coefficients are not zero, and which of those are -1. All bits are secret: conditions are masks.
 */
import { PLANE_BYTES, PLANES } from "./arena";
import { setPhi } from "./invert2";
import { SENT } from "./params";
import { POLY_BYTES } from "./plan";

const F: usize = PLANES;
const F_MINUS: usize = F + PLANE_BYTES;
const G: usize = F_MINUS + PLANE_BYTES;
const G_MINUS: usize = G + PLANE_BYTES;
const V: usize = G_MINUS + PLANE_BYTES;
const V_MINUS: usize = V + PLANE_BYTES;
const W: usize = V_MINUS + PLANE_BYTES;
const W_MINUS: usize = W + PLANE_BYTES;

/** Planes of a + b for planes (a, aMinus) and (b, bMinus): which coefficients are not zero ... */
// @ts-ignore: decorator
@inline
function sumNonzero(a: u64, aMinus: u64, b: u64, bMinus: u64): u64 {
  // Opposite signs cancel.
  return (a | b) ^ (a & b & (aMinus ^ bMinus));
}

/** ... and which of those, given as `nonzero`, are -1: 1 + 1 and any single -1. */
// @ts-ignore: decorator
@inline
function sumMinus(a: u64, aMinus: u64, b: u64, bMinus: u64, nonzero: u64): u64 {
  return nonzero & ((aMinus | bMinus) ^ (a & b));
}

/**
 * Swaps (f, v) with (g, w) where `swap` is all ones, then adds c f to g and c v to w, where c is 0 when
 * `nonzero` is zero, else -1 when `minus` is all ones, else 1.
 */
function step(swap: u64, nonzero: u64, minus: u64): void {
  let carry: u64 = 0;
  let carryMinus: u64 = 0;
  let lower: u64 = 0;
  let lowerMinus: u64 = 0;
  for (let i: usize = 0; i < <usize>PLANE_BYTES; i += 8) {
    let a = load<u64>(V + i);
    let aMinus = load<u64>(V_MINUS + i);
    // v is multiplied by x before the exchange.
    const shifted = (a << 1) | carry;
    const shiftedMinus = (aMinus << 1) | carryMinus;
    carry = a >> 63;
    carryMinus = aMinus >> 63;
    let b = load<u64>(W + i);
    let bMinus = load<u64>(W_MINUS + i);
    let exchange = (shifted ^ b) & swap;
    let exchangeMinus = (shiftedMinus ^ bMinus) & swap;
    a = shifted ^ exchange;
    aMinus = shiftedMinus ^ exchangeMinus;
    b ^= exchange;
    bMinus ^= exchangeMinus;
    store<u64>(V + i, a);
    store<u64>(V_MINUS + i, aMinus);
    a &= nonzero;
    aMinus = (aMinus ^ minus) & a;
    let sum = sumNonzero(a, aMinus, b, bMinus);
    store<u64>(W + i, sum);
    store<u64>(W_MINUS + i, sumMinus(a, aMinus, b, bMinus, sum));

    a = load<u64>(F + i);
    aMinus = load<u64>(F_MINUS + i);
    b = load<u64>(G + i);
    bMinus = load<u64>(G_MINUS + i);
    exchange = (a ^ b) & swap;
    exchangeMinus = (aMinus ^ bMinus) & swap;
    a ^= exchange;
    aMinus ^= exchangeMinus;
    b ^= exchange;
    bMinus ^= exchangeMinus;
    store<u64>(F + i, a);
    store<u64>(F_MINUS + i, aMinus);
    a &= nonzero;
    aMinus = (aMinus ^ minus) & a;
    sum = sumNonzero(a, aMinus, b, bMinus);
    const minusSum = sumMinus(a, aMinus, b, bMinus, sum);
    // g is divided by x at the end: a word is complete when the next one is known.
    if (i > 0) {
      store<u64>(G + i - 8, (lower >> 1) | (sum << 63));
      store<u64>(G_MINUS + i - 8, (lowerMinus >> 1) | (minusSum << 63));
    }
    lower = sum;
    lowerMinus = minusSum;
  }
  store<u64>(G + PLANE_BYTES - 8, lower >> 1);
  store<u64>(G_MINUS + PLANE_BYTES - 8, lowerMinus >> 1);
}

/**
 * inverse := 1/a modulo (3, Phi_n), for ternary a with a_(n-1) = 0; both in {-1, 0, 1}. The inverse of 0 is
 * 0.
 */
export function invert3(inverse: usize, a: usize): void {
  memory.fill(PLANES, 0, 8 * PLANE_BYTES);
  setPhi(F);
  store<u64>(W, 1);
  for (let i: i32 = 0; i < SENT; i++) {
    const trit: i32 = load<i16>(a + 2 * i);
    const place = SENT - 1 - i;
    const word = 8 * (place >> 6);
    const shift = place & 63;
    store<u64>(G + word, load<u64>(G + word) | (<u64>(trit & 1) << shift));
    store<u64>(G_MINUS + word, load<u64>(G_MINUS + word) | (<u64>((trit >> 1) & 1) << shift));
  }

  let delta: i64 = 1;
  for (let steps = 0; steps < 2 * SENT - 1; steps++) {
    // The constant coefficient of f is never zero, so c = -g_0/f_0 has the sign -g_0 f_0, swapped or not.
    const nonzero: i64 = -(load<i64>(G) & 1);
    const minus: i64 = -((load<i64>(G_MINUS) ^ load<i64>(F_MINUS) ^ 1) & 1);
    const swap: i64 = (-delta >> 63) & nonzero;
    delta = (delta ^ swap) - swap + 1;
    step(swap, nonzero, minus);
  }

  // f is a constant now, 1 or -1: v/f = v f.
  const sign: i64 = load<i64>(F_MINUS) & 1;
  memory.fill(inverse, 0, POLY_BYTES);
  for (let i: i32 = 0; i < SENT; i++) {
    const place = SENT - 1 - i;
    const word = 8 * (place >> 6);
    const nonzero = <i32>(load<i64>(V + word) >> (place & 63)) & 1;
    const minus = <i32>((load<i64>(V_MINUS + word) >> (place & 63)) ^ sign) & nonzero;
    store<i16>(inverse + 2 * i, <i16>(nonzero - 2 * minus));
  }
}
