/**
 * Polynomials from uniformly random bytes (NTRU round-3 specification). Seeds and polynomials are secret;
 * every index and every loop bound is public.
 *
 * n - 1 is 4 modulo 8 in every set: the last vector of a polynomial counts half.
 */
import { SORT, SORT_LENGTH, SORTED } from "./arena";
import { FIRST_SEED_BYTES, HRSS, SENT, WEIGHT } from "./params";
import { POLY_BYTES } from "./plan";
import { sort } from "./sort";
import { sumOfLanes, tritsOfFractions } from "./vector";

/** Clears what the last vector and those behind it hold from coefficient n - 1 on. */
@inline
function clearUnsent(a: usize): void {
  memory.fill(a + 2 * SENT, 0, POLY_BYTES - 2 * SENT);
}

/** Ternary: each coefficient a byte modulo 3. */
function sampleIid(a: usize, seed: usize): void {
  for (let i: usize = 0; i < <usize>SENT; i += 8) {
    // 21846 is 2^16/3, rounded up: the fraction of byte/3, right for all bytes.
    const fractions = i16x8.mul(v128.load8x8_u(seed + i), i16x8.splat(21846));
    v128.store(a + 2 * i, tritsOfFractions(fractions));
  }
  clearUnsent(a);
}

/** Ternary and non-negatively correlated: the sum of a_i a_(i+1) is not negative, for HRSS keys. */
function sampleIidPlus(a: usize, seed: usize): void {
  sampleIid(a, seed);
  let products = i16x8.splat(0);
  for (let i: usize = 0; i < 2 * SENT; i += 16) {
    products = i16x8.add(products, i16x8.mul(v128.load(a + i), v128.load(a + i, 2)));
  }
  // Negating every second coefficient negates the correlation; `flip` is -1 or 0.
  const flip = v128.and(i16x8.splat(<i16>(sumOfLanes(products) >> 31)), i32x4.splat(0xffff));
  for (let i: usize = 0; i < 2 * SENT; i += 16) {
    v128.store(a + i, i16x8.sub(v128.xor(v128.load(a + i), flip), flip));
  }
}

/** Ternary with exactly WEIGHT/2 ones and WEIGHT/2 minus ones, placed by sorting 30 random bits of each. */
function sampleFixedType(a: usize, seed: usize): void {
  let places = i32x4(0, 1, 2, 3);
  for (let i: usize = 0; i < <usize>SENT; i += 4) {
    // 60 bits in each half, spread to the upper 30 of each lane.
    const later = load<u64>(seed, 7) >> 4;
    const halves = i64x2.replace_lane(i64x2.splat(load<u64>(seed)), 1, later);
    const random = v128.bitselect(i64x2.shl(halves, 2), i64x2.shl(halves, 4), i64x2.splat(0xfffffffc));
    // 1 for the first WEIGHT/2 places, then 2; the masks are -1 where they are set.
    const ones = i32x4.lt_s(places, i32x4.splat(WEIGHT / 2));
    const both = i32x4.lt_s(places, i32x4.splat(WEIGHT));
    const trits = i32x4.sub(ones, i32x4.add(both, both));
    const mask = i64x2.splat(<i64>0xfffffffcfffffffc);
    v128.store(SORT + 4 * i, v128.or(v128.and(random, mask), trits));
    places = i32x4.add(places, i32x4.splat(4));
    seed += 15;
  }
  for (let i: usize = 4 * SENT; i < 4 * SORT_LENGTH; i += 16) {
    v128.store(SORT + i, i32x4.splat(i32.MAX_VALUE));
  }
  sort();
  for (let i: usize = 0; i < 2 * SENT; i += 16) {
    const three = i32x4.splat(3);
    const low = v128.and(v128.load(SORTED + 2 * i), three);
    const high = v128.and(v128.load(SORTED + 2 * i, 16), three);
    const digits = i16x8.narrow_i32x4_s(low, high);
    // {0, 1, 2} to {0, 1, -1}
    const twos = i16x8.shr_u(digits, 1);
    v128.store(a + i, i16x8.sub(digits, i16x8.mul(twos, i16x8.splat(3))));
  }
  clearUnsent(a);
}

/** f and g of a key pair. */
export function sampleFg(f: usize, g: usize, seed: usize): void {
  if (HRSS) {
    sampleIidPlus(f, seed);
    sampleIidPlus(g, seed + FIRST_SEED_BYTES);
  } else {
    sampleIid(f, seed);
    sampleFixedType(g, seed + FIRST_SEED_BYTES);
  }
}

/** r and m of an encapsulation. */
export function sampleRm(r: usize, m: usize, seed: usize): void {
  sampleIid(r, seed);
  if (HRSS) {
    sampleIid(m, seed + FIRST_SEED_BYTES);
  } else {
    sampleFixedType(m, seed + FIRST_SEED_BYTES);
  }
}
