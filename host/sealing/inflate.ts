import { Inflate } from "fflate";
import type { Bytes, MedcloudletError } from "../base/index.ts";

/** DEFLATE makes at most 1032 bytes of one, so a piece this long never makes more than 1 MiB. */
const PIECE_BYTES = 1000;

/**
 * Inflates to exactly `size` bytes and stops as soon as there are more: a sealed zip bomb must not take the reader
 * down.
 * @throws the error that `malformed` makes of the reason
 */
export function inflateExactly(
  deflated: Uint8Array,
  size: number,
  malformed: (what: string) => MedcloudletError,
): Bytes {
  const inflated = new Uint8Array(size);
  let length = 0;
  let tooLong = false;
  const stream = new Inflate((piece) => {
    tooLong = length + piece.length > size;
    if (tooLong) {
      throw malformed("it inflates to another length");
    }
    inflated.set(piece, length);
    length += piece.length;
  });
  try {
    for (let at = 0; at < deflated.length; at += PIECE_BYTES) {
      const end = at + PIECE_BYTES;
      stream.push(deflated.subarray(at, end), end >= deflated.length);
    }
  } catch {
    throw malformed(tooLong ? "it inflates to another length" : "it does not inflate");
  }
  if (length !== size) {
    throw malformed("it inflates to another length");
  }
  return inflated;
}
