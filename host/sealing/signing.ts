import { type Bytes, concatBytes, fromBase64Url, fromHex, randomBytes } from "../base/index.ts";

/** Lengths of Ed25519 (RFC 8032, section 5.1). */
export const SIGNATURE_BYTES = 64;
export const SIGNING_KEY_BYTES = 32;

/** PKCS #8 wrapping of a raw Ed25519 seed (RFC 8410, section 7). */
const PKCS8_PREFIX = fromHex("302e020100300506032b657004220420");

/** An Ed25519 key pair that can sign. The private half stays inside WebCrypto. */
export interface SigningKey {
  /** 32 bytes. */
  readonly publicKey: Bytes;
  readonly privateKey: CryptoKey;
  sign(message: Bytes): Promise<Bytes>;
}

/** A fresh 32-byte Ed25519 seed. */
export function generateSigningSeed(): Bytes {
  return randomBytes(SIGNING_KEY_BYTES);
}

/** The signing key of a 32-byte seed. */
export async function importSigningKey(seed: Bytes): Promise<SigningKey> {
  const pkcs8 = concatBytes(PKCS8_PREFIX, seed);
  const exportable = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
  const jwk = await crypto.subtle.exportKey("jwk", exportable);
  const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]);
  pkcs8.fill(0);
  return {
    publicKey: fromBase64Url(jwk.x as string),
    privateKey,
    sign: async (message) => new Uint8Array(await crypto.subtle.sign("Ed25519", privateKey, message)),
  };
}

/** A 32-byte Ed25519 public key for WebCrypto and jose. */
export function importVerifyingKey(publicKey: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", publicKey, "Ed25519", true, ["verify"]);
}

/** True when `signature` (64 bytes) is `publicKey`'s signature of `message`. Never throws on bad input. */
export async function verifySignature(publicKey: Bytes, message: Bytes, signature: Bytes): Promise<boolean> {
  try {
    const key = await importVerifyingKey(publicKey);
    return await crypto.subtle.verify("Ed25519", key, signature, message);
  } catch {
    return false;
  }
}
