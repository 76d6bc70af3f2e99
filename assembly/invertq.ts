import { invert2 } from "./invert2";
import { multiply, negate } from "./ring";

/**
 * inverse := 1/a modulo (q, Phi_n), as some element of R; `spare` is overwritten, a := -a. All are secret.
 *
 * Newton's iteration y := y (2 - a y) doubles the number of right bits: 1, 2, 4, 8, 16 cover every q. The
 * steps may be done in R, where a need not have an inverse, because Phi_n divides x^n - 1.
 */
export function invertQ(inverse: usize, a: usize, spare: usize): void {
  invert2(inverse, a);
  negate(a);
  for (let bits = 1; bits < 16; bits *= 2) {
    multiply(spare, inverse, a);
    store<u16>(spare, load<u16>(spare) + 2);
    multiply(inverse, spare, inverse);
  }
}
