import type { Bytes } from "./bytes.ts";

/** Crockford's base32: no I, L, O, U, so that nothing on paper can be taken for something else. */
const SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/** Values of the check symbol, which counts modulo 37. */
const CHECK_SYMBOLS = `${SYMBOLS}*~$=U`;

function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
}

/** Crockford base32 of bytes whose bits fill whole symbols (a multiple of five bytes). */
export function toBase32(bytes: Uint8Array): string {
  let number = numberOf(bytes);
  let text = "";
  for (let i = 0; i < (bytes.length * 8) / 5; i++) {
    text = SYMBOLS.charAt(Number(number & 31n)) + text;
    number >>= 5n;
  }
  return text;
}

/** Crockford's check symbol: it finds every single wrong symbol and every two that changed places. */
export function checkSymbol(bytes: Uint8Array): string {
  return CHECK_SYMBOLS.charAt(Number(numberOf(bytes) % 37n));
}

/** What a person typed, as symbols: upper case, without hyphens and spaces, with 0 and 1 for what looks like them. */
export function cleanBase32(typed: string): string {
  return typed.toUpperCase().replace(/[\s-]/g, "").replaceAll("O", "0").replace(/[IL]/g, "1");
}

/** Bytes of clean symbols, or null when one of them is none. */
export function fromBase32(symbols: string): Bytes | null {
  let number = 0n;
  for (const symbol of symbols) {
    const value = SYMBOLS.indexOf(symbol);
    if (value < 0) {
      return null;
    }
    number = (number << 5n) | BigInt(value);
  }
  const bytes = new Uint8Array((symbols.length * 5) / 8);
  for (let i = bytes.length - 1; i >= 0; i--) {
    bytes[i] = Number(number & 255n);
    number >>= 8n;
  }
  return bytes;
}

/** Symbols in groups of four. */
export function base32Groups(symbols: string): string {
  return (symbols.match(/.{1,4}/g) ?? []).join("-");
}
