import { type Bytes, concatBytes, fromBase64Url, fromHex, MedcloudletError } from "../base/index.ts";

/** Length of an X25519 private key, public key and shared secret (RFC 7748, section 5). */
export const X25519_BYTES = 32;

/** PKCS #8 wrapping of a raw X25519 private key (RFC 8410, section 7): WebCrypto imports no bare seed. */
const PKCS8_PREFIX = fromHex("302e020100300506032b656e04220420");

/** Imports 32 raw bytes as an X25519 private key and computes its public key. */
export async function importX25519PrivateKey(
  raw: Uint8Array,
): Promise<{ privateKey: CryptoKey; publicKey: Bytes }> {
  const privateKey = await crypto.subtle.importKey("pkcs8", concatBytes(PKCS8_PREFIX, raw), "X25519", true, [
    "deriveBits",
  ]);
  const jwk = await crypto.subtle.exportKey("jwk", privateKey);
  return { privateKey, publicKey: fromBase64Url(jwk.x as string) };
}

/** A fresh X25519 key pair; on Node several times as fast as importing random bytes, which go through a PKCS #8 parser. */
export async function generateX25519Pair(): Promise<{ privateKey: CryptoKey; publicKey: Bytes }> {
  const pair = (await crypto.subtle.generateKey("X25519", false, ["deriveBits"])) as CryptoKeyPair;
  return {
    privateKey: pair.privateKey,
    publicKey: new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)),
  };
}

/** Imports 32 raw bytes as an X25519 public key. */
export function importX25519PublicKey(raw: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", raw, "X25519", true, []);
}

/**
 * The X25519 function. An all-zero result (a point of small order) is refused, as RFC 9180 section 7.1.4 demands.
 * @throws MedcloudletError `SEALING_KEY_INVALID`
 */
export async function x25519(privateKey: CryptoKey, publicKey: CryptoKey): Promise<Bytes> {
  try {
    const secret = new Uint8Array(
      await crypto.subtle.deriveBits({ name: "X25519", public: publicKey }, privateKey, 8 * X25519_BYTES),
    );
    if (secret.every((byte) => byte === 0)) {
      throw new Error("all-zero shared secret");
    }
    return secret;
  } catch (cause) {
    throw new MedcloudletError("SEALING_KEY_INVALID", "The X25519 public key is not usable.", {
      status: 400,
      cause,
    });
  }
}
