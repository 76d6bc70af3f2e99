/**
 * Inversion modulo (3, Phi_n) by the division steps of invert2.ts. A polynomial is two bit planes: which
 * coefficients are not zero, and the signs of those, with anything for the others; their vectors lie in turns.
 * All bits are secret: conditions are masks.
 *
 * A step adds c f to g, where c is 0 when the mask `nonzero` is zero, else -1 when `minus` is all ones, else 1.
 */
import { PLANES } from "./arena";
import { N, SENT } from "./params";
import { POLY_BYTES } from "./plan";
import {
  BATCH,
  constantMask,
  downAround,
  gatherReversed,
  NARROW,
  NARROW_STEPS,
  narrow,
  nextDelta,
  scatterReversed,
  setPhi,
  upAround,
  VECTORS,
  widen,
} from "./strided";

const BYTES: usize = 32 * VECTORS;
const F: usize = PLANES;
const W: usize = F + BYTES;
/** The window of g moves up from here, that of v down. */
const G: usize = W + BYTES;
const V: usize = G + BYTES + 2 * 32 * BATCH;
/** How far apart the steps have brought the degrees, kept here between two batches. */
const DELTA: usize = V + BYTES;
/** One more than needed, so that they go in pairs: it only multiplies v by x. */
const STEPS: i32 = 2 * SENT;

/** Bytes that the planes need at PLANES. */
export const INVERT_BYTES: i32 = 4 * 32 * VECTORS + 3 * 32 * BATCH + 16;

/**
 * What a step leaves of a plane of f: what that of g was where `swap` is, as `differs` is where both
 * differ. After an exchange g/c should be added to f, but that is g + c f up to the sign c, which the pair
 * of f and v is free in.
 */
@inline
function exchanged(f: v128, differs: v128, swap: v128): v128 {
  return v128.xor(f, v128.and(differs, swap));
}

/** Which coefficients of the sum of two polynomials are not zero, when `apart` is where their signs differ. */
@inline
function sumNonzero(a: v128, b: v128, apart: v128): v128 {
  return v128.or(v128.xor(a, b), v128.andnot(a, apart));
}

/** The signs of that sum: that of the one that is not zero, and the opposite for two that are equal. */
@inline
function sumSigns(a: v128, b: v128, bSigns: v128, apart: v128): v128 {
  return v128.xor(bSigns, v128.and(a, v128.xor(apart, b)));
}

/**
 * Two steps in one pass over (f, g), as storing takes longer than reckoning: after the first step, place
 * k - 1 of f, which is `before` and its signs in memory, meets place k of g. Returns place k of f after the
 * first step.
 */
@inline
function stepTwice(
  g: usize,
  k: i32,
  vectors: i32,
  before: v128,
  nonzero: v128,
  minus: v128,
  swap: v128,
  nonzero2: v128,
  minus2: v128,
  swap2: v128,
): v128 {
  if (k >= vectors) {
    return before;
  }
  const x = v128.load(F + 32 * k);
  const xSigns = v128.load(F + 32 * k, 16);
  const y = v128.load(g + 32 * k);
  const ySigns = v128.load(g + 32 * k, 16);
  const a = v128.and(x, nonzero);
  const differs = v128.xor(xSigns, ySigns);
  const apart = v128.xor(differs, minus);
  const z = sumNonzero(a, y, apart);
  const zSigns = sumSigns(a, y, ySigns, apart);
  v128.store(F + 32 * k, exchanged(xSigns, differs, swap), 16);

  const beforeSigns = v128.load(F + 32 * k - 16);
  const b = v128.and(before, nonzero2);
  const differs2 = v128.xor(beforeSigns, zSigns);
  const apart2 = v128.xor(differs2, minus2);
  v128.store(F + 32 * k - 32, exchanged(before, v128.xor(b, z), swap2));
  v128.store(F + 32 * k - 16, exchanged(beforeSigns, differs2, swap2));
  v128.store(g + 32 * k, sumNonzero(b, z, apart2));
  v128.store(g + 32 * k, sumSigns(b, z, zSigns, apart2), 16);
  // Loading x anew keeps the compiler from putting this off, for which it would run out of registers.
  return exchanged(v128.load(F + 32 * k), v128.xor(a, y), swap);
}

