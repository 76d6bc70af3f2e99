import { multiplyAll } from "./toeplitz";
import {
  difference,
  INVERSE_15,
  INVERSE_315,
  INVERSE_45,
  INVERSE_9,
  shifted,
  sum,
  times,
} from "./vector";

/** a + c1 b + c2 c. */
@inline
function combine(a: v128, c1: i16, b: v128, c2: i16, c: v128): v128 {
  return sum(a, sum(times(b, c1), times(c, c2)));
}

/** T_(k+1) - 4 T_k: x - 4 at T_k, where `t` is the place of T_k. */
@inline
function minusFour(t: usize, h: usize): v128 {
  return difference(v128.load(t + h), shifted(v128.load(t), 2));
}

/** Stores the matrices of p and -p: what is left of M(x)/(x - p) is x + p, and x - p for -p. */
@inline
function storePair(u: usize, h: usize, p: i16, low: v128, high: v128): void {
  const scaled = times(low, p);
  v128.store(u, sum(high, scaled));
  v128.store(u + 2 * h, difference(high, scaled));
}

/** The matrices u_p. All but that of 4 contain the factor x - 4: s_k is x - 4 read at T_k. */
function evaluateMatrix(u: usize, t: usize, h: usize): void {
  for (let i: usize = 0; i < 2 * h; i += 16) {
    const s1 = minusFour(t + h + i, h);
    const s2 = minusFour(t + 2 * h + i, h);
    const s3 = minusFour(t + 3 * h + i, h);
    const s4 = minusFour(t + 4 * h + i, h);
    const s5 = minusFour(t + 5 * h + i, h);
    const s6 = minusFour(t + 6 * h + i, h);
    // (x^2 - 4) (x^2 - 9) for 1 and -1, (x^2 - 1) (x^2 - 9) for 2 and -2, (x^2 - 1) (x^2 - 4) for 3 and -3
    storePair(u + 2 * h + i, h, 1, combine(s5, -13, s3, 36, s1), combine(s6, -13, s4, 36, s2));
    storePair(u + 6 * h + i, h, 2, combine(s5, -10, s3, 9, s1), combine(s6, -10, s4, 9, s2));
    const low = combine(s5, -5, s3, 4, s1);
    const high = combine(s6, -5, s4, 4, s2);
    storePair(u + 10 * h + i, h, 3, low, high);
    // All three factors for 0 and infinity ...
    const lowest = combine(s4, -5, s2, 4, minusFour(t + i, h));
    const highest = combine(minusFour(t + 7 * h + i, h), -5, s5, 4, s3);
    v128.store(u + i, difference(high, times(lowest, 9)));
    v128.store(u + 16 * h + i, difference(highest, times(low, 9)));
    // ... and, without x - 4, for 4
    const t1 = v128.load(t + h + i);
    const t3 = v128.load(t + 3 * h + i);
    const t5 = v128.load(t + 5 * h + i);
    const t7 = v128.load(t + 7 * h + i);
    v128.store(u + 14 * h + i, sum(combine(t7, -14, t5, 49, t3), times(t1, -36)));
  }
}

/** Stores the vectors of p and -p, each with its 16/M'. */
@inline
function storeVectors(e: usize, h: usize, even: v128, odd: v128, scalePlus: i16, scaleMinus: i16): void {
  v128.store(e, times(sum(even, odd), scalePlus));
  v128.store(e + h, times(difference(even, odd), scaleMinus));
}

/** The vectors E(p) 16/M'(p). */
function evaluateVector(e: usize, a: usize, h: usize): void {
  for (let i: usize = 0; i < h; i += 16) {
    const e0 = v128.load(a + 4 * h + i);
    const e1 = v128.load(a + 3 * h + i);
    const e2 = v128.load(a + 2 * h + i);
    const e3 = v128.load(a + h + i);
    const e4 = v128.load(a + i);
    v128.store(e + i, times(e0, INVERSE_9));
    storeVectors(e + h + i, h, sum(sum(e0, e2), e4), sum(e1, e3), -INVERSE_9, -INVERSE_15);
    const even2 = sum(e0, shifted(sum(e2, shifted(e4, 2)), 2));
    storeVectors(e + 3 * h + i, h, even2, shifted(sum(e1, shifted(e3, 2)), 1), INVERSE_15, INVERSE_45);
    const even3 = combine(e0, 9, e2, 81, e4);
    storeVectors(e + 5 * h + i, h, even3, times(sum(e1, times(e3, 9)), 3), -INVERSE_45, -INVERSE_315);
    const four = sum(e2, shifted(sum(e3, shifted(e4, 2)), 2));
    v128.store(e + 7 * h + i, times(sum(e0, shifted(sum(e1, shifted(four, 2)), 2)), INVERSE_315));
    v128.store(e + 8 * h + i, shifted(e4, 4));
  }
}

/** The parts of c from the products v_p. */
function interpolate(c: usize, v: usize, h: usize): void {
  for (let i: usize = 0; i < h; i += 16) {
    const plus1 = v128.load(v + h + i);
    const minus1 = v128.load(v + 2 * h + i);
    const plus2 = v128.load(v + 3 * h + i);
    const minus2 = v128.load(v + 4 * h + i);
    const plus3 = v128.load(v + 5 * h + i);
    const minus3 = v128.load(v + 6 * h + i);
    const four = v128.load(v + 7 * h + i);
    const even1 = sum(plus1, minus1);
    const even2 = sum(plus2, minus2);
    const even3 = sum(plus3, minus3);
    const odd1 = difference(plus1, minus1);
    const odd2 = shifted(difference(plus2, minus2), 1);
    const odd3 = times(difference(plus3, minus3), 3);
    const c0 = sum(sum(sum(v128.load(v + i), four), sum(even1, even2)), even3);
    const c1 = sum(sum(odd1, odd2), sum(odd3, shifted(four, 2)));
    const c2 = sum(sum(even1, shifted(even2, 2)), sum(times(even3, 9), shifted(four, 4)));
    const c3 = sum(sum(odd1, shifted(odd2, 2)), sum(times(odd3, 9), shifted(four, 6)));
    const c4 = sum(sum(even1, shifted(even2, 4)), sum(times(even3, 81), shifted(four, 8)));
    v128.store(c + i, i16x8.shr_u(c0, 4));
    v128.store(c + h + i, i16x8.shr_u(c1, 4));
    v128.store(c + 2 * h + i, i16x8.shr_u(c2, 4));
    v128.store(c + 3 * h + i, i16x8.shr_u(c3, 4));
    v128.store(c + 4 * h + i, i16x8.shr_u(sum(c4, v128.load(v + 8 * h + i)), 4));
  }
}

/**
 * The step of toeplitz.ts with points 0, 1, -1, 2, -2, 3, -3, 4 and infinity; L = 4.
 * M(x) = x (x^2 - 1) (x^2 - 4) (x^2 - 9) (x - 4), and 16/M'(p) is 1/9, -1/9, -1/15, 1/15, 1/45, -1/45,
 * -1/315, 1/315.
 */
export function toom5(level: i32, h: usize, c: usize, t: usize, a: usize, work: usize): void {
  const u = work + 9 * h;
  evaluateMatrix(u, t, h);
  evaluateVector(work, a, h);
  multiplyAll(level + 1, h, 9, work, u);
  interpolate(c, work, h);
}
