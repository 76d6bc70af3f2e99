/**
 * The deterministic public-key encryption inside the KEM (NTRU round-3 specification). It encrypts a pair
 * (r, m) of ternary polynomials, and decryption finds both again or reports that the ciphertext is none of
 * its making.
 */
import {
  CIPHERTEXT,
  MESSAGE,
  POLY_0,
  POLY_1,
  POLY_2,
  POLY_3,
  POLY_4,
  POLY_5,
  POLY_6,
  PUBLIC_KEY,
  SECRET_KEY,
  SEED,
} from "./arena";
import { invert3 } from "./invert3";
import { invertQ } from "./invertq";
import { packQ, packTrits, unpackQ, unpackSumZero, unpackTrits, unusedBits } from "./pack";
import { HRSS, MESSAGE_BYTES, Q_MASK, TRITS_BYTES, WEIGHT } from "./params";
import { POLY_BYTES } from "./plan";
import { add, lift, multiply, reduce3, reducePhi, scaleG, subtract } from "./ring";
import { sampleFg, sampleRm } from "./sample";
import { sumOfLanes } from "./vector";

const INVERSE_H: usize = SECRET_KEY + MESSAGE_BYTES;

/**
 * From the seed at SEED: h = G/f at PUBLIC_KEY and (f, 1/f mod 3, 1/h mod q) at SECRET_KEY. One inversion of
 * f G gives both h = (1/fG) G G and 1/h = (1/fG) f f.
 */
export function keyPair(): void {
  const f = POLY_0;
  const g = POLY_1;
  const fg = POLY_2;
  const inverse = POLY_3;
  const spare = POLY_4;
  const product = POLY_5;

  sampleFg(f, g, SEED);
  packTrits(SECRET_KEY, f);
  invert3(inverse, f);
  packTrits(SECRET_KEY + TRITS_BYTES, inverse);

  scaleG(g);
  multiply(fg, f, g);
  invertQ(inverse, fg, spare, product, POLY_6);

  multiply(spare, inverse, f);
  multiply(product, spare, f);
  reducePhi(product);
  packQ(INVERSE_H, product);

  multiply(spare, inverse, g);
  multiply(product, spare, g);
  packQ(PUBLIC_KEY, product);
}

/** From the seed at SEED and PUBLIC_KEY: r and m packed at MESSAGE, c = r h + Lift(m) at CIPHERTEXT. */
export function encrypt(): void {
  const r = POLY_0;
  const m = POLY_1;
  const h = POLY_2;
  const c = POLY_3;

  sampleRm(r, m, SEED);
  packTrits(MESSAGE, r);
  packTrits(MESSAGE + TRITS_BYTES, m);

  unpackSumZero(h, PUBLIC_KEY);
  multiply(c, r, h);
  lift(m);
  add(c, m);
  packQ(CIPHERTEXT, c);
}

/** Zero when the ternary m has WEIGHT/2 ones and as many minus ones, which HPS demands. */
function wrongWeight(m: usize): u32 {
  let nonzero = i16x8.splat(0);
  let sum = nonzero;
  for (let i: usize = 0; i < <usize>POLY_BYTES; i += 16) {
    const trits = v128.load(m + i);
    nonzero = i16x8.add(nonzero, v128.and(trits, i16x8.splat(1)));
    sum = i16x8.add(sum, trits);
  }
  return (sumOfLanes(nonzero) ^ WEIGHT) | sumOfLanes(sum);
}

/** Zero when each coefficient modulo q is -1, 0 or 1. */
function notTernary(r: usize): u32 {
  let largest = i16x8.splat(0);
  for (let i: usize = 0; i < <usize>POLY_BYTES; i += 16) {
    const oneMore = i16x8.add(v128.load(r + i), i16x8.splat(1));
    largest = i16x8.max_u(largest, v128.and(oneMore, i16x8.splat(<i16>Q_MASK)));
  }
  const wrong = i16x8.gt_u(largest, i16x8.splat(2));
  return i16x8.bitmask(wrong);
}

/**
 * From CIPHERTEXT and SECRET_KEY: r and m packed at MESSAGE. Returns zero when the ciphertext is the
 * encryption of this (r, m); what it returns is secret, and whatever it is, the same work is done.
 */
export function decrypt(): u32 {
  const c = POLY_0;
  const f = POLY_1;
  const product = POLY_2;
  const m = POLY_3;
  const lifted = POLY_4;
  const inverse = POLY_5;
  const r = POLY_6;

  // m = (c f mod q) / f mod 3.
  unpackSumZero(c, CIPHERTEXT);
  unpackTrits(f, SECRET_KEY);
  multiply(product, f, c);
  reduce3(product);
  unpackTrits(inverse, SECRET_KEY + TRITS_BYTES);
  multiply(m, product, inverse);
  reduce3(m);
  packTrits(MESSAGE + TRITS_BYTES, m);

  let wrong = unusedBits(CIPHERTEXT);
  if (!HRSS) {
    wrong |= wrongWeight(m);
  }

  // r = (c - Lift(m)) / h mod q. A ternary r shows that encrypting (r, m) again would give c.
  memory.copy(lifted, m, POLY_BYTES);
  lift(lifted);
  subtract(c, lifted);
  unpackQ(inverse, INVERSE_H);
  multiply(r, c, inverse);
  reducePhi(r);
  wrong |= notTernary(r);
  reduce3(r);
  packTrits(MESSAGE, r);
  return wrong;
}
