/**
 * How each set multiplies: a Toeplitz matrix of PADDED rows is split by up to four steps (toeplitz.ts), and
 * what remains are squares of BLOCK rows (block.ts). A step is named by the number of parts it makes: 2 for
 * Karatsuba, 3 to 5 for Toom-Cook, 0 for none.
 *
 * Dividing by 2, 8 or 16 in Toom-3, -4 or -5 costs 1, 3 or 4 of the 16 bits of a lane, so that a plan must
 * leave LOG_Q bits right: 509 keeps 13 of 11 needed, 677 keeps 11 of 11, 701 14 of 13, 821 13 of 12, 1229 13
 * of 12 and 1373 14 of 14. Among the plans that do, these were the fastest that were measured.
 */
import { N } from "./params";

export const STEP_0: i32 = N == 509 ? 4 : N == 677 ? 5 : 3;
export const STEP_1: i32 = N == 509 ? 2 : 3;
export const STEP_2: i32 = N == 677 ? 0 : N == 509 || N == 701 || N == 1373 ? 2 : 3;
export const STEP_3: i32 = N == 1373 ? 2 : 0;

/** Rows of the blocks at the bottom: 32, 40 or 48. */
export const BLOCK: i32 = N == 677 || N == 1229 ? 48 : N == 701 || N == 1373 ? 40 : 32;

const PARTS: i32 = STEP_0 * STEP_1 * (STEP_2 > 0 ? STEP_2 : 1) * (STEP_3 > 0 ? STEP_3 : 1);

/** Coefficients of a polynomial in memory, from n on zeros: the rows of the whole matrix. */
export const PADDED: i32 = BLOCK * PARTS;
/** Bytes of a polynomial in memory; coefficients are 16-bit words. */
export const POLY_BYTES: i32 = 2 * PADDED;

const SIZE_1: i32 = POLY_BYTES / STEP_0;
const SIZE_2: i32 = SIZE_1 / STEP_1;
const SIZE_3: i32 = STEP_2 > 0 ? SIZE_2 / STEP_2 : 0;
const SIZE_4: i32 = STEP_3 > 0 ? SIZE_3 / STEP_3 : 0;

/** Working memory of all levels: a step with D parts keeps 2D - 1 matrices and vectors of their size. */
export const WORK_BYTES: i32 =
  3 * (2 * STEP_0 - 1) * SIZE_1 +
  3 * (2 * STEP_1 - 1) * SIZE_2 +
  3 * (2 * STEP_2 - 1) * SIZE_3 +
  3 * (2 * STEP_3 - 1) * SIZE_4;
