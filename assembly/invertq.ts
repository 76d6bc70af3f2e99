import { invert2 } from "./invert2";
import { LOG_Q } from "./params";
import { add, multiply, negate } from "./ring";

@inline
function addOne(a: usize): void {
  store<u16>(a, load<u16>(a) + 1);
}

/**
 * inverse := 1/a modulo (q, Phi_n), as some element of R; e and e2 are overwritten, a is lost. All are secret.
 *
 * Where y is right to k bits, e = 1 - a y is a multiple of 2^k, and y (1 + e + ... + e^(m-1)) is right to m k
 * bits. The inverse modulo 2 has k = 1. For q = 2^11 one step with m = 11 takes 6 products; otherwise m = 3 and
 * then 5 make 15 bits, enough for every q, with 3 + 4 products; four steps with m = 2 would take 8. The steps may
 * be done in R, where a need not have an inverse, because Phi_n divides x^n - 1.
 */
export function invertQ(inverse: usize, a: usize, e: usize, e2: usize): void {
  invert2(inverse, a);
  negate(a);

  multiply(e, inverse, a);
  addOne(e);
  multiply(e2, e, e);
  if (LOG_Q <= 11) {
    // The sum is 1 + (e + e^2) (1 + e^2 + e^4 + e^6 + e^8), and the last factor is 1 + (e^2 + e^4) (1 + e^4).
    add(e, e2);
    multiply(a, e2, e2);
    add(e2, a);
    addOne(a);
    multiply(e2, e2, a);
    addOne(e2);
    multiply(e, e, e2);
    addOne(e);
    multiply(inverse, e, inverse);
    return;
  }
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
