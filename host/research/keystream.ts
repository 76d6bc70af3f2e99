import { createCipheriv, createHash, randomBytes } from "node:crypto";
import { toBase64Url } from "../base/index.ts";

/** Random numbers that nobody can foretell who does not have the seed. */
export interface Keystream {
  /** Uniform whole number below `bound` (from 1 to 2^32), without bias. */
  below(bound: number): number;
  /** 96 bits as 16 letters. */
  id(): string;
}

const PORTION = 65_536;

/**
 * AES-256 in counter mode under SHA-256 of purpose and seed. The seeded generator for simulations will not do here:
 * whoever can guess the order in which rows were shuffled has undone the shuffling.
 *
 * @param seed the release's secret; two releases with one seed and one table are the same to the byte
 * @param purpose keeps the streams of one seed apart
 */
export function createKeystream(seed: string, purpose: string): Keystream {
  const key = createHash("sha256").update(`medcloudlet-release\n${purpose}\n${seed}`).digest();
  const cipher = createCipheriv("aes-256-ctr", key, Buffer.alloc(16));
  const zeros = Buffer.alloc(PORTION);
  let portion = Buffer.alloc(0);
  let at = 0;

  function take(bytes: number): number {
    if (at + bytes > portion.length) {
      portion = cipher.update(zeros);
      at = 0;
    }
    at += bytes;
    return at - bytes;
  }

  return {
    below(bound) {
      const limit = 2 ** 32 - (2 ** 32 % bound);
      for (;;) {
        const offset = take(4);
        const value = portion.readUInt32LE(offset);
        if (value < limit) {
          return value % bound;
        }
      }
    },
    id() {
      const offset = take(12);
      return toBase64Url(portion.subarray(offset, offset + 12));
    },
  };
}

/** A seed nobody knows. */
export function randomSeed(): string {
  return toBase64Url(randomBytes(32));
}

/** Fisher and Yates' shuffle, in place. */
export function shuffle(items: Uint32Array, stream: Keystream): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = stream.below(i + 1);
    const kept = items[i] as number;
    items[i] = items[j] as number;
    items[j] = kept;
  }
}
