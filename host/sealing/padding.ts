import { type Bytes, MedcloudletError } from "../base/index.ts";

/**
 * The Padmé length: at most 12% more than `length`, and it tells only O(log log length) bits of it (up to 1 MiB there
 * are 300 different ones), so that the size of a sealed batch tells little about how restless the readings in it were.
 * (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", PETS 2019.)
 */
export function padmeLength(length: number): number {
  if (length < 2) {
    return length;
  }
  const exponent = Math.floor(Math.log2(length));
  const significant = Math.floor(Math.log2(exponent)) + 1;
  const unit = 2 ** Math.max(0, exponent - significant);
  return Math.ceil(length / unit) * unit;
}

/** `u32 length | data | zeros` up to the Padmé length. */
export function pad(data: Uint8Array): Bytes {
  const padded = new Uint8Array(padmeLength(4 + data.length));
  new DataView(padded.buffer).setUint32(0, data.length, true);
  padded.set(data, 4);
  return padded;
}

/** Undoes {@link pad}. @throws MedcloudletError `READINGS_MALFORMED` */
export function unpad(padded: Uint8Array): Uint8Array {
  const view = new DataView(padded.buffer, padded.byteOffset, padded.byteLength);
  if (padded.length < 4 || view.getUint32(0, true) > padded.length - 4) {
    throw new MedcloudletError("READINGS_MALFORMED", "The opened data has a broken length field.", {
      status: 422,
    });
  }
  return padded.subarray(4, 4 + view.getUint32(0, true));
}
