/** Slow and obvious arithmetic in Z[x]/(x^n - 1) to hold the kernels against. Nothing here is constant-time. */

/** The remainder in 0 .. modulus - 1, for any integer. */
export function modulo(value: number, modulus: number): number {
  return ((value % modulus) + modulus) % modulus;
}

/** The remainder in -floor(modulus/2) .. ceil(modulus/2) - 1. */
export function centred(value: number, modulus: number): number {
  const half = Math.floor(modulus / 2);
  return modulo(value + half, modulus) - half;
}

/** The product modulo x^n - 1, with integer coefficients (exact below 2^53). */
export function multiply(a: readonly number[], b: readonly number[]): number[] {
  const n = a.length;
  const product = new Array<number>(n).fill(0);
  a.forEach((left, i) => {
    b.forEach((right, j) => {
      const k = (i + j) % n;
      product[k] = (product[k] as number) + left * right;
    });
  });
  return product;
}

/** The representative modulo 1 + x + ... + x^(n-1) whose last coefficient is zero. */
export function reducePhi(a: readonly number[]): number[] {
  const last = a.at(-1) as number;
  return a.map((value) => value - last);
}

/** The constant 1. */
export function one(n: number): number[] {
  return Array.from({ length: n }, (_, i) => (i === 0 ? 1 : 0));
}

/**
 * Lift of the HRSS family by its definition: (x - 1) times the ternary b with (x - 1) b = m modulo (3, Phi_n).
 * Solves for b from the bottom: b_0 is tried in turn, the rest follows.
 */
export function liftHrss(m: readonly number[]): number[] {
  const n = m.length;
  for (const guess of [0, 1, -1]) {
    // With b_(n-1) = 0, modulo Phi_n all coefficients may be off by the same t, which is b_(n-2) - m_(n-1).
    for (const t of [0, 1, -1]) {
      const b = [guess];
      for (let i = 1; i < n; i++) {
        b.push(centred((b[i - 1] as number) - (m[i] as number) - t, 3));
      }
      const closes = b[n - 1] === 0 && centred(-guess - (m[0] as number) - t, 3) === 0;
      if (closes) {
        return b.map((value, i) => (i === 0 ? 0 : (b[i - 1] as number)) - value);
      }
    }
  }
  throw new Error("x - 1 is invertible modulo (3, Phi_n): there is a lift");
}
