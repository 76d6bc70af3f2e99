/**
 * The arithmetic with a door of its own, for tests and measurements only: test/assembly compiles this file in
 * memory, and no build of the product contains it.
 */
export {
  KECCAK_STATE,
  POLY_0,
  POLY_1,
  POLY_2,
  POLY_3,
  POLY_4,
  SEED,
  SORT,
  SORT_LENGTH,
  SORTED,
  wipe,
} from "./arena";
export { invert2 } from "./invert2";
export { invert3 } from "./invert3";
export { invertQ } from "./invertq";
export { keccakF1600, keccakF1600Pair } from "./keccak";
export { packQ, packTrits, unpackQ, unpackSumZero, unpackTrits } from "./pack";
export { N } from "./params";
export { PADDED } from "./plan";
export { lift, multiply, reduce3, reducePhi } from "./ring";
export { sampleFg, sampleRm } from "./sample";
export { sha3, sha3Pair } from "./sha3";
export { sort } from "./sort";
