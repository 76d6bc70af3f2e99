import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes, concatBytes, randomBytes, utf8 } from "../base/index.ts";

const NONCE_BYTES = 12;

/** 32 bytes that follow from a secret of full entropy and a label (HKDF-SHA256, RFC 5869), and tell nothing of it. */
export function deriveSecret(secret: Bytes, label: string): Bytes {
  return new Uint8Array(hkdf(sha256, secret, undefined, utf8(label), 32));
}

function aesKey(secret: Bytes, label: string): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", deriveSecret(secret, label), "AES-GCM", false, [
    "encrypt",
    "decrypt",
  ]);
}

/** Locks bytes with a secret that cannot be guessed; so no scrypt. AES-256-GCM, nonce in front. */
export async function lockWith(secret: Bytes, label: string, plaintext: Bytes): Promise<Bytes> {
  const iv = randomBytes(NONCE_BYTES);
  const parameters = { name: "AES-GCM", iv, additionalData: utf8(label) };
  const locked = await crypto.subtle.encrypt(parameters, await aesKey(secret, label), plaintext);
  return concatBytes(iv, new Uint8Array(locked));
}

/** Opens what `lockWith` locked; null when it was locked otherwise or changed. */
export async function unlockWith(secret: Bytes, label: string, locked: Bytes): Promise<Bytes | null> {
  const parameters = { name: "AES-GCM", iv: locked.slice(0, NONCE_BYTES), additionalData: utf8(label) };
  try {
    const key = await aesKey(secret, label);
    return new Uint8Array(await crypto.subtle.decrypt(parameters, key, locked.slice(NONCE_BYTES)));
  } catch {
    return null;
  }
}
