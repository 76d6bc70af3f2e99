import { MedcloudletError } from "../base/index.ts";
import type { NtruParameters } from "./parameters.ts";

/** An error of the caller's: status 400 and a stable code. */
export function badRequest(code: string, message: string): MedcloudletError {
  return new MedcloudletError(code, message, { status: 400 });
}

/** @throws MedcloudletError `code` (400) when `bytes` has another length */
export function requireLength(bytes: Uint8Array, length: number, code: string, what: string): void {
  if (bytes.length !== length) {
    throw badRequest(code, `The ${what} has ${bytes.length} bytes instead of ${length}.`);
  }
}

export function isAllZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** @throws MedcloudletError `NTRU_PUBLIC_KEY_LENGTH`, `NTRU_PUBLIC_KEY_INVALID` (zero, or unused bits set) */
export function requirePublicKey(parameters: NtruParameters, publicKey: Uint8Array): void {
  requireLength(publicKey, parameters.publicKeyBytes, "NTRU_PUBLIC_KEY_LENGTH", "public key");
  const unusedBits = 8 * parameters.publicKeyBytes - Math.log2(parameters.q) * (parameters.n - 1);
  if ((publicKey[publicKey.length - 1] as number) >> (8 - unusedBits) !== 0 || isAllZero(publicKey)) {
    throw badRequest(
      "NTRU_PUBLIC_KEY_INVALID",
      "The public key is zero or has unused bits set: it was damaged, or is meant for another set.",
    );
  }
}

/** @throws MedcloudletError `NTRU_SECRET_KEY_LENGTH` */
export function requireSecretKey(parameters: NtruParameters, secretKey: Uint8Array): void {
  requireLength(secretKey, parameters.secretKeyBytes, "NTRU_SECRET_KEY_LENGTH", "secret key");
}

/** @throws MedcloudletError `NTRU_CIPHERTEXT_LENGTH` */
export function requireCiphertext(parameters: NtruParameters, ciphertext: Uint8Array): void {
  requireLength(ciphertext, parameters.ciphertextBytes, "NTRU_CIPHERTEXT_LENGTH", "ciphertext");
}

/** @throws MedcloudletError `NTRU_COUNT_INVALID` unless `count` is a whole number from 0 */
export function requireCount(count: number): void {
  if (!Number.isSafeInteger(count) || count < 0) {
    throw badRequest("NTRU_COUNT_INVALID", "The number of key pairs is not a whole number from 0.");
  }
}

/**
 * Checks every element before any is worked on; an error names the first bad one in `details.index`.
 * @throws MedcloudletError whatever `check` throws
 */
export function requireEach<T>(elements: readonly T[], check: (element: T) => void): void {
  elements.forEach((element, index) => {
    try {
      check(element);
    } catch (error) {
      if (!(error instanceof MedcloudletError)) {
        throw error;
      }
      const { code, message, status } = error;
      throw new MedcloudletError(code, `Element ${index}: ${message}`, { status, details: { index } });
    }
  });
}
