/**
 * Polynomials from uniformly random bytes (NTRU round-3 specification). Seeds and polynomials are secret;
 * every index and every loop bound is public.
 */
import { SORT, SORT_LENGTH, SORTED } from "./arena";
import { FIRST_SEED_BYTES, HRSS, N, SENT, WEIGHT } from "./params";
import { POLY_BYTES } from "./plan";
import { sort } from "./sort";

/** {0, 1, 2} to {0, 1, -1}. */
// @ts-ignore: decorator
@inline
function centre(trit: i32): i32 {
  return trit - 3 * (trit >> 1);
}

/** Ternary: each coefficient a byte modulo 3. */
function sampleIid(a: usize, seed: usize): void {
  memory.fill(a, 0, POLY_BYTES);
  for (let i: usize = 0; i < <usize>SENT; i++) {
    const byte: i32 = load<u8>(seed + i);
    // 171/512 instead of a division, whose time might depend on the byte; exact below 256.
    store<i16>(a + 2 * i, <i16>centre(byte - 3 * ((byte * 171) >> 9)));
  }
}

/** Ternary and non-negatively correlated: the sum of a_i a_(i+1) is not negative, for HRSS keys. */
function sampleIidPlus(a: usize, seed: usize): void {
  sampleIid(a, seed);
  let correlation: i32 = 0;
  for (let i: usize = 0; i < 2 * SENT; i += 2) {
    correlation += <i32>load<i16>(a + i) * <i32>load<i16>(a + i, 2);
  }
  // Negating every second coefficient negates the correlation; `flip` is -1 or 0.
  const flip = correlation >> 31;
  for (let i: usize = 0; i < 2 * N; i += 4) {
    store<i16>(a + i, <i16>((<i32>load<i16>(a + i) ^ flip) - flip));
  }
}

/** Ternary with exactly WEIGHT/2 ones and WEIGHT/2 minus ones, placed by sorting 30 random bits of each. */
function sampleFixedType(a: usize, seed: usize): void {
  for (let i: i32 = 0; i < SENT; i++) {
    const bit = 30 * i;
    const random = <u32>(load<u64>(seed + (bit >> 3)) >> (bit & 7)) << 2;
    const trit = i < WEIGHT / 2 ? 1 : i < WEIGHT ? 2 : 0;
    store<u32>(SORT + 4 * i, random | trit);
  }
  for (let i: i32 = SENT; i < SORT_LENGTH; i++) {
    store<i32>(SORT + 4 * i, i32.MAX_VALUE);
  }
  sort();
  memory.fill(a, 0, POLY_BYTES);
  for (let i: usize = 0; i < <usize>SENT; i++) {
    store<i16>(a + 2 * i, <i16>centre(load<i32>(SORTED + 4 * i) & 3));
  }
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
