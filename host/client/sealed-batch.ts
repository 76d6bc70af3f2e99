import { type Bytes, fromBase64Url, isMedcloudletError, MedcloudletError } from "../base/index.ts";
import {
  type BatchHeader,
  openBatch,
  parseBatch,
  type ReadingColumn,
  verifyBatch,
} from "../sealing/index.ts";
import type { OpenedStream } from "./shared-stream.ts";

/** A batch as a reader gets it: opened, or refused with the reason. A refused one is shown, never dropped. */
export type ReadBatch =
  | { readonly status: "opened"; readonly header: BatchHeader; readonly columns: readonly ReadingColumn[] }
  | { readonly status: "refused"; readonly error: MedcloudletError };

/**
 * Checks who sealed a batch and for which stream, then opens it.
 * @throws MedcloudletError `BATCH_*` of the checks, `DEVICE_UNKNOWN`, `DEVICE_EXPIRED`, `DEVICE_REVOKED`,
 *   `EPOCH_UNKNOWN`, `SEALED_OPEN_FAILED`, `READINGS_*`
 */
export async function readSealedBatch(
  bytes: Bytes,
  stream: OpenedStream,
): Promise<{ header: BatchHeader; columns: ReadingColumn[] }> {
  const batch = parseBatch(bytes);
  const { header } = batch;
  const device = stream.devices.get(header.deviceId);
  if (device === undefined) {
    throw new MedcloudletError("DEVICE_UNKNOWN", "The batch comes from a device the patient did not enrol.", {
      status: 422,
    });
  }
  await verifyBatch(batch, fromBase64Url(device.signingKey));
  if (header.streamId !== stream.streamId || header.region !== stream.region) {
    throw new MedcloudletError("BATCH_STREAM_MISMATCH", "The batch belongs to another stream.", {
      status: 422,
    });
  }
  if (header.lastTime > device.until) {
    throw new MedcloudletError(
      "DEVICE_EXPIRED",
      "The batch holds readings from after the time until which the patient let the device write.",
      { status: 422 },
    );
  }
  if (device.revokedAt !== undefined && header.lastTime > device.revokedAt) {
    throw new MedcloudletError(
      "DEVICE_REVOKED",
      "The batch holds readings from after the patient revoked the device.",
      { status: 422 },
    );
  }
  const epoch = stream.epochs.get(header.epochId);
  if (epoch === undefined) {
    throw new MedcloudletError(
      "EPOCH_UNKNOWN",
      "The batch is sealed to an epoch that was not shared with you: ask the patient to share it.",
      { status: 422 },
    );
  }
  const columns = await openBatch(batch, epoch);
  const times = columns.flatMap((column) => [column.times[0], column.times.at(-1)]);
  if (times.some((time) => time === undefined || time < header.firstTime || time > header.lastTime)) {
    throw new MedcloudletError(
      "BATCH_TIMES_MISMATCH",
      "The readings are of other times than the batch says.",
      { status: 422 },
    );
  }
  return { header, columns };
}

/**
 * What comes of opening a batch: an error of ours refuses it, any other is thrown.
 * @param open gives the batch, or throws why it is none to be read
 */
export async function openedOrRefused<T>(
  open: () => Promise<T> | T,
): Promise<T | Extract<ReadBatch, { status: "refused" }>> {
  try {
    return await open();
  } catch (error) {
    if (isMedcloudletError(error)) {
      return { status: "refused", error };
    }
    throw error;
  }
}
