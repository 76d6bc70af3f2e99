import type { Bytes } from "../base/index.ts";

/**
 * What goes into or comes out of some operations: what is public in one buffer, what is secret in another, values of
 * a kind one behind the other. Thus the public ones can be handed out where they lie, and the secret ones be wiped.
 */
export interface PoolBytes {
  /** Public keys or ciphertexts, or nothing. */
  readonly publics: Bytes;
  /** Secret keys or shared secrets, or nothing. */
  readonly secrets: Bytes;
}

/** What a pool asks a worker for: `count` operations. The buffers of the input are transferred. */
export interface PoolRequest {
  readonly id: number;
  readonly operation: "generateKeyPairs" | "encapsulateMany" | "decapsulateMany";
  readonly count: number;
  /** Nothing; public keys; or ciphertexts and the one secret key that all are for. */
  readonly input: PoolBytes;
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
  /** Key pairs; ciphertexts with shared secrets; or shared secrets alone. The buffers are transferred. */
  | { readonly kind: "done"; readonly id: number; readonly output: PoolBytes };

/** Value number `index` of values of this length, one behind the other: a view. */
export function valueAt(values: Bytes, index: number, length: number): Bytes {
  return values.subarray(index * length, (index + 1) * length);
}

/** The buffers of a message, for its list of what to transfer. */
export function buffersOf({ publics, secrets }: PoolBytes): ArrayBuffer[] {
  return [publics.buffer, secrets.buffer];
}
