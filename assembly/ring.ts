/**
 * Arithmetic in R = Z[x]/(x^n - 1) and modulo Phi_n = 1 + x + ... + x^(n-1).
 *
 * A polynomial is PADDED 16-bit words at a multiple of 16 bytes; the words from n on are zero. Arithmetic
 * modulo q is arithmetic modulo 2^16 whose upper bits nobody looks at: masks are applied where a value leaves
 * the ring. Ternary polynomials hold -1, 0 and 1. All coefficients are secret unless said otherwise.
 */
import { TOEPLITZ, WORK } from "./arena";
import { HRSS, LOG_Q, N, SENT } from "./params";
import { PADDED, POLY_BYTES } from "./plan";
import { multiplyToeplitz } from "./toeplitz";
import { sumOfLanes } from "./vector";

/** Makes the words from n on zero again. */
@inline
function clearTail(a: usize): void {
  memory.fill(a + 2 * N, 0, 2 * (PADDED - N));
}

/** Lays out two periods of b: t_d = b[d mod n] for -PADDED <= d < PADDED. */
function unroll(b: usize): void {
  const origin = TOEPLITZ + POLY_BYTES;
  memory.copy(origin - 2 * PADDED, b + 2 * (2 * N - PADDED), 2 * (PADDED - N));
  memory.copy(origin - 2 * N, b, 2 * N);
  memory.copy(origin, b, 2 * N);
  memory.copy(origin + 2 * N, b, 2 * (PADDED - N));
}

/**
 * c = a b in R, as c_i = sum of t_(i-j) a_j. At least the LOG_Q lower bits of a coefficient are right, and
 * the others may be anything (plan.ts): enough modulo q, and for integers from -q/2 to q/2 - 1, as the
 * product of two polynomials with coefficients -1, 0 and 1 has. `c` may be `a` or `b`.
 */
export function multiply(c: usize, a: usize, b: usize): void {
  unroll(b);
  multiplyToeplitz(0, POLY_BYTES, c, TOEPLITZ, a, WORK);
  clearTail(c);
}

/** a := -a modulo 2^16. */
export function negate(a: usize): void {
  for (let i: usize = 0; i < 2 * PADDED; i += 16) {
    v128.store(a + i, i16x8.neg(v128.load(a + i)));
  }
}

/** a := a + b. */
export function add(a: usize, b: usize): void {
  for (let i: usize = 0; i < 2 * PADDED; i += 16) {
    v128.store(a + i, i16x8.add(v128.load(a + i), v128.load(b + i)));
  }
}

/** a := a - b. */
export function subtract(a: usize, b: usize): void {
  for (let i: usize = 0; i < 2 * PADDED; i += 16) {
    v128.store(a + i, i16x8.sub(v128.load(a + i), v128.load(b + i)));
  }
}

/** a := the representative modulo Phi_n with n - 1 coefficients: subtract the last one from all. */
export function reducePhi(a: usize): void {
  const last = v128.load16_splat(a + 2 * SENT);
  for (let i: usize = 0; i < 2 * PADDED; i += 16) {
    v128.store(a + i, i16x8.sub(v128.load(a + i), last));
  }
  clearTail(a);
}

/**
 * v modulo 3 in {-1, 0, 1} for lanes in [-8192, 8192]: 10923/32768 is 1/3 within 1.1e-5, so the rounding
 * product is the integer nearest to v/3.
 */
@inline
function modulo3(v: v128): v128 {
  const third = i16x8.q15mulr_sat_s(v, i16x8.splat(10923));
  return i16x8.sub(v, i16x8.mul(third, i16x8.splat(3)));
}

/**
 * a := a modulo (3, Phi_n), where a is read modulo q as the integers from -q/2 to q/2 - 1.
 * Products of two ternary polynomials stay below q/2 in every set, so this reduces them as well.
 */
