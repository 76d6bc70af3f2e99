import { EventSourceParserStream } from "eventsource-parser/stream";
import {
  type Bytes,
  type Clock,
  fromBase64Url,
  isMedcloudletError,
  MedcloudletError,
} from "../base/index.ts";
import {
  type BatchHeader,
  batchDigest,
  openBatch,
  parseBatch,
  type ReadingColumn,
  type SealingSuite,
  unframeBatches,
  verifyBatch,
} from "../sealing/index.ts";
import { createFreshGrants, isPassing, type Wait } from "./fresh-grants.ts";
import type { HttpClient } from "./http.ts";
import type { HeldTicket, KdcSession } from "./kdc-client.ts";
import { type NewestFirst, readNewestFirst } from "./newest-first.ts";
import { type PersonKeys, personFingerprint } from "./person-keys.ts";
import { type OpenedStream, openGrant, type SharedStream } from "./shared-stream.ts";

/** A batch as a reader gets it: opened, or refused with the reason. A refused one is shown, never dropped. */
export type ReadBatch =
  | { readonly status: "opened"; readonly header: BatchHeader; readonly columns: readonly ReadingColumn[] }
  | { readonly status: "refused"; readonly error: MedcloudletError };

/** What a doctor does: see what was shared, and open it on this machine. */
export interface Reader {
  /** Streams shared with this reader now; grants that do not hold are reported apart. */
  shared(): Promise<{ streams: SharedStream[]; refused: MedcloudletError[] }>;
  /** All batches of a stream that arrived after `after`, in order of arrival, to the last one there is now. */
  read(stream: OpenedStream, after?: number): AsyncGenerator<{ batch: ReadBatch; cursor: number }>;
  /**
   * Like `read`, and then goes on with new batches as they arrive, until `signal` aborts. While the cloud or the KDC
   * is away it tries again and says so to `onTrouble` each time: silence must not look like a patient who is well.
   */
  follow(
    stream: OpenedStream,
    signal: AbortSignal,
    options?: FollowOptions & { readonly after?: number },
  ): AsyncGenerator<{ batch: ReadBatch; cursor: number }>;
  /** All of a stream, beginning with the newest. */
  newestFirst(stream: OpenedStream): NewestFirst;
}

export interface FollowOptions {
  /** Hears each time why nothing comes through; it is tried again. */
  readonly onTrouble?: (error: MedcloudletError) => void;
  /** Hears each time that everything that there was has been given. */
  readonly onCaughtUp?: () => void;
  /** Hears that somebody may have written a note. */
  readonly onNote?: () => void;
}

const RENEW_BEFORE_MS = 30_000;
const CLOCK_SKEW_MS = 30_000;
const RECONNECT_AFTER_MS = 1000;
/** Readings so new that the key of their epoch may still be on its way. */
const NEWS_MS = 10 * 60_000;

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
      "The batch is sealed to an epoch that was not shared with you.",
      {
        status: 422,
      },
    );
  }
  const columns = await openBatch(batch, epoch);
  const times = columns.flatMap((column) => [column.times[0], column.times.at(-1)]);
  if (times.some((time) => time === undefined || time < header.firstTime || time > header.lastTime)) {
    throw new MedcloudletError(
      "BATCH_TIMES_MISMATCH",
      "The readings are of other times than the batch says.",
      {
        status: 422,
      },
    );
  }
  return { header, columns };
}

/**
 * Batches that a reader has seen, by device and sequence. A cloud that shows one twice is not worth a word (it
 * does after a broken page); two different batches under one number are.
 */
function createSeen() {
  const digests = new Map<string, string>();
  return {
    /** True when exactly this batch was seen before. @throws MedcloudletError `BATCH_SEQUENCE_REUSED` */
    again({ deviceId, sequence }: BatchHeader, bytes: Bytes): boolean {
      const name = `${deviceId}:${sequence}`;
      const digest = batchDigest(bytes);
      const earlier = digests.get(name);
      if (earlier !== undefined && earlier !== digest) {
        throw new MedcloudletError(
          "BATCH_SEQUENCE_REUSED",
          "The device sealed two batches under one number.",
          {
            status: 422,
          },
        );
      }
      digests.set(name, digest);
      return earlier !== undefined;
    },
  };
}

