import { sha256 } from "@noble/hashes/sha2.js";
import {
  type Bytes,
  base32Groups,
  checkSymbol,
  cleanBase32,
  fromBase32,
  MedcloudletError,
  randomBytes,
  toBase32,
  toBase64Url,
} from "../base/index.ts";
import { deriveSecret } from "./small-lock.ts";

/** 160 bits: nothing a search could find, so nothing here needs to be slow. */
const CODE_BYTES = 20;
const SYMBOLS = 32;

/** A fresh recovery code. */
export function newRecoveryCode(): Bytes {
  return randomBytes(CODE_BYTES);
}

/** A code as it is printed: 32 symbols of Crockford's base32 in groups of four, and a check symbol. */
export function printRecoveryCode(code: Bytes): string {
  return `${base32Groups(toBase32(code))}-${checkSymbol(code)}`;
}

/**
 * A code as somebody typed it from paper.
 * @throws MedcloudletError `RECOVERY_CODE_MISTYPED`
 */
export function readRecoveryCode(typed: string): Bytes {
  const symbols = cleanBase32(typed);
  const code = symbols.length === SYMBOLS + 1 ? fromBase32(symbols.slice(0, SYMBOLS)) : null;
  if (code === null || checkSymbol(code) !== symbols.charAt(SYMBOLS)) {
    throw new MedcloudletError(
      "RECOVERY_CODE_MISTYPED",
      "This is not the code as it was printed: compare it group by group, eight of four symbols and one more.",
      { status: 400 },
    );
  }
  return code;
}

/** The label under which a code locks the keystore's contents. */
export const RECOVERY_LOCK = "medcloudlet recovery lock v1";

/** What proves a code to the KDC, and opens nothing. */
export function recoveryProof(code: Bytes): Bytes {
  return deriveSecret(code, "medcloudlet recovery proof v1");
}

/** What the KDC keeps to check a proof with: its hash, so that a copied database recovers nothing. */
export function recoveryVerifier(code: Bytes): string {
  return toBase64Url(new Uint8Array(sha256(recoveryProof(code))));
}

/** What guardians' shares carry, so that a wrong share shows before anything is tried. */
export function recoveryCommitment(code: Bytes): Bytes {
  return deriveSecret(code, "medcloudlet recovery commitment v1");
}