export function reduce3(a: usize): void {
  for (let i: usize = 0; i < 2 * PADDED; i += 16) {
    const centred = i16x8.shr_s(i16x8.shl(v128.load(a + i), 16 - LOG_Q), 16 - LOG_Q);
    v128.store(a + i, modulo3(centred));
  }
  const last = v128.load16_splat(a + 2 * SENT);
  for (let i: usize = 0; i < 2 * PADDED; i += 16) {
    v128.store(a + i, modulo3(i16x8.sub(v128.load(a + i), last)));
  }
  clearTail(a);
}

/** a := (x - 1) a in R. */
function timesXMinusOne(a: usize): void {
  const last = i16x8.splat(load<i16>(a + 2 * SENT));
  for (let i: usize = 2 * PADDED - 16; i > 0; i -= 16) {
    v128.store(a + i, i16x8.sub(v128.load(a + i - 2), v128.load(a + i)));
  }
  const first = v128.load(a);
  v128.store(a, i16x8.sub(i16x8.shuffle(last, first, 0, 8, 9, 10, 11, 12, 13, 14), first));
  clearTail(a);
}

/** a := 3 a (HPS) or 3 (x - 1) a (HRSS): from the sampled g to the one in the key. */
export function scaleG(a: usize): void {
  if (HRSS) {
    timesXMinusOne(a);
  }
  for (let i: usize = 0; i < 2 * PADDED; i += 16) {
    v128.store(a + i, i16x8.mul(v128.load(a + i), i16x8.splat(3)));
  }
}

/** The sums of lanes i to 7 in lane i. */
@inline
function sumsToEnd(x: v128): v128 {
  const zero = i16x8.splat(0);
  x = i16x8.add(x, i16x8.shuffle(x, zero, 1, 2, 3, 4, 5, 6, 7, 8));
  x = i16x8.add(x, i16x8.shuffle(x, zero, 2, 3, 4, 5, 6, 7, 8, 8));
  return i16x8.add(x, i16x8.shuffle(x, zero, 4, 5, 6, 7, 8, 8, 8, 8));
}

/**
 * a := Lift(a) for a ternary modulo Phi_n: a itself (HPS), or (x - 1) b with the ternary b = a/(x - 1) modulo
 * (3, Phi_n) (HRSS).
 *
 * For HRSS, a + s Phi_n is a multiple of x - 1 modulo 3 when s = -a(1)/n; n is 2 modulo 3 in both sets, thus
 * s = a(1). Dividing by x - 1 from the top gives b_(i-1) = b_i + a_i + s: sums below 2n, which fit a lane and
 * are reduced apart. Coefficient i of the result is b_(i-1) - b_i, where b_(-1) is b_(n-1) = 0.
 */
export function lift(a: usize): void {
  if (!HRSS) {
    return;
  }
  let ones = i16x8.splat(0);
  for (let i: usize = 0; i < 2 * PADDED; i += 16) {
    ones = i16x8.add(ones, v128.load(a + i));
  }
  const s = modulo3(i16x8.splat(<i16>sumOfLanes(ones)));

  // n is 5 modulo 8: five lanes of the last vector count.
  let own = v128.and(s, i16x8(-1, -1, -1, -1, -1, 0, 0, 0));
  let sums = i16x8.splat(0);
  let later = sums;
  for (let i: isize = 2 * (N - 5); i >= 0; i -= 16) {
    const above = i16x8.shuffle(sums, sums, 0, 0, 0, 0, 0, 0, 0, 0);
    sums = i16x8.add(sumsToEnd(i16x8.add(v128.load(a + i), own)), above);
    const b = modulo3(sums);
    v128.store(a + i, i16x8.sub(b, i16x8.shuffle(b, later, 1, 2, 3, 4, 5, 6, 7, 8)));
    own = s;
    later = b;
  }
  store<i16>(a, load<i16>(a) - i16x8.extract_lane_s(later, 0));
}
