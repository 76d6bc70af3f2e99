import { MedcloudletError, randomBytes, toHex } from "../base/index.ts";

// LABORATORY ONLY. Nothing in the services may use this room's file: it is not exported by index.ts. It is here because the
// system this project grew from compares symptoms this way, and because the test beside it shows that six values of
// the first message give away the whole vector. What is used instead is similarity.ts.
//
// PPSPC, the privacy-preserving scalar product computation of SPOC (Lu, Lin and Shen, "SPOC: A Secure and
// Privacy-preserving Opportunistic Computing Framework for Mobile-Healthcare Emergency", IEEE Transactions on
// Parallel and Distributed Systems, 2013).

/** Sizes of our own choice beside |α|; β has to hold n α², and larger ones do not help: the break below only slows down. */
const ALPHA_BITS = 256;
const BETA_BITS = 640;
const FACTOR_BITS = 320;
const NOISE_BITS = 128;

/** What A sends to B. */
export interface PpspcQuestion {
  readonly alpha: bigint;
  readonly values: readonly bigint[];
}

/** What A keeps. */
export interface PpspcSecret {
  readonly alpha: bigint;
  readonly beta: bigint;
  readonly key: bigint;
}

/**
 * A's message for a vector of zeros and ones: C_i = a_i α + c_i + r_i β with |α| = 256 bits, small random c_i and large
 * random r_i, and the secret K = Σ(r_i β - c_i).
 * @throws MedcloudletError `PPSPC_VECTOR_INVALID`
 */
export function ppspcAsk(vector: readonly number[]): { question: PpspcQuestion; secret: PpspcSecret } {
  assertBinary(vector);
  const alpha = randomBits(ALPHA_BITS);
  const beta = randomBits(BETA_BITS);
  let key = 0n;
  const values = vector.map((a) => {
    const noise = randomBits(NOISE_BITS);
    const factor = randomBits(FACTOR_BITS);
    key += factor * beta - noise;
    return BigInt(a) * alpha + noise + factor * beta;
  });
  return { question: { alpha, values }, secret: { alpha, beta, key } };
}

/** B's answer with its own vector: D = Σ (b_i = 1 ? α C_i : C_i). @throws MedcloudletError `PPSPC_VECTOR_INVALID` */
export function ppspcAnswer({ alpha, values }: PpspcQuestion, vector: readonly number[]): bigint {
  assertBinary(vector);
  if (vector.length !== values.length) {
    throw new MedcloudletError("PPSPC_VECTOR_INVALID", "Both vectors have the same length.", { status: 400 });
  }
  return values.reduce((sum, value, i) => sum + (vector[i] === 1 ? alpha * value : value), 0n);
}

/** A reads the scalar product: E = (D + K) mod β, a·b = (E - (E mod α²)) / α². */
export function ppspcRead({ alpha, beta, key }: PpspcSecret, answer: bigint): number {
  const e = (((answer + key) % beta) + beta) % beta;
  const square = alpha * alpha;
  return Number((e - (e % square)) / square);
}

/** Exactly `bits` bits. */
function randomBits(bits: number): bigint {
  return BigInt(`0x${toHex(randomBytes(bits / 8))}`) | (1n << BigInt(bits - 1));
}

function assertBinary(vector: readonly number[]): void {
  if (vector.length === 0 || !vector.every((value) => value === 0 || value === 1)) {
    throw new MedcloudletError("PPSPC_VECTOR_INVALID", "A vector holds zeros and ones.", { status: 400 });
  }
}
