import { shake256 } from "@noble/hashes/sha3.js";
import { type Bytes, utf8 } from "../../host/base/index.ts";

/** An endless, reproducible string of bytes: SHAKE256 of a label. */
export class ByteStream {
  readonly #shake;

  constructor(label: string) {
    this.#shake = shake256.create({}).update(utf8(label));
  }

  /** The next `length` bytes. */
  next(length: number): Bytes {
    return Uint8Array.from(this.#shake.xof(length));
  }
}
