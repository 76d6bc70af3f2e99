/**
 * Inversion modulo (2, Phi_n) by division steps in constant time (Bernstein and Yang, "Fast constant-time gcd
 * computation and modular inversion", 2019, section 6), on the bits of strided.ts.
 *
 * f starts as Phi_n, which is its own reversal, g as the reversal of the input. Each of the 2(n-1)-1 steps
 * cancels the constant coefficient of g, divides g by x and keeps v and w so that at the end f is 1 and the
 * reversal of v the inverse. All bits are secret: conditions are masks, the count of steps is public.
 */
import { PLANES } from "./arena";
import { N, SENT } from "./params";
import { POLY_BYTES } from "./plan";
import {
  BATCH,
  constantMask,
  downAround,
  gatherReversed,
  nextDelta,
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
/** One more than needed, so that they go in pairs: it only multiplies v by x. */
const STEPS: i32 = 2 * SENT;

/** What a step leaves of g: f is added where `odd` is all ones. */
@inline
function nextG(f: v128, g: v128, odd: v128): v128 {
  return v128.xor(g, v128.and(f, odd));
}

/**
 * What a step leaves of f: what g was where `swap` is, which implies `odd`. Then the new g is g + f, so
 * that adding it to f does it; and after an exchange g should be added to f, which modulo 2 is the same.
 */
@inline
function nextF(f: v128, newG: v128, swap: v128): v128 {
  return v128.xor(f, v128.and(newG, swap));
}

/**
 * Two steps in one pass over (f, g), as storing takes longer than reckoning: place k - 1 of f after the
 * first step, which is `f1`, meets place k of g. Returns place k of f after the first step.
 */
@inline
function stepTwice(
  f: usize,
  g: usize,
  k: usize,
  f1: v128,
  odd: v128,
  swap: v128,
  odd2: v128,
  swap2: v128,
): v128 {
  if (k >= <usize>VECTORS) {
    return f1;
  }
  const x = v128.load(f + 16 * k);
  const y = nextG(x, v128.load(g + 16 * k), odd);
  const y2 = nextG(f1, y, odd2);
  v128.store(f + 16 * k - 16, nextF(f1, y2, swap2));
  v128.store(g + 16 * k, y2);
  return nextF(x, y, swap);
}

/** The same for (v, w): v moves up by a place before each step, and `v1` is its place k - 1 after one. */
@inline
function stepTwiceUp(
  v: usize,
  w: usize,
  k: usize,
  v1: v128,
  odd: v128,
  swap: v128,
  odd2: v128,
  swap2: v128,
): v128 {
  if (k >= <usize>VECTORS - 1) {
    return v1;
  }
  const x = v128.load(v + 16 * k - 16);
  const y = nextG(x, v128.load(w + 16 * k), odd);
  const y2 = nextG(v1, y, odd2);
  v128.store(v + 16 * k - 32, nextF(v1, y2, swap2));
  v128.store(w + 16 * k, y2);
  return nextF(x, y, swap);
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
  for (let left: i32 = STEPS; left > 0; left -= BATCH) {
    let g = G;
    let v = V;
    for (let steps = min(left, BATCH); steps > 0; steps -= 2) {
      let x = v128.load(F);
      let y = v128.load(g);
      const odd = constantMask(y);
      const swap = v128.and(i32x4.gt_s(delta, i32x4.splat(0)), odd);
      delta = nextDelta(delta, swap);
      y = nextG(x, y, odd);
      let f1 = nextF(x, y, swap);
      v128.store(g + BYTES, downAround(y));

      x = v128.load(F, 16);
      y = nextG(x, v128.load(g, 16), odd);
      x = nextF(x, y, swap);
      const odd2 = constantMask(y);
      const swap2 = v128.and(i32x4.gt_s(delta, i32x4.splat(0)), odd2);
      delta = nextDelta(delta, swap2);
      y = nextG(f1, y, odd2);
      v128.store(F, nextF(f1, y, swap2));
      v128.store(g + BYTES, downAround(y), 16);
      f1 = x;
      f1 = stepTwice(F, g, 2, f1, odd, swap, odd2, swap2);
      f1 = stepTwice(F, g, 3, f1, odd, swap, odd2, swap2);
      f1 = stepTwice(F, g, 4, f1, odd, swap, odd2, swap2);
      f1 = stepTwice(F, g, 5, f1, odd, swap, odd2, swap2);
      f1 = stepTwice(F, g, 6, f1, odd, swap, odd2, swap2);
      f1 = stepTwice(F, g, 7, f1, odd, swap, odd2, swap2);
      f1 = stepTwice(F, g, 8, f1, odd, swap, odd2, swap2);
      f1 = stepTwice(F, g, 9, f1, odd, swap, odd2, swap2);
      f1 = stepTwice(F, g, 10, f1, odd, swap, odd2, swap2);
      y = nextG(f1, v128.load(g + BYTES), odd2);
      v128.store(F + BYTES - 16, nextF(f1, y, swap2));
      v128.store(g + BYTES, y);
      g += 32;

      // The last place of v and w comes first, as it goes round to the first one before the second step.
      x = v128.load(v + BYTES - 32);
      const last = nextG(x, v128.load(W + BYTES - 16), odd);
      let v1 = upAround(nextF(x, last, swap));
      x = upAround(v128.load(v + BYTES - 16));
      y = nextG(x, v128.load(W), odd);
      const y2 = nextG(v1, y, odd2);
      v128.store(v - 32, nextF(v1, y2, swap2));
      v128.store(W, y2);
      v1 = nextF(x, y, swap);
      v1 = stepTwiceUp(v, W, 1, v1, odd, swap, odd2, swap2);
      v1 = stepTwiceUp(v, W, 2, v1, odd, swap, odd2, swap2);
      v1 = stepTwiceUp(v, W, 3, v1, odd, swap, odd2, swap2);
      v1 = stepTwiceUp(v, W, 4, v1, odd, swap, odd2, swap2);
      v1 = stepTwiceUp(v, W, 5, v1, odd, swap, odd2, swap2);
      v1 = stepTwiceUp(v, W, 6, v1, odd, swap, odd2, swap2);
      v1 = stepTwiceUp(v, W, 7, v1, odd, swap, odd2, swap2);
      v1 = stepTwiceUp(v, W, 8, v1, odd, swap, odd2, swap2);
      v1 = stepTwiceUp(v, W, 9, v1, odd, swap, odd2, swap2);
      y = nextG(v1, last, odd2);
      v -= 32;
      v128.store(v + BYTES - 16, nextF(v1, y, swap2));
      v128.store(W + BYTES - 16, y);
    }
    memory.copy(G, g, BYTES);
    memory.copy(V, v, BYTES);
  }

  memory.fill(inverse, 0, POLY_BYTES);
  scatterReversed(inverse, V, 16, N, false);
}
