/**
 * The parameter set, fixed at compile time (specification of the NTRU round-3 package).
 *
 * asconfig.json has one target per set; each introduces three integer constants with `use`: `NTRU_N` (the
 * ring degree n, a prime), `NTRU_LOG_Q` (q = 2^NTRU_LOG_Q) and `NTRU_HRSS` (1 for the HRSS family, 0 for the
 * HPS family). Everything else follows from them.
 */
export const N: i32 = NTRU_N;
export const LOG_Q: i32 = NTRU_LOG_Q;
export const HRSS: bool = NTRU_HRSS != 0;

export const Q_MASK: i32 = (1 << LOG_Q) - 1;

/** HPS: coefficients of g and m that are not zero, half of them 1 and half -1 (q/8 - 2). */
export const WEIGHT: i32 = (1 << (LOG_Q - 3)) - 2;

/** Coefficients that are stored or sent: the last one follows from the others. */
export const SENT: i32 = N - 1;

export const TRITS_BYTES: i32 = (SENT + 4) / 5;
export const MESSAGE_BYTES: i32 = 2 * TRITS_BYTES;
export const PUBLIC_KEY_BYTES: i32 = (LOG_Q * SENT + 7) / 8;
export const CIPHERTEXT_BYTES: i32 = PUBLIC_KEY_BYTES;
export const REJECTION_KEY_BYTES: i32 = 32;
export const SHARED_SECRET_BYTES: i32 = 32;
/** f, 1/f mod 3, 1/h mod q, and the key of the implicit rejection. */
export const SECRET_KEY_BYTES: i32 = MESSAGE_BYTES + PUBLIC_KEY_BYTES + REJECTION_KEY_BYTES;

const IID_BYTES: i32 = SENT;
const FIXED_TYPE_BYTES: i32 = (30 * SENT + 7) / 8;
/** Seed bytes of one independent, then of the second polynomial of a pair: (f, g) as well as (r, m). */
export const FIRST_SEED_BYTES: i32 = IID_BYTES;
export const SECOND_SEED_BYTES: i32 = HRSS ? IID_BYTES : FIXED_TYPE_BYTES;
export const PAIR_SEED_BYTES: i32 = FIRST_SEED_BYTES + SECOND_SEED_BYTES;
