// Lattice reduction in whole numbers: Lenstra, Lenstra and Lovász, 1982, in the integral form of Cohen, "A Course in
// Computational Algebraic Number Theory", algorithm 2.6.7. For the laboratory's break of PPSPC.

type Vector = bigint[];

const dot = (a: Vector, b: Vector) => a.reduce((sum, value, i) => sum + value * (b[i] as bigint), 0n);

function roundedQuotient(a: bigint, b: bigint): bigint {
  const twice = 2n * a + b;
  const quotient = twice / (2n * b);
  return twice < 0n && twice % (2n * b) !== 0n ? quotient - 1n : quotient;
}

/** A reduced basis (factor 3/4) of the lattice that the linearly independent rows of `basis` span. */
export function reduceLattice(basis: readonly (readonly bigint[])[]): Vector[] {
  const b = basis.map((row) => [...row]);
  const n = b.length;
  // d[i + 1] is the Gram determinant of the first i + 1 rows, lambda[i][j] the scaled Gram-Schmidt coefficient.
  const d: bigint[] = [1n];
  const lambda = Array.from({ length: n }, () => new Array<bigint>(n).fill(0n));
  const row = (i: number) => lambda[i] as bigint[];
  const at = (i: number, j: number) => row(i)[j] as bigint;

  const extend = (k: number) => {
    for (let j = 0; j <= k; j++) {
      let u = dot(b[k] as Vector, b[j] as Vector);
      for (let i = 0; i < j; i++) {
        u = ((d[i + 1] as bigint) * u - at(k, i) * at(j, i)) / (d[i] as bigint);
      }
      if (j < k) {
        row(k)[j] = u;
      } else {
        d[k + 1] = u;
      }
    }
  };
  const shorten = (k: number, l: number) => {
    const q = roundedQuotient(at(k, l), d[l + 1] as bigint);
    if (q === 0n) {
      return;
    }
    b[k] = (b[k] as Vector).map((value, i) => value - q * ((b[l] as Vector)[i] as bigint));
    row(k)[l] = at(k, l) - q * (d[l + 1] as bigint);
    for (let i = 0; i < l; i++) {
      row(k)[i] = at(k, i) - q * at(l, i);
    }
  };
  const swap = (k: number, last: number) => {
    [b[k], b[k - 1]] = [b[k - 1] as Vector, b[k] as Vector];
    for (let j = 0; j < k - 1; j++) {
      [row(k)[j], row(k - 1)[j]] = [at(k - 1, j), at(k, j)];
    }
    const mu = at(k, k - 1);
    const next = ((d[k - 1] as bigint) * (d[k + 1] as bigint) + mu * mu) / (d[k] as bigint);
    for (let i = k + 1; i <= last; i++) {
      const t = at(i, k);
      row(i)[k] = ((d[k + 1] as bigint) * at(i, k - 1) - mu * t) / (d[k] as bigint);
      row(i)[k - 1] = (next * t + mu * at(i, k)) / (d[k + 1] as bigint);
    }
    d[k] = next;
  };

  extend(0);
  let last = 0;
  for (let k = 1; k < n; ) {
    if (k > last) {
      last = k;
      extend(k);
    }
    shorten(k, k - 1);
    const mu = at(k, k - 1);
    if (4n * (d[k + 1] as bigint) * (d[k - 1] as bigint) < 3n * (d[k] as bigint) ** 2n - 4n * mu * mu) {
      swap(k, last);
      k = Math.max(1, k - 1);
    } else {
      for (let l = k - 2; l >= 0; l--) {
        shorten(k, l);
      }
      k += 1;
    }
  }
  return b;
}
