import {
  bareUrl,
  type Clock,
  isMedcloudletError,
  isPassing,
  MedcloudletError,
  pause,
} from "../base/index.ts";
import { type SealingSuite, unframeBatches } from "../sealing/index.ts";
import { eventsOf } from "./events.ts";
import { createFreshGrants, type Wait } from "./fresh-grants.ts";
import type { HttpClient } from "./http.ts";
import type { HeldTicket, KdcSession } from "./kdc-client.ts";
import { type NewestFirst, readNewestFirst } from "./newest-first.ts";
import { createOpening, createSeen, isShared, type Seen } from "./opening.ts";
import { type PersonKeys, personFingerprint } from "./person-keys.ts";
import type { ReadBatch } from "./sealed-batch.ts";
import { type OpenedStream, openGrant, type SharedStream } from "./shared-stream.ts";

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

export function createReader(options: {
  readonly suite: SealingSuite;
  readonly clock: Clock;
  readonly http: HttpClient;
  readonly session: KdcSession;
  readonly keys: PersonKeys;
  readonly cloudUrl: string;
}): Reader {
  const { suite, clock, http, session, keys } = options;
  const streamsUrl = `${bareUrl(options.cloudUrl)}/v1/streams`;
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
  const open = createOpening({ fresh, clock });

  async function* readOn(
    stream: OpenedStream,
    after: number,
    seen: Seen,
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
        throw new MedcloudletError(
          "SERVICE_RESPONSE",
          "The cloud's answer has no cursor: check the cloud's address.",
          { status: 502 },
        );
      }
      if (wait !== undefined && isShared(stream)) {
        await fresh.keepUp(stream);
      }
      for (const [i, bytes] of batches.entries()) {
        const batch = await open(bytes, { stream, receivedAt, seen, wait });
        if (batch !== null) {
          // Only a whole page moves the cursor: whoever stops inside a page begins it again.
          yield { batch, cursor: i === batches.length - 1 ? next : cursor };
        }
      }
      cursor = next;
    }
  }

  /** Yields once the subscription stands and with each batch that comes, until the cloud ends it. */
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
    for await (const { event } of eventsOf(response, signal, "the cloud")) {
      if (event === "open" || event === "note") {
        onNote?.();
      }
      if (event === "open" || event === "batch") {
        yield;
      }
    }
  }

  const follow = async function* (
    stream: OpenedStream,
    signal: AbortSignal,
    seen: Seen,
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
              "The KDC handed out a consent that is not in force now: check the clock of this machine.",
              { status: 502 },
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
        open: (bytes) => open(bytes, { stream, receivedAt: performance.now(), seen, wait: null }),
        follow: (after, signal, options) => follow(stream, signal, seen, { ...options, after }),
      });
    },
  };
}
