/**
 * The bottom of the multiplication: a Toeplitz matrix of BLOCK rows times a vector, modulo 2^16, by the
 * schoolbook. All numbers may be secret; nothing but BLOCK decides what is done.
 */
import { BLOCK } from "./plan";

/** Vectors of eight coefficients in a block. */
const VECTORS: i32 = BLOCK / 8;

/** sum + t a, lane by lane. */
@inline
function plus(sum: v128, t: v128, a: v128): v128 {
  return i16x8.add(sum, i16x8.mul(t, a));
}

/**
 * c_i := sum of t_(i-j) a_j for 0 <= i, j < BLOCK, where `t` is the address of t_(-BLOCK). `c` may be `a`.
 *
 * The result stays in registers. Of each eight columns one is taken at a time: column 8j + r lies in the
 * lanes of a_j, and the vector of t at distance d vectors from the diagonal serves all rows k and columns j
 * with k - j = d. The loop over r is left to the engine as it is: unrolled code runs out of registers.
 */
export function multiplyBlock(c: usize, t: usize, a: usize): void {
  let c0 = i16x8.splat(0);
  let c1 = c0;
  let c2 = c0;
  let c3 = c0;
  let c4 = c0;
  let c5 = c0;
  for (let r: usize = 0; r < 16; r += 2) {
    const a0 = v128.load16_splat(a + r);
    const a1 = v128.load16_splat(a + r, 16);
    const a2 = v128.load16_splat(a + r, 32);
    const a3 = v128.load16_splat(a + r, 48);
    // Blocks of 32 have neither a4 and c4 nor a5 and c5, blocks of 40 have no a5 and c5.
    const a4 = VECTORS > 4 ? v128.load16_splat(a + r, 64) : a3;
    const a5 = VECTORS > 5 ? v128.load16_splat(a + r, 80) : a3;
    // Three vectors above the diagonal: from there on every set of blocks goes the same way.
    const origin = t + 2 * BLOCK - r;
    let x: v128;
    if (VECTORS > 5) {
      x = v128.load(origin - 80);
      c0 = plus(c0, x, a5);
    }
    if (VECTORS > 4) {
      x = v128.load(origin - 64);
      c0 = plus(c0, x, a4);
      if (VECTORS > 5) {
        c1 = plus(c1, x, a5);
      }
    }
    x = v128.load(origin - 48);
    c0 = plus(c0, x, a3);
    if (VECTORS > 4) {
      c1 = plus(c1, x, a4);
    }
    if (VECTORS > 5) {
      c2 = plus(c2, x, a5);
    }
    x = v128.load(origin - 32);
    c0 = plus(c0, x, a2);
    c1 = plus(c1, x, a3);
    if (VECTORS > 4) {
      c2 = plus(c2, x, a4);
    }
    if (VECTORS > 5) {
      c3 = plus(c3, x, a5);
    }
    x = v128.load(origin - 16);
    c0 = plus(c0, x, a1);
    c1 = plus(c1, x, a2);
    c2 = plus(c2, x, a3);
    if (VECTORS > 4) {
      c3 = plus(c3, x, a4);
    }
    if (VECTORS > 5) {
      c4 = plus(c4, x, a5);
    }
    x = v128.load(origin);
    c0 = plus(c0, x, a0);
    c1 = plus(c1, x, a1);
    c2 = plus(c2, x, a2);
    c3 = plus(c3, x, a3);
    if (VECTORS > 4) {
      c4 = plus(c4, x, a4);
    }
    if (VECTORS > 5) {
      c5 = plus(c5, x, a5);
    }
    x = v128.load(origin, 16);
    c1 = plus(c1, x, a0);
    c2 = plus(c2, x, a1);
    c3 = plus(c3, x, a2);
    if (VECTORS > 4) {
      c4 = plus(c4, x, a3);
    }
    if (VECTORS > 5) {
      c5 = plus(c5, x, a4);
    }
    x = v128.load(origin, 32);
    c2 = plus(c2, x, a0);
    c3 = plus(c3, x, a1);
    if (VECTORS > 4) {
      c4 = plus(c4, x, a2);
    }
    if (VECTORS > 5) {
      c5 = plus(c5, x, a3);
    }
    x = v128.load(origin, 48);
    c3 = plus(c3, x, a0);
    if (VECTORS > 4) {
      c4 = plus(c4, x, a1);
    }
    if (VECTORS > 5) {
      c5 = plus(c5, x, a2);
    }
    if (VECTORS > 4) {
      x = v128.load(origin, 64);
      c4 = plus(c4, x, a0);
      if (VECTORS > 5) {
        c5 = plus(c5, x, a1);
      }
    }
    if (VECTORS > 5) {
      x = v128.load(origin, 80);
      c5 = plus(c5, x, a0);
    }
  }
  v128.store(c, c0);
  v128.store(c, c1, 16);
  v128.store(c, c2, 32);
  v128.store(c, c3, 48);
  if (VECTORS > 4) {
    v128.store(c, c4, 64);
  }
  if (VECTORS > 5) {
    v128.store(c, c5, 80);
  }
}
