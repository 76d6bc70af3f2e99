import { invert2 } from "./invert2";
import { LOG_Q } from "./params";
import { PADDED } from "./plan";
import { add, multiply, negate } from "./ring";
import { difference, sum, times } from "./vector";

@inline
function addOne(a: usize): void {
  store<u16>(a, load<u16>(a) + 1);
}

/** e := 1 + e + ... + e^10; a and e2 are overwritten. */
function geometric11(e: usize, e2: usize, a: usize): void {
  multiply(e2, e, e);
  add(e, e2);
  // The sum is 1 + (e + e^2) (1 + e^2 + e^4 + e^6 + e^8), and the last factor 1 + (e^2 + e^4) (1 + e^4).
  multiply(a, e2, e2);
  add(e2, a);
  addOne(a);
  multiply(e2, e2, a);
  addOne(e2);
  multiply(e, e, e2);
  addOne(e);
}

/**
 * e := 1 + e + ... + e^12 modulo 2^13, for an e that is a multiple of 2; the other three are overwritten.
 *
 * Products of sums of products reach e^12 with four of them, where products of powers alone take five.
 * What coefficients the sums need was found by lifting a solution modulo 2 bit by bit; as e^i is a
 * multiple of 2^i, that of e^i must be 1 only modulo 2^(13 - i). They are not the only ones that do.
 */
function geometric13(e: usize, e2: usize, b: usize, c: usize): void {
  multiply(e2, e, e);
  // b = e^2 (e^2 - e + 1)
  for (let i: usize = 0; i < 2 * PADDED; i += 16) {
    v128.store(b + i, difference(v128.load(e2 + i), v128.load(e + i)));
  }
  addOne(b);
  multiply(b, b, e2);
  // c = b (b - 4 e^2 - 96 e)
  for (let i: usize = 0; i < 2 * PADDED; i += 16) {
    const small = sum(times(v128.load(e2 + i), 4), times(v128.load(e + i), 96));
    v128.store(c + i, difference(v128.load(b + i), small));
  }
  multiply(c, c, b);
  // (c - 20 b - 29 e^2 - 10 e) (b - e^2 - 770 e) - 1706 c + 1825 b - 1332 e^2 + e + 1
  for (let i: usize = 0; i < 2 * PADDED; i += 16) {
    const e1 = v128.load(e + i);
    const e2i = v128.load(e2 + i);
    const bi = v128.load(b + i);
    const ci = v128.load(c + i);
    const left = sum(times(bi, 20), sum(times(e2i, 29), times(e1, 10)));
    v128.store(c + i, difference(ci, left));
    v128.store(b + i, difference(bi, sum(e2i, times(e1, 770))));
    const apart = sum(times(ci, -1706), sum(times(bi, 1825), times(e2i, -1332)));
    v128.store(e + i, sum(e1, apart));
  }
  addOne(e);
  multiply(c, c, b);
  add(e, c);
}

/**
 * inverse := 1/a modulo (q, Phi_n), as some element of R; a, e, e2 and spare are overwritten. All are
 * secret.
 *
 * Where y is right to k bits, e = 1 - a y is a multiple of 2^k, and y (1 + e + ... + e^(m-1)) is right to
 * m k bits. The inverse modulo 2 has k = 1; up to q = 2^13 one step with m = 11 or 13 takes 6 products.
 * For q = 2^14, m = 3 and then 5 take 3 + 4; four steps with m = 2 would take 8. The steps may be done in
 * R, where a need not have an inverse, because Phi_n divides x^n - 1.
 */
export function invertQ(inverse: usize, a: usize, e: usize, e2: usize, spare: usize): void {
  invert2(inverse, a);
  negate(a);

  multiply(e, inverse, a);
  addOne(e);
  if (LOG_Q <= 13) {
    if (LOG_Q <= 11) {
      geometric11(e, e2, a);
    } else {
      geometric13(e, e2, a, spare);
    }
    multiply(inverse, e, inverse);
    return;
  }
  multiply(e2, e, e);
  add(e, e2);
  addOne(e);
  multiply(inverse, e, inverse);

  multiply(e, inverse, a);
  addOne(e);
  multiply(e2, e, e);
  add(e, e2);
  // 1 + e + e^2 + e^3 + e^4 = 1 + (e + e^2) (1 + e^2)
  addOne(e2);
  multiply(e, e, e2);
  addOne(e);
  multiply(inverse, e, inverse);
}
