import { Aes256Gcm, CipherSuite, HkdfSha256 } from "@hpke/core";
import { type Bytes, MedcloudletError, randomBytes } from "../base/index.ts";
import { NTRU_PARAMETERS, type Ntru } from "../ntru/index.ts";
import { createNtruX25519Kem, HYBRID_SEED_BYTES, hybridPublicKeyBytes } from "./hybrid-kem.ts";

/** What a sealed batch names in its suite byte. */
export const SUITE = { ntruHps2048677X25519: 1 } as const;

/** Public and private half of a hybrid key pair; the private half is a 32-byte seed. */
export interface HybridKeyPair {
  readonly publicKey: Bytes;
  readonly privateKey: Bytes;
}

/** Something sealed to one public key: the encapsulated key and the AES-256-GCM ciphertext with its tag. */
export interface Sealed {
  readonly enc: Bytes;
  readonly ciphertext: Bytes;
}

/** A private key, expanded once, that opens what was sealed to it. */
export interface Recipient {
  readonly publicKey: Bytes;
  /**
   * Opens one sealed message. Every cause of failure (wrong key, changed bytes, wrong `info` or `aad`) gives the
   * same error: a difference would be an oracle.
   * @throws MedcloudletError `SEALED_OPEN_FAILED`
   */
  open(sealed: Sealed, info: Bytes, aad: Bytes): Promise<Bytes>;
}

/** One combination of KEM, KDF and AEAD. */
export interface SealingSuite {
  readonly id: number;
  readonly publicKeyBytes: number;
  readonly privateKeyBytes: number;
  readonly encBytes: number;
  generateKeyPair(): Promise<HybridKeyPair>;
  /** Expands a 32-byte private key. @throws MedcloudletError `SEALING_KEY_LENGTH` */
  recipient(privateKey: Bytes): Promise<Recipient>;
  /** Seals to a public key in HPKE base mode. @throws MedcloudletError `SEALING_KEY_LENGTH` */
  seal(publicKey: Bytes, info: Bytes, aad: Bytes, plaintext: Bytes): Promise<Sealed>;
}

/** AES-GCM tag length; a ciphertext is this much longer than its plaintext. */
export const AEAD_TAG_BYTES = 16;

/**
 * Suite 1: HPKE (RFC 9180) base mode, single shot, with the NTRU-X25519 KEM, HKDF-SHA256 and AES-256-GCM.
 * Every message has a key of its own, so the AEAD nonce never repeats under a key.
 * @throws MedcloudletError `SEALING_SUITE_MISMATCH` when `ntru` is of another set than the suite's
 */
export function createSealingSuite(ntru: Ntru): SealingSuite {
  if (ntru.parameters.n !== NTRU_PARAMETERS.ntruhps2048677.n) {
    throw new MedcloudletError("SEALING_SUITE_MISMATCH", "Suite 1 is made of ntruhps2048677 alone.");
  }
  const kem = createNtruX25519Kem(ntru);
  const hpke = new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new Aes256Gcm() });

  const recipient = async (privateKey: Bytes): Promise<Recipient> => {
    const key = await kem.deserializePrivateKey(privateKey);
    return {
      publicKey: hybridPublicKeyBytes(key),
      async open(sealed, info, aad) {
        try {
          const plaintext = await hpke.open(
            { recipientKey: key, enc: sealed.enc, info },
            sealed.ciphertext,
            aad,
          );
          return new Uint8Array(plaintext);
        } catch (cause) {
          throw new MedcloudletError("SEALED_OPEN_FAILED", "The sealed data could not be opened.", {
            status: 422,
            cause,
          });
        }
      },
    };
  };

  return {
    id: SUITE.ntruHps2048677X25519,
    publicKeyBytes: kem.publicKeySize,
    privateKeyBytes: kem.privateKeySize,
    encBytes: kem.encSize,
    async generateKeyPair() {
      const privateKey = randomBytes(HYBRID_SEED_BYTES);
      return { privateKey, publicKey: (await recipient(privateKey)).publicKey };
    },
    recipient,
    async seal(publicKey, info, aad, plaintext) {
      const recipientPublicKey = await kem.deserializePublicKey(publicKey);
      const sealed = await hpke.seal({ recipientPublicKey, info }, plaintext, aad);
      return { enc: new Uint8Array(sealed.enc), ciphertext: new Uint8Array(sealed.ct) };
    },
  };
}