/** Opened by a consent, under which keys of later epochs may come; an emergency has what its trustees released. */
function isShared(stream: OpenedStream): stream is SharedStream {
  return "consent" in stream;
}

/** Waits, or ends as soon as `signal` aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, signal.aborted ? 0 : ms);
    signal.addEventListener("abort", end);
  });
}

export function createReader(options: {
  readonly suite: SealingSuite;
  readonly clock: Clock;
  readonly http: HttpClient;
  readonly session: KdcSession;
  readonly keys: PersonKeys;
  readonly cloudUrl: string;
}): Reader {
  const { suite, clock, http, session, keys } = options;
  const streamsUrl = `${options.cloudUrl.replace(/\/+$/, "")}/v1/streams`;
  const tickets = new Map<string, HeldTicket>();

  const credentialsFor = async (streamId: string) => {
    let held = tickets.get(streamId);
    if (held === undefined || held.expiresAt - RENEW_BEFORE_MS < clock.now()) {
      held = await session.readTicket(streamId, keys.signing);
      tickets.set(streamId, held);
    }
    return { key: held.key, ticket: held.ticket };
  };

  const self = {
    accountId: session.account.accountId,
    fingerprint: personFingerprint(keys),
    receiving: keys.receiving,
  };
  const fresh = createFreshGrants({ call: session.call, self, suite });

  const attempt = async (bytes: Bytes, stream: OpenedStream): Promise<ReadBatch> => {
    try {
      return { status: "opened", ...(await readSealedBatch(bytes, stream)) };
    } catch (error) {
      if (isMedcloudletError(error)) {
        return { status: "refused", error };
      }
      throw error;
    }
  };

  /**
   * Opens a batch with what is known of the stream, or with what the KDC knows by now: the patient enrols devices and
   * starts epochs while doctors read. What ails the KDC then is thrown to whoever waits, and tries again.
   * @param wait null: of the past the KDC is not asked at all. There can be many epochs from before one's consent, and
   *   what is new must not wait for them.
   */
  const openWithNews = async (
    bytes: Bytes,
    stream: OpenedStream,
    receivedAt: number,
    wait: Wait | undefined | null,
  ): Promise<ReadBatch> => {
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

  /** Opens a batch; null when it was seen before. */
  const open = async (
    bytes: Bytes,
    stream: OpenedStream,
    receivedAt: number,
    seen: ReturnType<typeof createSeen>,
    wait: Wait | undefined | null,
  ): Promise<ReadBatch | null> => {
    const batch = await openWithNews(bytes, stream, receivedAt, wait);
    if (batch.status === "refused") {
      return batch;
    }
    try {
      return seen.again(batch.header, bytes) ? null : batch;
    } catch (error) {
      if (isMedcloudletError(error)) {
        return { status: "refused", error };
      }
      throw error;
    }
  };

  async function* readOn(
    stream: OpenedStream,
    after: number,
    seen: ReturnType<typeof createSeen>,
    wait?: Wait,
  ): AsyncGenerator<{ batch: ReadBatch; cursor: number }> {
    for (let cursor = after; ; ) {
      const { body, headers } = await http.bytes({
        method: "GET",
        url: `${streamsUrl}/${stream.streamId}/batches?after=${cursor}`,
        credentials: await credentialsFor(stream.streamId),
      });
      const receivedAt = performance.now();
      const batches = unframeBatches(body);
      if (batches.length === 0) {
        return;
      }
      const next = Number(headers.get("Medcloudlet-Cursor"));
      if (!Number.isSafeInteger(next) || next <= cursor) {
        throw new MedcloudletError("SERVICE_RESPONSE", "The cloud's answer has no cursor.", { status: 502 });
      }
      if (wait !== undefined && isShared(stream)) {
        await fresh.keepUp(stream);
      }
      for (const [i, bytes] of batches.entries()) {
        const batch = await open(bytes, stream, receivedAt, seen, wait);
        if (batch !== null) {
          // Only a whole page moves the cursor: whoever stops inside a page begins it again.
          yield { batch, cursor: i === batches.length - 1 ? next : cursor };
        }
      }
      cursor = next;
    }
  }

  /** Fulfils with each event of the stream, until the cloud ends it. */
  async function* news(
    streamId: string,
    signal: AbortSignal,
    onNote: (() => void) | undefined,
  ): AsyncGenerator<void> {
    const response = await http.send({
      method: "GET",
      url: `${streamsUrl}/${streamId}/events`,
      credentials: await credentialsFor(streamId),
      signal,
    });
    if (response.body === null) {
      return;
    }
    const events = response.body
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new EventSourceParserStream())
      .getReader();
    // Node 20 forgets the signal of a fetch once the garbage collector has been by: the reader is ended by hand.
    const end = () => {
      events.cancel().catch(() => {});
    };
    signal.addEventListener("abort", end);
    try {
      onNote?.();
      yield;
      for (;;) {
        const { done, value } = await events.read().catch((cause) => {
          throw new MedcloudletError("SERVICE_UNREACHABLE", "The cloud hung up.", { status: 503, cause });
        });
        if (done) {
          return;
        }
        if (value.event === "note") {
          onNote?.();
        }
        if (value.event === "batch") {
          yield;
        }
      }
    } finally {
      signal.removeEventListener("abort", end);
      end();
    }
  }

  const follow = async function* (
    stream: OpenedStream,
    signal: AbortSignal,
    seen: ReturnType<typeof createSeen>,
    { after = 0, onTrouble, onCaughtUp, onNote }: FollowOptions & { readonly after?: number },
  ): AsyncGenerator<{ batch: ReadBatch; cursor: number }> {
    let cursor = after;
    while (!signal.aborted) {
      try {
        // The subscription stands before the first read, so that nothing falls between the two.
        for await (const _ of news(stream.streamId, signal, onNote)) {
          for await (const item of readOn(stream, cursor, seen, (ms) => pause(ms, signal))) {
            cursor = item.cursor;
            yield item;
          }
          onCaughtUp?.();
        }
      } catch (error) {
        if (signal.aborted) {
          return;
        }
        if (!isPassing(error)) {
          throw error;
        }
        onTrouble?.(error);
      }
      // Also where the cloud ended the stream without a fault: a cloud that always does must not be hammered.
      await pause(RECONNECT_AFTER_MS, signal);
    }
  };

  return {
    async shared() {
      const streams: SharedStream[] = [];
      const refused: MedcloudletError[] = [];
      for (const grant of await session.grants()) {
        try {
          const opened = await openGrant(grant, self, suite);
          const now = clock.now();
          if (opened.some(({ consent }) => consent.from > now + CLOCK_SKEW_MS || consent.until <= now)) {
            throw new MedcloudletError(
              "GRANT_INVALID",
              "The KDC handed out a consent that is not in force now.",
              {
                status: 502,
              },
            );
          }
          streams.push(...opened);
          const [first] = opened;
          if (first !== undefined) {
            fresh.remember(first.consent.consentId, grant);
          }
        } catch (error) {
          if (!isMedcloudletError(error)) {
            throw error;
          }
          refused.push(error);
        }
      }
      return { streams, refused };
    },
    read: (stream, after = 0) => readOn(stream, after, createSeen()),
    follow: (stream, signal, options = {}) => follow(stream, signal, createSeen(), options),
    newestFirst(stream) {
      const seen = createSeen();
      return readNewestFirst({
        fetchBefore: async (before, most) =>
          http.bytes({
            method: "GET",
            url: `${streamsUrl}/${stream.streamId}/batches?before=${before}&limit=${most}`,
            credentials: await credentialsFor(stream.streamId),
          }),
        open: (bytes) => open(bytes, stream, performance.now(), seen, null),
        follow: (after, signal, options) => follow(stream, signal, seen, { ...options, after }),
      });
    },
  };
}
