/**
 * One static block of memory holds every input, output and intermediate, so that a single fill wipes them
 * all. Nothing else in linear memory ever holds data of a caller; the host wipes after each call.
 *
 * Reads of packed bit strings load whole words and may look a few bytes beyond a buffer's end, never to use
 * them: every buffer but SECRET_KEY is followed by `SLACK` bytes. CIPHERTEXT follows SECRET_KEY without a gap
 * because the secret key ends with the rejection key and implicit rejection hashes (rejection key ||
 * ciphertext) in one piece.
 */
import {
  CIPHERTEXT_BYTES,
  MESSAGE_BYTES,
  N,
  PAIR_SEED_BYTES,
  PUBLIC_KEY_BYTES,
  REJECTION_KEY_BYTES,
  SECRET_KEY_BYTES,
  SENT,
  SHARED_SECRET_BYTES,
} from "./params";
import { POLY_BYTES, WORK_BYTES } from "./plan";

const SLACK: i32 = 16;
const SEED_ROOM: i32 = (PAIR_SEED_BYTES + REJECTION_KEY_BYTES + SLACK + 15) & ~15;
const PUBLIC_KEY_ROOM: i32 = (PUBLIC_KEY_BYTES + SLACK + 15) & ~15;
const SECRET_KEY_ROOM: i32 = (SECRET_KEY_BYTES + CIPHERTEXT_BYTES + SLACK + 15) & ~15;
const MESSAGE_ROOM: i32 = (MESSAGE_BYTES + SLACK + 15) & ~15;

/** Integers that the sort works on: the next power of two. */
export const SORT_LENGTH: i32 = SENT <= 512 ? 512 : SENT <= 1024 ? 1024 : 2048;
/** Two states of 200 bytes. */
const KECCAK_ROOM: i32 = 400;
/** unpackTrits writes whole groups of coefficients and may exceed a polynomial by a vector. */
const POLY_ROOM: i32 = POLY_BYTES + 16;

/** The sort has two copies of its integers; the bits of the inversions take less than either. */
const WORK_ROOM: i32 = WORK_BYTES > 8 * SORT_LENGTH ? WORK_BYTES : 8 * SORT_LENGTH;

export const ARENA_BYTES: i32 =
  SEED_ROOM +
  PUBLIC_KEY_ROOM +
  SECRET_KEY_ROOM +
  MESSAGE_ROOM +
  2 * SHARED_SECRET_BYTES +
  KECCAK_ROOM +
  7 * POLY_ROOM +
  2 * POLY_BYTES +
  WORK_ROOM;

export const SEED: usize = memory.data(ARENA_BYTES, 16);
export const PUBLIC_KEY: usize = SEED + SEED_ROOM;
export const SECRET_KEY: usize = PUBLIC_KEY + PUBLIC_KEY_ROOM;
export const CIPHERTEXT: usize = SECRET_KEY + SECRET_KEY_BYTES;
export const MESSAGE: usize = SECRET_KEY + SECRET_KEY_ROOM;
export const SHARED_SECRET: usize = MESSAGE + MESSAGE_ROOM;
/** SHA3-256(rejection key || ciphertext), computed by every decapsulation. */
export const REJECTION_SECRET: usize = SHARED_SECRET + SHARED_SECRET_BYTES;
export const KECCAK_STATE: usize = REJECTION_SECRET + SHARED_SECRET_BYTES;

/** Polynomials that the operations give names of their own. */
export const POLY_0: usize = KECCAK_STATE + KECCAK_ROOM;
export const POLY_1: usize = POLY_0 + POLY_ROOM;
export const POLY_2: usize = POLY_1 + POLY_ROOM;
export const POLY_3: usize = POLY_2 + POLY_ROOM;
export const POLY_4: usize = POLY_3 + POLY_ROOM;
export const POLY_5: usize = POLY_4 + POLY_ROOM;
export const POLY_6: usize = POLY_5 + POLY_ROOM;

/** Two periods of a factor, see ring.ts. */
export const TOEPLITZ: usize = POLY_6 + POLY_ROOM;
/**
 * Working memory, which the steps of the multiplication (toeplitz.ts), the sort and the inversions
 * (strided.ts) use in turns.
 */
export const WORK: usize = TOEPLITZ + 2 * POLY_BYTES;
export const SORT: usize = WORK;
export const SORTED: usize = SORT + 4 * SORT_LENGTH;
export const PLANES: usize = WORK;

/** Overwrites all that a call left behind. The host calls it after it has copied the results out. */
export function wipe(): void {
  memory.fill(SEED, 0, ARENA_BYTES);
}
