import { type Bytes, type Clock, MedcloudletError } from "../base/index.ts";
import { type BatchHeader, batchDigest, parseBatch } from "../sealing/index.ts";
import type { FreshGrants, Wait } from "./fresh-grants.ts";
import { openedOrRefused, type ReadBatch, readSealedBatch } from "./sealed-batch.ts";
import type { OpenedStream, SharedStream } from "./shared-stream.ts";

/** Readings so new that the key of their epoch may still be on its way. */
const NEWS_MS = 10 * 60_000;

/**
 * Batches that a reader has seen, by device and sequence. A cloud that shows one twice is not worth a word (it
 * does after a broken page); two different batches under one number are.
 */
export interface Seen {
  /** True when exactly this batch was seen before. @throws MedcloudletError `BATCH_SEQUENCE_REUSED` */
  again(header: BatchHeader, bytes: Bytes): boolean;
}

/** A memory of batches that begins empty: one for each time that a stream is read. */
export function createSeen(): Seen {
  const digests = new Map<string, string>();
  return {
    again({ deviceId, sequence }, bytes) {
      const name = `${deviceId}:${sequence}`;
      const digest = batchDigest(bytes);
      const earlier = digests.get(name);
      if (earlier !== undefined && earlier !== digest) {
        throw new MedcloudletError(
          "BATCH_SEQUENCE_REUSED",
          "The device sealed two batches under one number.",
          { status: 422 },
        );
      }
      digests.set(name, digest);
      return earlier !== undefined;
    },
  };
}

/** Opened by a consent, under which keys of later epochs may come; an emergency has what its trustees released. */
export function isShared(stream: OpenedStream): stream is SharedStream {
  return "consent" in stream;
}

/** How a batch came. */
export interface Arrival {
  readonly stream: OpenedStream;
  /** When it was received, as `performance.now`: a list of devices that was asked for later settles who sealed it. */
  readonly receivedAt: number;
  readonly seen: Seen;
  /**
   * How to wait for what the KDC does not know yet; undefined: nobody waits. Null: of the past the KDC is not asked at
   * all. There can be many epochs from before one's consent, and what is new must not wait for them.
   */
  readonly wait: Wait | undefined | null;
}

/**
 * Makes what opens batches with what is known of their stream, or with what the KDC knows by now: the patient enrols
 * devices and starts epochs while doctors read.
 * @returns opens a batch; null when exactly this one was seen before. What ails the KDC is thrown to whoever waits, and
 *   tries again.
 */
export function createOpening(options: {
  readonly fresh: FreshGrants;
  readonly clock: Clock;
}): (bytes: Bytes, arrival: Arrival) => Promise<ReadBatch | null> {
  const { fresh, clock } = options;

  const attempt = (bytes: Bytes, stream: OpenedStream): Promise<ReadBatch> =>
    openedOrRefused(async () => ({ status: "opened", ...(await readSealedBatch(bytes, stream)) }));

  const openWithNews = async (bytes: Bytes, { stream, receivedAt, wait }: Arrival): Promise<ReadBatch> => {
    if (!isShared(stream)) {
      return attempt(bytes, stream);
    }
    let batch = await attempt(bytes, fresh.current(stream));
    if (wait === null) {
      return batch;
    }
    if (batch.status === "refused" && batch.error.code === "DEVICE_UNKNOWN") {
      batch = await attempt(bytes, await fresh.lookForDevice(stream, receivedAt, wait));
    }
    if (batch.status === "refused" && batch.error.code === "EPOCH_UNKNOWN") {
      const { epochId, lastTime } = parseBatch(bytes).header;
      // A key that comes late is one of a new epoch: for old readings nobody waits.
      const isNews = lastTime > clock.now() - NEWS_MS;
      batch = await attempt(bytes, await fresh.lookForKey(epochId, stream, isNews ? wait : undefined));
    }
    return batch;
  };

  return async (bytes, arrival) => {
    const batch = await openWithNews(bytes, arrival);
    if (batch.status === "refused") {
      return batch;
    }
    return openedOrRefused(() => (arrival.seen.again(batch.header, bytes) ? null : batch));
  };
}
