import { type Bytes, MedcloudletError } from "../base/index.ts";

/** Integers in a varint stay below this in magnitude, so that arithmetic on them is exact. */
export const VARINT_LIMIT = 2 ** 51;

/** The error of every malformed encoding of readings. */
export function malformed(what: string): MedcloudletError {
  return new MedcloudletError("READINGS_MALFORMED", `The opened data is malformed: ${what}.`, {
    status: 422,
  });
}

/** Seven bits a byte: what an integer below 2 * VARINT_LIMIT takes at most. */
const MAX_VARINT_BYTES = 8;
const MAX_TEXT_BYTES = 127;

/** A growing byte string with LEB128 variable-length integers. */
export class ByteWriter {
  #bytes: Bytes = new Uint8Array(1024);
  #length = 0;

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) {
      return;
    }
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + count));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** Unsigned LEB128, 0 <= value < 2^52. */
  varint(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.byte((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    this.byte(rest);
  }

  /** Zigzag LEB128: small magnitudes of either sign stay short. */
  signedVarint(value: number): void {
    this.varint(value >= 0 ? 2 * value : -2 * value - 1);
  }

  float64(value: number): void {
    const raw = new Uint8Array(8);
    new DataView(raw.buffer).setFloat64(0, value, true);
    this.bytes(raw);
  }

  /** A byte length and the UTF-8 text (at most 127 bytes). */
  text(value: string): void {
    const raw = new TextEncoder().encode(value);
    this.varint(raw.length);
    this.bytes(raw);
  }

  finish(): Bytes {
    return this.#bytes.slice(0, this.#length);
  }
}

/** Reads what {@link ByteWriter} wrote; every read past the end throws `READINGS_MALFORMED`. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  byte(): number {
    const value = this.#bytes[this.#offset++];
    if (value === undefined) {
      throw malformed("it ends too early");
    }
    return value;
  }

  bytes(count: number): Uint8Array {
    if (count > this.remaining) {
      throw malformed("it ends too early");
    }
    this.#offset += count;
    return this.#bytes.subarray(this.#offset - count, this.#offset);
  }

  varint(): number {
    let value = 0;
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = this.byte();
      value += (byte & 127) * 128 ** i;
      if (byte < 128) {
        if (value >= 2 * VARINT_LIMIT || (byte === 0 && i > 0)) {
          break;
        }
        return value;
      }
    }
    throw malformed("an integer is too large or not written in the shortest way");
  }

  signedVarint(): number {
    const zigzag = this.varint();
    return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
  }

  float64(): number {
    const raw = this.bytes(8);
    return new DataView(raw.buffer, raw.byteOffset, 8).getFloat64(0, true);
  }

  text(): string {
    const length = this.varint();
    if (length > MAX_TEXT_BYTES) {
      throw malformed("a text is too long");
    }
    return new TextDecoder("utf-8", { fatal: false }).decode(this.bytes(length));
  }
}
