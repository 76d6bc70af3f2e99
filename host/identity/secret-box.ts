import { type Bytes, concatBytes, MedcloudletError, randomBytes, utf8 } from "../base/index.ts";

const NONCE_BYTES = 12;

/** Keeps small secrets of the service in its database under a key that is not in it. */
export interface SecretBox {
  /** `context` says what the secret is and whose: it opens nowhere else. */
  seal(secret: Bytes, context: string): Promise<Bytes>;
  /** @throws MedcloudletError `SECRET_BOX` when it was sealed with another key or in another context */
  open(sealed: Bytes, context: string): Promise<Bytes>;
}

/** AES-256-GCM with the context as associated data; a random nonce each time. `key`: 32 bytes. */
export async function createSecretBox(key: Bytes): Promise<SecretBox> {
  const aes = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt", "decrypt"]);
  const parameters = (iv: Bytes, context: string) => ({
    name: "AES-GCM",
    iv,
    additionalData: utf8(context),
  });
  return {
    async seal(secret, context) {
      const nonce = randomBytes(NONCE_BYTES);
      const sealed = await crypto.subtle.encrypt(parameters(nonce, context), aes, secret);
      return concatBytes(nonce, new Uint8Array(sealed));
    },
    async open(sealed, context) {
      const [nonce, ciphertext] = [sealed.slice(0, NONCE_BYTES), sealed.slice(NONCE_BYTES)];
      try {
        return new Uint8Array(await crypto.subtle.decrypt(parameters(nonce, context), aes, ciphertext));
      } catch (cause) {
        throw new MedcloudletError(
          "SECRET_BOX",
          "A secret of the account does not open: the service runs with another key file than it was kept with.",
          { cause },
        );
      }
    },
  };
}
