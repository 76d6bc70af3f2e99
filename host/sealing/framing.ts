import { type Bytes, concatBytes, MedcloudletError } from "../base/index.ts";

/** Media type of several sealed batches in one answer. */
export const BATCHES_TYPE = "application/vnd.medcloudlet.batches";

/** Several sealed batches in a row, each after its length as u32, little-endian. */
export function frameBatches(batches: readonly Uint8Array[]): Bytes {
  return concatBytes(
    ...batches.flatMap((batch) => {
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, batch.length, true);
      return [length, batch];
    }),
  );
}

/** Undoes {@link frameBatches}. @throws MedcloudletError `FRAME_TRUNCATED` */
export function unframeBatches(framed: Uint8Array): Bytes[] {
  const view = new DataView(framed.buffer, framed.byteOffset, framed.byteLength);
  const batches: Bytes[] = [];
  let offset = 0;
  while (offset < framed.length) {
    const end =
      offset + 4 <= framed.length ? offset + 4 + view.getUint32(offset, true) : Number.POSITIVE_INFINITY;
    if (end > framed.length) {
      throw new MedcloudletError(
        "FRAME_TRUNCATED",
        "The answer ended in the middle of a batch: ask for the page again.",
        { status: 502 },
      );
    }
    batches.push(framed.slice(offset + 4, end) as Bytes);
    offset = end;
  }
  return batches;
}
