import type { Bytes } from "../base/index.ts";

/** What a pool asks a worker for: `count` operations on one buffer, which is transferred. */
export interface PoolRequest {
  readonly id: number;
  readonly operation: "generateKeyPairs" | "encapsulateMany" | "decapsulateMany";
  readonly count: number;
  /** Nothing; the public keys; or the secret key and then the ciphertexts: one behind the other. */
  readonly input: Bytes;
}

/** The parts of a `MedcloudletError` that survive the way between threads. */
export interface PoolFailure {
  readonly code: string;
  readonly message: string;
  readonly status: number;
}

/** What a worker says: that it runs, that it cannot start, and for each request its results or an error. */
export type PoolReply =
  | { readonly kind: "ready" }
  | { readonly kind: "unable"; readonly failure: PoolFailure }
  | { readonly kind: "failed"; readonly id: number; readonly failure: PoolFailure }
  /** Key pairs, ciphertexts with shared secrets, or shared secrets: one behind the other, transferred. */
  | { readonly kind: "done"; readonly id: number; readonly output: Bytes };

/** Cuts records of fields of these lengths out of `bytes`, as copies. */
export function splitRecords(bytes: Uint8Array, lengths: readonly number[]): Bytes[][] {
  const records: Bytes[][] = [];
  let offset = 0;
  while (offset < bytes.length) {
    records.push(
      lengths.map((length) => {
        offset += length;
        return new Uint8Array(bytes.subarray(offset - length, offset));
      }),
    );
  }
  return records;
}