/** The same for (v, w), where v, whose window is at its new place, moves up by a place before each step. */
@inline
function stepTwiceUp(
  v: usize,
  k: i32,
  vectors: i32,
  before: v128,
  nonzero: v128,
  minus: v128,
  swap: v128,
  nonzero2: v128,
  minus2: v128,
  swap2: v128,
): v128 {
  if (k >= vectors - 1) {
    return before;
  }
  const x = v128.load(v + 32 * k, 32);
  const xSigns = v128.load(v + 32 * k, 48);
  const y = v128.load(W + 32 * k);
  const ySigns = v128.load(W + 32 * k, 16);
  const a = v128.and(x, nonzero);
  const differs = v128.xor(xSigns, ySigns);
  const apart = v128.xor(differs, minus);
  const z = sumNonzero(a, y, apart);
  const zSigns = sumSigns(a, y, ySigns, apart);
  const beforeSigns = v128.load(v + 32 * k, 16);
  v128.store(v + 32 * k, exchanged(xSigns, differs, swap), 48);

  const b = v128.and(before, nonzero2);
  const differs2 = v128.xor(beforeSigns, zSigns);
  const apart2 = v128.xor(differs2, minus2);
  v128.store(v + 32 * k, exchanged(before, v128.xor(b, z), swap2));
  v128.store(v + 32 * k, exchanged(beforeSigns, differs2, swap2), 16);
  v128.store(W + 32 * k, sumNonzero(b, z, apart2));
  v128.store(W + 32 * k, sumSigns(b, z, zSigns, apart2), 16);
  return exchanged(v128.load(v + 32 * k, 32), v128.xor(a, y), swap);
}

/** `steps` steps, an even number, on (f, g) in `vectors` and on (v, w) in `vectors2` vectors. */
@inline
function step(vectors: i32, vectors2: i32, steps: i32): void {
  const bytes: usize = 32 * vectors;
  const bytes2: usize = 32 * vectors2;
  let g = G;
  let v = V;
  let delta = v128.load(DELTA);
  for (; steps > 0; steps -= 2) {
    // Place 0 of the first step. The constant coefficient of f is never zero, so c = -g_0/f_0 has the sign of
    // -g_0 f_0.
    let x = v128.load(F);
    let xSigns = v128.load(F, 16);
    let y = v128.load(g);
    let ySigns = v128.load(g, 16);
    let differs = v128.xor(xSigns, ySigns);
    const nonzero = constantMask(y);
    const minus = v128.not(constantMask(differs));
    const swap = v128.and(i32x4.gt_s(delta, i32x4.splat(0)), nonzero);
    delta = nextDelta(delta, swap);
    let a = v128.and(x, nonzero);
    let apart = v128.xor(differs, minus);
    v128.store(g + bytes, downAround(sumNonzero(a, y, apart)));
    v128.store(g + bytes, downAround(sumSigns(a, y, ySigns, apart)), 16);
    const first = exchanged(x, v128.xor(a, y), swap);
    const firstSigns = exchanged(xSigns, differs, swap);

    // Place 1, and with it place 0 of the second step.
    x = v128.load(F, 32);
    xSigns = v128.load(F, 48);
    y = v128.load(g, 32);
    ySigns = v128.load(g, 48);
    a = v128.and(x, nonzero);
    differs = v128.xor(xSigns, ySigns);
    apart = v128.xor(differs, minus);
    v128.store(F, exchanged(xSigns, differs, swap), 48);
    ySigns = sumSigns(a, y, ySigns, apart);
    let before = exchanged(x, v128.xor(a, y), swap);
    y = sumNonzero(a, y, apart);
    differs = v128.xor(firstSigns, ySigns);
    const nonzero2 = constantMask(y);
    const minus2 = v128.not(constantMask(differs));
    const swap2 = v128.and(i32x4.gt_s(delta, i32x4.splat(0)), nonzero2);
    delta = nextDelta(delta, swap2);
    a = v128.and(first, nonzero2);
    apart = v128.xor(differs, minus2);
    v128.store(F, exchanged(first, v128.xor(a, y), swap2));
    v128.store(F, exchanged(firstSigns, differs, swap2), 16);
    v128.store(g + bytes, downAround(sumNonzero(a, y, apart)), 32);
    v128.store(g + bytes, downAround(sumSigns(a, y, ySigns, apart)), 48);

    before = stepTwice(g, 2, vectors, before, nonzero, minus, swap, nonzero2, minus2, swap2);
    before = stepTwice(g, 3, vectors, before, nonzero, minus, swap, nonzero2, minus2, swap2);
    before = stepTwice(g, 4, vectors, before, nonzero, minus, swap, nonzero2, minus2, swap2);
    before = stepTwice(g, 5, vectors, before, nonzero, minus, swap, nonzero2, minus2, swap2);
    before = stepTwice(g, 6, vectors, before, nonzero, minus, swap, nonzero2, minus2, swap2);
    before = stepTwice(g, 7, vectors, before, nonzero, minus, swap, nonzero2, minus2, swap2);
    before = stepTwice(g, 8, vectors, before, nonzero, minus, swap, nonzero2, minus2, swap2);
    before = stepTwice(g, 9, vectors, before, nonzero, minus, swap, nonzero2, minus2, swap2);
    before = stepTwice(g, 10, vectors, before, nonzero, minus, swap, nonzero2, minus2, swap2);

    // The last place of f meets what went around.
    xSigns = v128.load(F + bytes - 16);
    y = v128.load(g + bytes);
    ySigns = v128.load(g + bytes, 16);
    a = v128.and(before, nonzero2);
    differs = v128.xor(xSigns, ySigns);
    apart = v128.xor(differs, minus2);
    v128.store(F + bytes - 32, exchanged(before, v128.xor(a, y), swap2));
    v128.store(F + bytes - 16, exchanged(xSigns, differs, swap2));
    v128.store(g + bytes, sumNonzero(a, y, apart));
    v128.store(g + bytes, sumSigns(a, y, ySigns, apart), 16);
    g += 64;

    // The last place of v and w comes first, as it goes round to the first one before the second step.
    v -= 64;
    x = v128.load(v + bytes2);
    xSigns = v128.load(v + bytes2, 16);
    y = v128.load(W + bytes2 - 32);
    ySigns = v128.load(W + bytes2 - 16);
    a = v128.and(x, nonzero);
    differs = v128.xor(xSigns, ySigns);
    apart = v128.xor(differs, minus);
    const last = sumNonzero(a, y, apart);
    const lastSigns = sumSigns(a, y, ySigns, apart);
    before = upAround(exchanged(x, v128.xor(a, y), swap));
    v128.store(v, upAround(exchanged(xSigns, differs, swap)), 16);
    v128.store(v, upAround(v128.load(v + bytes2, 32)), 32);
    v128.store(v, upAround(v128.load(v + bytes2, 48)), 48);

    before = stepTwiceUp(v, 0, vectors2, before, nonzero, minus, swap, nonzero2, minus2, swap2);
    before = stepTwiceUp(v, 1, vectors2, before, nonzero, minus, swap, nonzero2, minus2, swap2);
    before = stepTwiceUp(v, 2, vectors2, before, nonzero, minus, swap, nonzero2, minus2, swap2);
    before = stepTwiceUp(v, 3, vectors2, before, nonzero, minus, swap, nonzero2, minus2, swap2);
    before = stepTwiceUp(v, 4, vectors2, before, nonzero, minus, swap, nonzero2, minus2, swap2);
    before = stepTwiceUp(v, 5, vectors2, before, nonzero, minus, swap, nonzero2, minus2, swap2);
    before = stepTwiceUp(v, 6, vectors2, before, nonzero, minus, swap, nonzero2, minus2, swap2);
    before = stepTwiceUp(v, 7, vectors2, before, nonzero, minus, swap, nonzero2, minus2, swap2);
    before = stepTwiceUp(v, 8, vectors2, before, nonzero, minus, swap, nonzero2, minus2, swap2);
    before = stepTwiceUp(v, 9, vectors2, before, nonzero, minus, swap, nonzero2, minus2, swap2);

    xSigns = v128.load(v + bytes2 - 16);
    a = v128.and(before, nonzero2);
    differs = v128.xor(xSigns, lastSigns);
    apart = v128.xor(differs, minus2);
    v128.store(v + bytes2 - 32, exchanged(before, v128.xor(a, last), swap2));
    v128.store(v + bytes2 - 16, exchanged(xSigns, differs, swap2));
    v128.store(W + bytes2 - 32, sumNonzero(a, last, apart));
    v128.store(W + bytes2 - 16, sumSigns(a, last, lastSigns, apart));
  }
  v128.store(DELTA, delta);
  memory.copy(G, g, bytes);
  memory.copy(V, v, bytes2);
}

