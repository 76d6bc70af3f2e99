/** The sizes of one parameter set of the NTRU round-3 package; all lengths in bytes. */
export interface NtruParameters {
  /** Degree of the ring Z[x]/(x^n - 1), a prime. */
  readonly n: number;
  /** Modulus of the coefficients, a power of two. */
  readonly q: number;
  readonly publicKeyBytes: number;
  /** f, 1/f mod 3, 1/h mod q and the 32-byte key of the implicit rejection. */
  readonly secretKeyBytes: number;
  readonly ciphertextBytes: number;
  readonly sharedSecretBytes: 32;
  /** Randomness that f and g are sampled from; a key seed has the 32 bytes of the rejection key behind it. */
  readonly sampleFgBytes: number;
  /** Randomness that r and m are sampled from: a whole encapsulation seed. */
  readonly sampleRmBytes: number;
}

/**
 * The six parameter sets of the NTRU round-3 package.
 * `ntruhps*` sample g and m with a fixed number of ones and minus ones, `ntruhrss*` without.
 */
export const NTRU_PARAMETERS = {
  ntruhps2048509: {
    n: 509,
    q: 2048,
    publicKeyBytes: 699,
    secretKeyBytes: 935,
    ciphertextBytes: 699,
    sharedSecretBytes: 32,
    sampleFgBytes: 2413,
    sampleRmBytes: 2413,
  },
  ntruhps2048677: {
    n: 677,
    q: 2048,
    publicKeyBytes: 930,
    secretKeyBytes: 1234,
    ciphertextBytes: 930,
    sharedSecretBytes: 32,
    sampleFgBytes: 3211,
    sampleRmBytes: 3211,
  },
  ntruhps4096821: {
    n: 821,
    q: 4096,
    publicKeyBytes: 1230,
    secretKeyBytes: 1590,
    ciphertextBytes: 1230,
    sharedSecretBytes: 32,
    sampleFgBytes: 3895,
    sampleRmBytes: 3895,
  },
  ntruhps40961229: {
    n: 1229,
    q: 4096,
    publicKeyBytes: 1842,
    secretKeyBytes: 2366,
    ciphertextBytes: 1842,
    sharedSecretBytes: 32,
    sampleFgBytes: 5833,
    sampleRmBytes: 5833,
  },
  ntruhrss701: {
    n: 701,
    q: 8192,
    publicKeyBytes: 1138,
    secretKeyBytes: 1450,
    ciphertextBytes: 1138,
    sharedSecretBytes: 32,
    sampleFgBytes: 1400,
    sampleRmBytes: 1400,
  },
  ntruhrss1373: {
    n: 1373,
    q: 16384,
    publicKeyBytes: 2401,
    secretKeyBytes: 2983,
    ciphertextBytes: 2401,
    sharedSecretBytes: 32,
    sampleFgBytes: 2744,
    sampleRmBytes: 2744,
  },
} as const satisfies Record<string, NtruParameters>;

/** Name of a parameter set, as in the NTRU round-3 package. */
export type NtruSetName = keyof typeof NTRU_PARAMETERS;

/** True when `name` names one of the six parameter sets. */
export function isNtruSetName(name: string): name is NtruSetName {
  return Object.hasOwn(NTRU_PARAMETERS, name);
}
