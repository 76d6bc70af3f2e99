/**
 * Inversion modulo (2, Phi_n) by division steps in constant time (Bernstein and Yang, "Fast constant-time gcd
 * computation and modular inversion", 2019, section 6), one coefficient a bit.
 *
 * f starts as Phi_n, which is its own reversal, g as the reversal of the input. Each of the 2(n-1)-1 steps
 * cancels the constant coefficient of g, divides g by x and keeps v and w so that at the end f is 1 and the
 * reversal of v the inverse. All bits are secret: conditions are masks, the count of steps is public.
 */
import { PLANE_BYTES, PLANES } from "./arena";
import { N, SENT } from "./params";
import { POLY_BYTES } from "./plan";

const F: usize = PLANES;
const G: usize = F + PLANE_BYTES;
const V: usize = G + PLANE_BYTES;
const W: usize = V + PLANE_BYTES;

/** Sets the bits 0 to n - 1 of a plane: all coefficients of Phi_n are 1. */
export function setPhi(plane: usize): void {
  for (let i: i32 = 0; i < N; i++) {
    const word = plane + 8 * (i >> 6);
    store<u64>(word, load<u64>(word) | ((<u64>1) << (i & 63)));
  }
}

/** Swaps (f, v) with (g, w) where `swap` is all ones, then adds f to g and v to w where `odd` is. */
function step(swap: u64, odd: u64): void {
  let carry: u64 = 0;
  let lower: u64 = 0;
  for (let i: usize = 0; i < <usize>PLANE_BYTES; i += 8) {
    // v is multiplied by x before the exchange.
    const v = load<u64>(V + i);
    const shifted = (v << 1) | carry;
    carry = v >> 63;
    const w = load<u64>(W + i);
    const vw = (shifted ^ w) & swap;
    store<u64>(V + i, shifted ^ vw);
    store<u64>(W + i, w ^ vw ^ ((shifted ^ vw) & odd));

    const f = load<u64>(F + i);
    const g = load<u64>(G + i);
    const fg = (f ^ g) & swap;
    store<u64>(F + i, f ^ fg);
    // g is divided by x at the end: a word is complete when the next one is known.
    const sum = g ^ fg ^ ((f ^ fg) & odd);
    if (i > 0) {
      store<u64>(G + i - 8, (lower >> 1) | (sum << 63));
    }
    lower = sum;
  }
  store<u64>(G + PLANE_BYTES - 8, lower >> 1);
}

/**
 * inverse := 1/a modulo (2, Phi_n), coefficients 0 and 1. An `a` without inverse (only 0 has none) gives 0.
 */
export function invert2(inverse: usize, a: usize): void {
  memory.fill(PLANES, 0, 4 * PLANE_BYTES);
  setPhi(F);
  store<u64>(W, 1);
  const last: u32 = load<u16>(a + 2 * SENT);
  for (let i: i32 = 0; i < SENT; i++) {
    const bit = <u64>((load<u16>(a + 2 * i) ^ last) & 1);
    const place = SENT - 1 - i;
    const word = G + 8 * (place >> 6);
    store<u64>(word, load<u64>(word) | (bit << (place & 63)));
  }

  let delta: i64 = 1;
  for (let steps = 0; steps < 2 * SENT - 1; steps++) {
    const odd: i64 = -(load<i64>(G) & 1);
    const swap: i64 = (-delta >> 63) & odd;
    delta = (delta ^ swap) - swap + 1;
    step(swap, odd);
  }

  memory.fill(inverse, 0, POLY_BYTES);
  for (let i: i32 = 0; i < SENT; i++) {
    const place = SENT - 1 - i;
    store<u16>(inverse + 2 * i, <u16>((load<u64>(V + 8 * (place >> 6)) >> (place & 63)) & 1));
  }
}
