import type { RandomSource } from "./known-answers.ts";

/** A generator whose bytes were drawn elsewhere: hands out the pieces of a recording in their order. */
export class RecordedSource implements RandomSource {
  readonly #pieces: Iterator<Uint8Array>;

  constructor(pieces: Iterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.iterator]();
  }

  next(length: number): Uint8Array {
    const { done, value } = this.#pieces.next();
    if (done === true || value.length !== length) {
      throw new Error("The recording does not fit the calls.");
    }
    return value;
  }
}