/** Steps at the start, in between and in the end: a loop of its own for each pair of widths. */
function stepFirst(steps: i32): void {
  step(VECTORS, NARROW, steps);
}

function stepWide(steps: i32): void {
  step(VECTORS, VECTORS, steps);
}

function stepLast(steps: i32): void {
  step(NARROW, VECTORS, steps);
}

/** inverse := 1/a modulo (3, Phi_n), for ternary a with a_(n-1) = 0; both in {-1, 0, 1}. 1/0 gives 0. */
export function invert3(inverse: usize, a: usize): void {
  memory.fill(PLANES, 0, INVERT_BYTES);
  setPhi(F, 32);
  store<u64>(W, 1);
  gatherReversed(G, 32, a, SENT, 0, 0);
  gatherReversed(G + 16, 32, a, SENT, 1, 0);

  v128.store(DELTA, i32x4.splat(1));
  let left = STEPS;
  if (NARROW < VECTORS) {
    for (; left > STEPS - NARROW_STEPS; left -= BATCH) {
      stepFirst(BATCH);
    }
    widen(V, 32);
    widen(V + 16, 32);
    widen(W, 32);
    widen(W + 16, 32);
  }
  for (; left >= NARROW_STEPS && left > 0; left -= BATCH) {
    stepWide(min(left, BATCH));
  }
  if (NARROW < VECTORS) {
    narrow(F, 32);
    narrow(F + 16, 32);
    narrow(G, 32);
    narrow(G + 16, 32);
    for (; left > 0; left -= BATCH) {
      stepLast(min(left, BATCH));
    }
  }

  // f is a constant now, 1 or -1: v/f = v f, where only coefficients that are not zero have a sign.
  const sign = constantMask(v128.load(F, 16));
  for (let i: usize = 0; i < BYTES; i += 32) {
    const nonzero = v128.load(V + i);
    v128.store(V + i, v128.and(v128.xor(v128.load(V + i, 16), sign), nonzero), 16);
  }
  memory.fill(inverse, 0, POLY_BYTES);
  scatterReversed(inverse, V, 32, N, true);
}
