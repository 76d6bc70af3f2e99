import { type Bytes, concatBytes } from "../../../host/base/index.ts";
import type { NtruParameters } from "../../../host/ntru/index.ts";
import { modulo } from "../../assembly/reference.ts";

/** The bytes of the first n - 1 coefficients modulo q, low bits first. */
export function packQ({ n, q, ciphertextBytes }: NtruParameters, coefficients: readonly number[]): Bytes {
  const width = Math.log2(q);
  const bytes = new Uint8Array(ciphertextBytes);
  for (let bit = 0; bit < width * (n - 1); bit++) {
    const value = modulo(coefficients[Math.floor(bit / width)] as number, q);
    bytes[bit >> 3] = (bytes[bit >> 3] as number) | (((value >> (bit % width)) & 1) << (bit & 7));
  }
  return bytes;
}

/** The n coefficients of a multiple of x - 1: n - 1 from the bytes, and the last one so that the sum is zero. */
export function unpackSumZero({ n, q }: NtruParameters, bytes: Uint8Array): number[] {
  const width = Math.log2(q);
  const coefficients: number[] = [];
  for (let i = 0; i < n - 1; i++) {
    let value = 0;
    for (let k = 0; k < width; k++) {
      const bit = i * width + k;
      value |= (((bytes[bit >> 3] as number) >> (bit & 7)) & 1) << k;
    }
    coefficients.push(value);
  }
  const sum = coefficients.reduce((total, value) => total + value, 0);
  return [...coefficients, modulo(-sum, q)];
}

/** The bytes of n - 1 ternary coefficients, five to a byte in base 3. */
export function packTrits({ n }: NtruParameters, trits: readonly number[]): Bytes {
  return Uint8Array.from({ length: Math.ceil((n - 1) / 5) }, (_, i) =>
    trits.slice(5 * i, Math.min(5 * i + 5, n - 1)).reduceRight((byte, trit) => 3 * byte + modulo(trit, 3), 0),
  );
}

/** The sum of the first n - 1 coefficients that packTrits wrote. */
export function sumOfTrits({ n }: NtruParameters, bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < n - 1; i++) {
    sum += ((Math.floor((bytes[Math.floor(i / 5)] as number) / 3 ** (i % 5)) + 1) % 3) - 1;
  }
  return sum;
}

/** r, then m: what the shared secret is the hash of. */
export function packMessage(parameters: NtruParameters, r: readonly number[], m: readonly number[]): Bytes {
  return concatBytes(packTrits(parameters, r), packTrits(parameters, m));
}
