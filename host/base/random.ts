/** A stream of pseudo-random numbers for simulation. Never for keys or nonces: it is predictable by design. */
export interface Random {
  /** Uniform in [0, 1), 32 bits. */
  uniform(): number;
  /** Uniform in [low, high). */
  between(low: number, high: number): number;
  /** Standard normal. */
  normal(): number;
  /** Exponential with the given mean. */
  exponential(mean: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
}

/** Rounds that carry every seed bit to every state bit, as many as PractRand uses for three seed words. */
const WARM_UP_ROUNDS = 15;

/**
 * The generator sfc32 (Chris Doty-Humphrey, PractRand; public domain): 128 bits of state, a 32-bit counter that
 * guarantees a period of at least 2^32.
 *
 * @param seed an integer from 0 to 2^53 - 1
 * @param stream a number of its own for each purpose (32 bits), so that one purpose drawing more numbers does
 *   not change another's
 */
export function createRandom(seed: number, stream: number): Random {
  let a = seed | 0;
  let b = Math.floor(seed / 2 ** 32) | 0;
  let c = stream | 0;
  let counter = 1;

  function next(): number {
    const output = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + output) | 0;
    return output >>> 0;
  }

  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    next();
  }

  const uniform = () => next() / 2 ** 32;
  return {
    uniform,
    between: (low, high) => low + (high - low) * uniform(),
    normal: () => normalByPolarMethod(uniform),
    exponential: (mean) => -mean * Math.log(1 - uniform()),
    chance: (probability) => uniform() < probability,
  };
}

/** Marsaglia's polar method (SIAM Review 6(3), 1964); the second of the pair is not kept. */
function normalByPolarMethod(uniform: () => number): number {
  for (;;) {
    const x = 2 * uniform() - 1;
    const y = 2 * uniform() - 1;
    const square = x * x + y * y;
    if (square > 0 && square < 1) {
      return x * Math.sqrt((-2 * Math.log(square)) / square);
    }
  }
}
