/**
 * Toeplitz matrix times vector, c_i = sum of t_(i-j) a_j modulo 2^16, by the steps that plan.ts chooses:
 * Karatsuba and Toom-Cook, transposed ("TMVP"). In this form a product in Z[x]/(x^n - 1) needs neither a
 * double-length result nor a reduction at the end.
 *
 * A matrix of m rows is given by the address of t_(-m), with 2m coefficients behind it. Sizes are in bytes of
 * a vector. The matrix cut into D by D parts of h rows consists of T_0, ..., T_(2D-2): T_k starts k h behind
 * t_(-m). With e_k = a_(D-1-k), the parts of a backwards, part i of c is the sum over k of T_(i+k) e_k.
 *
 * Toom-D writes T_k = sum over points p of p^k u_p (at infinity: 1 for k = 2D - 2, else 0), which is what
 * interpolation at 2D - 1 points does with input and output exchanged. Then part i of c is the sum over p of
 * p^i u_p E(p), where E(p) is the sum of p^k e_k: a product of size h for each point.
 *
 * With M(x) = product of (x - p) over the finite points, u_p is M(x)/(x - p), read with T_k in place of x^k,
 * divided by M'(p), and at infinity M(x) so read. The divisors go to E(p), which is shorter. Their odd parts
 * have inverses modulo 2^16; their powers of two become a division by 2^L of the result, for which E(p) is
 * multiplied by 2^L/M'(p). That division is exact, but the L upper bits of the quotient are lost: plan.ts
 * counts them.
 *
 * All numbers may be secret; sizes and levels are not. `c` may be `a` in every step.
 */
import { multiplyBlock } from "./block";
import { STEP_0, STEP_1, STEP_2, STEP_3 } from "./plan";
import { toom4 } from "./toom4";
import { toom5 } from "./toom5";
import { difference, INVERSE_3, shifted, sum, times } from "./vector";

/** Whether the plan has steps of this kind: those of other kinds are not compiled. */
@inline
function uses(step: i32): bool {
  return STEP_0 == step || STEP_1 == step || STEP_2 == step || STEP_3 == step;
}

@inline
function stepOf(level: i32): i32 {
  return level == 0 ? STEP_0 : level == 1 ? STEP_1 : level == 2 ? STEP_2 : level == 3 ? STEP_3 : 0;
}

/**
 * c := the matrix t times a, by the steps from `level` on, of which there is one; `work` is free memory (plan.ts).
 * Whoever may be at the bottom calls the block directly: blocks are so short that a detour by here shows.
 */
export function multiplyToeplitz(level: i32, size: usize, c: usize, t: usize, a: usize, work: usize): void {
  const step = stepOf(level);
  if (uses(2) && step == 2) {
    karatsuba(level, size / 2, c, t, a, work);
  } else if (uses(3) && step == 3) {
    toom3(level, size / 3, c, t, a, work);
  } else if (uses(4) && step == 4) {
    toom4(level, size / 4, c, t, a, work);
  } else if (uses(5) && step == 5) {
    toom5(level, size / 5, c, t, a, work);
  }
}

/**
 * The products of the `count` pairs (matrix at `u`, vector at `e`), each of size h and one behind the other;
 * they take the places of the vectors.
 */
export function multiplyAll(level: i32, h: usize, count: usize, e: usize, u: usize): void {
  const work = u + 2 * count * h;
  for (let k: usize = 0; k < count; k++) {
    if (stepOf(level) == 0) {
      multiplyBlock(e, u, e);
    } else {
      multiplyToeplitz(level, h, e, u, e, work);
    }
    e += h;
    u += 2 * h;
  }
}

/**
 * c_0 = P + (T_0 - T_1) a_1 and c_1 = P + (T_2 - T_1) a_0 with P = T_1 (a_0 + a_1). Loses no bits. T_1, a_0 and
 * a_1 are used where they lie.
 */
