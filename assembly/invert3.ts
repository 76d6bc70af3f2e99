/**
 * Inversion modulo (3, Phi_n) by the division steps of invert2.ts. A polynomial is two bit planes: which
 * coefficients are not zero, and which of those are -1; their vectors lie in turns. All bits are secret:
 * conditions are masks.
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

const BYTES: usize = 32 * VECTORS;
const F: usize = PLANES;
const W: usize = F + BYTES;
/** The window of g moves up from here, that of v down. */
const G: usize = W + BYTES;
const V: usize = G + BYTES + 2 * 32 * BATCH;

/** Bytes that the planes need at PLANES. */
export const INVERT_BYTES: i32 = 4 * 32 * VECTORS + 3 * 32 * BATCH;

/**
 * Vector k of (f, g), and in the same way of (v, w): c f is added to g, where c is 0 when `nonzero` is zero,
 * else -1 when `minus` is all ones, else 1; f becomes what g was where `swap` is all ones. After an exchange
 * g/c should be added to f, but that is g + c f up to the sign c, which the pair of f and v is free in.
 */
@inline
function stepVector(f: usize, g: usize, nonzero: v128, minus: v128, swap: v128, k: usize): void {
  if (k < <usize>VECTORS) {
    const x = v128.load(f + 32 * k);
    const xMinus = v128.load(f + 32 * k, 16);
    const y = v128.load(g + 32 * k);
    const yMinus = v128.load(g + 32 * k, 16);
    v128.store(f + 32 * k, v128.bitselect(y, x, swap));
    v128.store(f + 32 * k, v128.bitselect(yMinus, xMinus, swap), 16);
    const a = v128.and(x, nonzero);
    const aMinus = v128.and(v128.xor(xMinus, minus), a);
    // The sum is -1 for 1 + 1 and for a single -1 ...
    const s = v128.xor(a, yMinus);
    const t = v128.xor(y, aMinus);
    v128.store(g + 32 * k, v128.and(s, t), 16);
    // ... and not zero for a single one or two that are equal: all nine cases agree.
    v128.store(g + 32 * k, v128.or(v128.xor(s, aMinus), v128.xor(t, yMinus)));
  }
}

/** All vectors, without a loop: the engine then has constant addresses. */
@inline
function stepVectors(f: usize, g: usize, nonzero: v128, minus: v128, swap: v128): void {
  stepVector(f, g, nonzero, minus, swap, 0);
  stepVector(f, g, nonzero, minus, swap, 1);
  stepVector(f, g, nonzero, minus, swap, 2);
  stepVector(f, g, nonzero, minus, swap, 3);
  stepVector(f, g, nonzero, minus, swap, 4);
  stepVector(f, g, nonzero, minus, swap, 5);
  stepVector(f, g, nonzero, minus, swap, 6);
  stepVector(f, g, nonzero, minus, swap, 7);
  stepVector(f, g, nonzero, minus, swap, 8);
  stepVector(f, g, nonzero, minus, swap, 9);
  stepVector(f, g, nonzero, minus, swap, 10);
}

/** inverse := 1/a modulo (3, Phi_n), for ternary a with a_(n-1) = 0; both in {-1, 0, 1}. 1/0 gives 0. */
export function invert3(inverse: usize, a: usize): void {
  memory.fill(PLANES, 0, INVERT_BYTES);
  setPhi(F, 32);
  store<u64>(W, 1);
  gatherReversed(G, 32, a, SENT, 0, 0);
  gatherReversed(G + 16, 32, a, SENT, 1, 0);

  let delta = i32x4.splat(1);
  for (let left: i32 = 2 * SENT - 1; left > 0; left -= BATCH) {
    let g = G;
    let v = V;
    for (let steps = min(left, BATCH); steps > 0; steps--) {
      // The constant coefficient of f is never zero, so c = -g_0/f_0 has the sign of -g_0 f_0.
      const nonzero = constantMask(v128.load(g));
      const minus = v128.not(constantMask(v128.xor(v128.load(g, 16), v128.load(F, 16))));
      const swap = v128.and(i32x4.gt_s(delta, i32x4.splat(0)), nonzero);
      delta = i32x4.add(i32x4.sub(v128.xor(delta, swap), swap), i32x4.splat(1));
      stepVectors(F, g, nonzero, minus, swap);
      v128.store(g + BYTES, downAround(v128.load(g)));
      v128.store(g + BYTES, downAround(v128.load(g, 16)), 16);
      g += 32;
      // v is multiplied by x before the step.
      v -= 32;
      v128.store(v, upAround(v128.load(v + BYTES)));
      v128.store(v, upAround(v128.load(v + BYTES, 16)), 16);
      stepVectors(v, W, nonzero, minus, swap);
    }
    memory.copy(G, g, BYTES);
    memory.copy(V, v, BYTES);
  }

  // f is a constant now, 1 or -1: v/f = v f, where only coefficients that are not zero have a sign.
  const sign = constantMask(v128.load(F, 16));
  for (let i: usize = 0; i < BYTES; i += 32) {
    const nonzero = v128.load(V + i);
    v128.store(V + i, v128.and(v128.xor(v128.load(V + i, 16), sign), nonzero), 16);
  }
  memory.fill(inverse, 0, POLY_BYTES);
  scatterReversed(inverse, V, 32, SENT, true);
}
