import { multiplyAll } from "./toeplitz";
import { difference, INVERSE_15, INVERSE_3, shifted, sum, times } from "./vector";

/** The matrices u_p: the factors of M(x)/(x - p) are applied one after the other, sharing what they can. */
function evaluateMatrix(u: usize, t: usize, h: usize): void {
  for (let i: usize = 0; i < 2 * h; i += 16) {
    const t0 = v128.load(t + i);
    const t1 = v128.load(t + h + i);
    const t2 = v128.load(t + 2 * h + i);
    const t3 = v128.load(t + 3 * h + i);
    const t4 = v128.load(t + 4 * h + i);
    const t5 = v128.load(t + 5 * h + i);
    const t6 = v128.load(t + 6 * h + i);
    // x^2 - 4, read at T_0 to T_4
    const quarter0 = difference(t2, shifted(t0, 2));
    const quarter1 = difference(t3, shifted(t1, 2));
    const quarter2 = difference(t4, shifted(t2, 2));
    const quarter3 = difference(t5, shifted(t3, 2));
    const quarter4 = difference(t6, shifted(t4, 2));
    // (x^2 - 1) (x^2 - 4), for 0, 3 and infinity
    const both0 = difference(quarter2, quarter0);
    const both1 = difference(quarter3, quarter1);
    const both2 = difference(quarter4, quarter2);
    v128.store(u + i, difference(both1, times(both0, 3)));
    v128.store(u + 10 * h + i, both1);
    v128.store(u + 12 * h + i, difference(both2, times(both1, 3)));
    // x (x - 3) (x^2 - 4) (x + 1) and (x - 1), for 1 and -1
    let low = difference(quarter2, times(quarter1, 3));
    let high = difference(quarter3, times(quarter2, 3));
    v128.store(u + 2 * h + i, sum(high, low));
    v128.store(u + 4 * h + i, difference(high, low));
    // x (x - 3) (x^2 - 1) (x + 2) and (x - 2), for 2 and -2
    const whole2 = difference(t4, t2);
    low = difference(whole2, times(difference(t3, t1), 3));
    high = difference(difference(t5, t3), times(whole2, 3));
    low = shifted(low, 1);
    v128.store(u + 6 * h + i, sum(high, low));
    v128.store(u + 8 * h + i, difference(high, low));
  }
}

/** The vectors E(p) 8/M'(p). */
function evaluateVector(e: usize, a: usize, h: usize): void {
  for (let i: usize = 0; i < h; i += 16) {
    const e0 = v128.load(a + 3 * h + i);
    const e1 = v128.load(a + 2 * h + i);
    const e2 = v128.load(a + h + i);
    const e3 = v128.load(a + i);
    v128.store(e + i, times(e0, -2 * INVERSE_3));
    let even = sum(e0, e2);
    let odd = sum(e1, e3);
    v128.store(e + h + i, times(sum(even, odd), 2 * INVERSE_3));
    v128.store(e + 2 * h + i, times(difference(even, odd), INVERSE_3));
    even = sum(e0, shifted(e2, 2));
    odd = shifted(sum(e1, shifted(e3, 2)), 1);
    v128.store(e + 3 * h + i, times(sum(even, odd), -INVERSE_3));
    v128.store(e + 4 * h + i, times(difference(even, odd), -INVERSE_15));
    const three = sum(e0, times(sum(e1, times(sum(e2, times(e3, 3)), 3)), 3));
    v128.store(e + 5 * h + i, times(three, INVERSE_15));
    v128.store(e + 6 * h + i, shifted(e3, 3));
  }
}

/** The parts of c from the products v_p. */
function interpolate(c: usize, v: usize, h: usize): void {
  for (let i: usize = 0; i < h; i += 16) {
    const plus1 = v128.load(v + h + i);
    const minus1 = v128.load(v + 2 * h + i);
    const plus2 = v128.load(v + 3 * h + i);
    const minus2 = v128.load(v + 4 * h + i);
    const three = v128.load(v + 5 * h + i);
    const even1 = sum(plus1, minus1);
    const odd1 = difference(plus1, minus1);
    const even2 = sum(plus2, minus2);
    const odd2 = shifted(difference(plus2, minus2), 1);
    const c0 = sum(sum(sum(v128.load(v + i), three), even1), even2);
    const c1 = sum(sum(odd1, odd2), times(three, 3));
    const c2 = sum(sum(even1, shifted(even2, 2)), times(three, 9));
    const c3 = sum(sum(sum(odd1, shifted(odd2, 2)), times(three, 27)), v128.load(v + 6 * h + i));
    v128.store(c + i, i16x8.shr_u(c0, 3));
    v128.store(c + h + i, i16x8.shr_u(c1, 3));
    v128.store(c + 2 * h + i, i16x8.shr_u(c2, 3));
    v128.store(c + 3 * h + i, i16x8.shr_u(c3, 3));
  }
}

/**
 * The step of toeplitz.ts with points 0, 1, -1, 2, -2, 3 and infinity; L = 3.
 * M(x) = x (x^2 - 1) (x^2 - 4) (x - 3), and 8/M'(p) is -2/3, 2/3, 1/3, -1/3, -1/15, 1/15.
 */
export function toom4(level: i32, h: usize, c: usize, t: usize, a: usize, work: usize): void {
  const u = work + 7 * h;
  evaluateMatrix(u, t, h);
  evaluateVector(work, a, h);
  multiplyAll(level + 1, h, 7, work, u);
  interpolate(c, work, h);
}
