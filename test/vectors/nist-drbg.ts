import { createCipheriv } from "node:crypto";
import type { Bytes } from "../../host/base/index.ts";

const BLOCK_BYTES = 16;
const KEY_BYTES = 32;
const SEED_BYTES = 48;

/**
 * The deterministic generator of the NIST test harness: CTR_DRBG with AES-256, without derivation function, personal
 * string or reseeding (NIST SP 800-90A, section 10.2.1). For known answers only.
 */
export class NistDrbg {
  #key: Uint8Array = new Uint8Array(KEY_BYTES);
  #counter: Uint8Array = new Uint8Array(BLOCK_BYTES);

  /** @param entropy 48 bytes */
  constructor(entropy: Uint8Array) {
    this.#update(entropy);
  }

  /** The next `length` bytes. The harness throws the rest of the last block away, and renews the key after each call. */
  next(length: number): Bytes {
    const bytes = this.#blocks(Math.ceil(length / BLOCK_BYTES));
    this.#update(new Uint8Array(SEED_BYTES));
    return bytes.slice(0, length);
  }

  /** AES of `count` counters in a row: counter mode over zeros, from the incremented counter on. */
  #blocks(count: number): Bytes {
    const bytes = new Uint8Array(count * BLOCK_BYTES);
    const first = this.#advance(1);
    const cipher = createCipheriv("aes-256-ctr", this.#key, first);
    bytes.set(cipher.update(bytes));
    this.#advance(count - 1);
    return bytes;
  }

  /** Adds to the counter, a big-endian integer modulo 2^128, and returns it. */
  #advance(steps: number): Uint8Array {
    const value = BigInt(`0x${Buffer.from(this.#counter).toString("hex")}`) + BigInt(steps);
    const text = BigInt.asUintN(128, value).toString(16).padStart(32, "0");
    this.#counter = Buffer.from(text, "hex");
    return this.#counter;
  }

  #update(data: Uint8Array): void {
    const next = this.#blocks(SEED_BYTES / BLOCK_BYTES).map((byte, i) => byte ^ (data[i] as number));
    this.#key = next.slice(0, KEY_BYTES);
    this.#counter = next.slice(KEY_BYTES);
  }
}
