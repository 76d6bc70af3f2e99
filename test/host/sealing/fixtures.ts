import { type Bytes, isMedcloudletError, toBase64Url, utf8 } from "../../../host/base/index.ts";
import { loadNtru } from "../../../host/ntru/index.ts";
import {
  createSealingSuite,
  generateSigningSeed,
  importSigningKey,
  type SealingSuite,
  type SigningKey,
} from "../../../host/sealing/index.ts";

export async function loadSuite(): Promise<SealingSuite> {
  return createSealingSuite(await loadNtru("ntruhps2048677"));
}

export async function newSigningKey(): Promise<SigningKey> {
  return importSigningKey(generateSigningSeed());
}

/** The code of the error of ours that `action` throws, or "none". Any other exception is passed on. */
export function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (isMedcloudletError(error)) {
      return error.code;
    }
    throw error;
  }
  return "none";
}

/** Like {@link codeOf}, for a promise. */
export async function rejectionOf(action: Promise<unknown>): Promise<string> {
  try {
    await action;
  } catch (error) {
    return codeOf(() => {
      throw error;
    });
  }
  return "none";
}

/** A copy with one bit turned over. */
export function flipped(bytes: Uint8Array, at: number, bit = 0): Bytes {
  const copy = new Uint8Array(bytes);
  copy[at] = (copy[at] as number) ^ (1 << bit);
  return copy;
}

/** A compact JWS with any header at all, put together by hand. */
export async function jwsByHand(header: unknown, payload: string, key: SigningKey): Promise<string> {
  const signed = `${toBase64Url(utf8(JSON.stringify(header)))}.${payload}`;
  return `${signed}.${toBase64Url(await key.sign(utf8(signed)))}`;
}

/** The payload part of a JWS. */
export function encoded(payload: unknown): string {
  return toBase64Url(utf8(JSON.stringify(payload)));
}
