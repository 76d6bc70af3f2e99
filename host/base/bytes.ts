import { MedcloudletError } from "./errors.ts";

/** Bytes backed by an ordinary (not shared) buffer: what WebCrypto and the MongoDB driver accept. */
export type Bytes = Uint8Array<ArrayBuffer>;

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const BASE64URL = /^[A-Za-z0-9_-]*$/;

/** Lower-case hexadecimal of any byte string. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    text += HEX[byte];
  }
  return text;
}

/**
 * Bytes of a lower-case hexadecimal string. Upper case is refused so that one value has one spelling.
 * @throws MedcloudletError `ENCODING_INVALID`
 */
export function fromHex(text: string): Bytes {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) {
    throw new MedcloudletError("ENCODING_INVALID", "Expected lower-case hexadecimal of even length.", {
      status: 400,
    });
  }
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  }
  return bytes;
}

/** Base64url without padding (RFC 4648, section 5). */
export function toBase64Url(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) {
    binary += String.fromCharCode(byte);
  }
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/**
 * Bytes of unpadded base64url. A spelling whose unused bits are not zero is refused: one value, one spelling.
 * @throws MedcloudletError `ENCODING_INVALID`
 */
export function fromBase64Url(text: string): Bytes {
  const invalid = () =>
    new MedcloudletError("ENCODING_INVALID", "Expected base64url without padding.", { status: 400 });
  if (!BASE64URL.test(text) || text.length % 4 === 1) {
    throw invalid();
  }
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  if (toBase64Url(bytes) !== text) {
    throw invalid();
  }
  return bytes;
}

/** UTF-8 bytes of a string. */
export function utf8(text: string): Bytes {
  return new TextEncoder().encode(text);
}

/** One new array holding all parts in order. */
export function concatBytes(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Equality without an early exit; the lengths are public. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) {
    return false;
  }
  let difference = 0;
  for (let i = 0; i < a.length; i++) {
    difference |= (a[i] as number) ^ (b[i] as number);
  }
  return difference === 0;
}

/** `length` bytes of the platform's cryptographic randomness, in the 64 KiB portions WebCrypto allows. */
export function randomBytes(length: number): Bytes {
  const bytes = new Uint8Array(length);
  for (let offset = 0; offset < length; offset += 65_536) {
    crypto.getRandomValues(bytes.subarray(offset, Math.min(length, offset + 65_536)));
  }
  return bytes;
}
