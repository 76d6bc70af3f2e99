import { sha256 } from "@noble/hashes/sha2.js";
import { randomBytes, toBase64Url, utf8 } from "../base/index.ts";

/** 32 random bytes as text: a session token or an invitation code. */
export function newSecret(): string {
  return toBase64Url(randomBytes(32));
}

/** What the store keeps of a secret. A plain hash is enough: 256 random bits cannot be guessed. */
export function secretHash(secret: string): string {
  return toBase64Url(sha256(utf8(secret)));
}
