import { type Bytes, concatBytes, fromBase64Url, fromHex, randomBytes, toHex } from "../base/index.ts";

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

/** The field of Ed25519: 2^255 - 19. */
const FIELD = 2n ** 255n - 19n;

/**
 * The y coordinates of the eight points whose order divides the cofactor 8, and of no others: 1 (order 1), -1 (order
 * 2), 0 (order 4, two points) and two of order 8 (two points each).
 */
const SMALL_ORDER_Y = [
  1n,
  FIELD - 1n,
  0n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
];

/**
 * False for a public key that is no commitment to anything: a point of small order, for which anybody can make
 * signatures, or a coordinate that is not reduced, which would give one key two spellings (RFC 8032, section 5.1.3;
 * "Taming the many EdDSAs", Chalkias et al. 2020). Verifiers, OpenSSL's among them, do not look.
 */
export function isSoundPublicKey(publicKey: Bytes): boolean {
  if (publicKey.length !== SIGNING_KEY_BYTES) {
    return false;
  }
  const bigEndian = toHex(new Uint8Array(publicKey).reverse());
  // The top bit is the sign of x.
  const y = BigInt(`0x${bigEndian}`) & (2n ** 255n - 1n);
  return y < FIELD && !SMALL_ORDER_Y.includes(y);
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
