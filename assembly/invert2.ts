/**
 * Inversion modulo (2, Phi_n) by division steps in constant time (Bernstein and Yang, "Fast constant-time gcd
 * computation and modular inversion", 2019, section 6), on the bits of strided.ts.
 *
 * f starts as Phi_n, which is its own reversal, g as the reversal of the input. Each of the 2(n-1)-1 steps
 * cancels the constant coefficient of g, divides g by x and keeps v and w so that at the end f is 1 and the
 * reversal of v the inverse. All bits are secret: conditions are masks, the count of steps is public.
 */
import { PLANES } from "./arena";
import { SENT } from "./params";
import { POLY_BYTES } from "./plan";
import {
  BATCH,
  constantMask,
  downAround,
  gatherReversed,
  scatterReversed,
  setPhi,
  upAround,
  VECTORS,
} from "./strided";

const BYTES: usize = 16 * VECTORS;
const F: usize = PLANES;
const W: usize = F + BYTES;
/** The window of g moves up from here, that of v down. */
const G: usize = W + BYTES;
const V: usize = G + BYTES + 2 * 16 * BATCH;

/**
 * Vector k of (f, g), and in the same way of (v, w): f is added to g where `odd` is all ones, and becomes
 * what g was where `swap` is. After an exchange g should be added to f, but modulo 2 that is the same.
 */
@inline
function stepVector(f: usize, g: usize, odd: v128, swap: v128, k: usize): void {
  if (k < <usize>VECTORS) {
    const x = v128.load(f + 16 * k);
    const y = v128.load(g + 16 * k);
    v128.store(f + 16 * k, v128.bitselect(y, x, swap));
    v128.store(g + 16 * k, v128.xor(y, v128.and(x, odd)));
  }
}

/** All vectors, without a loop: the engine then has constant addresses. */
@inline
function stepVectors(f: usize, g: usize, odd: v128, swap: v128): void {
  stepVector(f, g, odd, swap, 0);
  stepVector(f, g, odd, swap, 1);
  stepVector(f, g, odd, swap, 2);
  stepVector(f, g, odd, swap, 3);
  stepVector(f, g, odd, swap, 4);
  stepVector(f, g, odd, swap, 5);
  stepVector(f, g, odd, swap, 6);
  stepVector(f, g, odd, swap, 7);
  stepVector(f, g, odd, swap, 8);
  stepVector(f, g, odd, swap, 9);
  stepVector(f, g, odd, swap, 10);
}

/**
 * inverse := 1/a modulo (2, Phi_n), coefficients 0 and 1. An `a` without inverse (only 0 has none) gives 0.
 */
export function invert2(inverse: usize, a: usize): void {
  memory.fill(PLANES, 0, 4 * BYTES + 3 * 16 * BATCH);
  setPhi(F, 16);
  store<u64>(W, 1);
  // Modulo Phi_n, the last coefficient is subtracted from all.
  gatherReversed(G, 16, a, SENT, 0, <u64>-(<i64>load<i16>(a + 2 * SENT) & 1));

  let delta = i32x4.splat(1);
  for (let left: i32 = 2 * SENT - 1; left > 0; left -= BATCH) {
    let g = G;
    let v = V;
    for (let steps = min(left, BATCH); steps > 0; steps--) {
      const odd = constantMask(v128.load(g));
      const swap = v128.and(i32x4.gt_s(delta, i32x4.splat(0)), odd);
      delta = i32x4.add(i32x4.sub(v128.xor(delta, swap), swap), i32x4.splat(1));
      stepVectors(F, g, odd, swap);
      v128.store(g + BYTES, downAround(v128.load(g)));
      g += 16;
      // v is multiplied by x before the step.
      v -= 16;
      v128.store(v, upAround(v128.load(v + BYTES)));
      stepVectors(v, W, odd, swap);
    }
    memory.copy(G, g, BYTES);
    memory.copy(V, v, BYTES);
  }

  memory.fill(inverse, 0, POLY_BYTES);
  scatterReversed(inverse, V, 16, SENT, false);
}