function karatsuba(level: i32, h: usize, c: usize, t: usize, a: usize, work: usize): void {
  const at1 = t + h;
  const at2 = t + 2 * h;
  const u0 = work + 3 * h;
  const u1 = u0 + 2 * h;
  const free = u1 + 2 * h;
  for (let i: usize = 0; i < 2 * h; i += 16) {
    const t1 = v128.load(at1 + i);
    v128.store(u0 + i, difference(v128.load(t + i), t1));
    v128.store(u1 + i, difference(v128.load(at2 + i), t1));
  }
  const a1 = a + h;
  for (let i: usize = 0; i < h; i += 16) {
    v128.store(work + i, sum(v128.load(a + i), v128.load(a1 + i)));
  }
  const v0 = work + h;
  const v1 = work + 2 * h;
  if (stepOf(level + 1) == 0) {
    multiplyBlock(work, at1, work);
    multiplyBlock(v0, u0, a1);
    multiplyBlock(v1, u1, a);
  } else {
    multiplyToeplitz(level + 1, h, work, at1, work, free);
    multiplyToeplitz(level + 1, h, v0, u0, a1, free);
    multiplyToeplitz(level + 1, h, v1, u1, a, free);
  }
  for (let i: usize = 0; i < h; i += 16) {
    const p = v128.load(work + i);
    v128.store(c + i, sum(p, v128.load(v0 + i)));
    v128.store(c + h + i, sum(p, v128.load(v1 + i)));
  }
}

/**
 * Points 0, 1, -1, 2 and infinity; L = 1. M(x) = x (x^2 - 1) (x - 2), and 2/M'(p) is 1, -1, -1/3, 1/3; the
 * sign at 1 is left to the end.
 */
function toom3(level: i32, h: usize, c: usize, t: usize, a: usize, work: usize): void {
  const u = work + 5 * h;
  // Where the matrices lie: in the loop, the engine would add this up anew for every vector.
  const at1 = t + h;
  const at2 = t + 2 * h;
  const at3 = t + 3 * h;
  const at4 = t + 4 * h;
  const plusOne = u + 2 * h;
  const minusOne = u + 4 * h;
  const atTwo = u + 6 * h;
  const infinity = u + 8 * h;
  for (let i: usize = 0; i < 2 * h; i += 16) {
    const t1 = v128.load(at1 + i);
    const t2 = v128.load(at2 + i);
    const low = difference(t2, v128.load(t + i));
    const middle = difference(v128.load(at3 + i), t1);
    const high = difference(v128.load(at4 + i), t2);
    v128.store(u + i, difference(middle, shifted(low, 1)));
    v128.store(plusOne + i, difference(middle, sum(t1, t2)));
    v128.store(minusOne + i, difference(middle, times(difference(t2, t1), 3)));
    v128.store(atTwo + i, middle);
    v128.store(infinity + i, difference(high, shifted(middle, 1)));
  }
  for (let i: usize = 0; i < h; i += 16) {
    const e0 = v128.load(a + 2 * h + i);
    const e1 = v128.load(a + h + i);
    const e2 = v128.load(a + i);
    const even = sum(e0, e2);
    v128.store(work + i, e0);
    v128.store(work + h + i, sum(even, e1));
    v128.store(work + 2 * h + i, times(difference(e1, even), INVERSE_3));
    v128.store(work + 3 * h + i, times(sum(e0, shifted(sum(e1, shifted(e2, 1)), 1)), INVERSE_3));
    v128.store(work + 4 * h + i, shifted(e2, 1));
  }
  multiplyAll(level + 1, h, 5, work, u);
  for (let i: usize = 0; i < h; i += 16) {
    const plus = v128.load(work + h + i);
    const minus = v128.load(work + 2 * h + i);
    const two = v128.load(work + 3 * h + i);
    const even = difference(minus, plus);
    const odd = sum(minus, plus);
    const c0 = sum(sum(v128.load(work + i), two), even);
    const c1 = difference(shifted(two, 1), odd);
    const c2 = sum(sum(v128.load(work + 4 * h + i), shifted(two, 2)), even);
    v128.store(c + i, i16x8.shr_u(c0, 1));
    v128.store(c + h + i, i16x8.shr_u(c1, 1));
    v128.store(c + 2 * h + i, i16x8.shr_u(c2, 1));
  }
}
