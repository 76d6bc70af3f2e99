import { type Clock, createSignal, isMedcloudletError, type MedcloudletError } from "../base/index.ts";
import type { HttpClient } from "../client/index.ts";
import type { Log } from "../http/index.ts";
import type { SigningKey } from "../sealing/index.ts";
import type { Spool, Waiting } from "./spool.ts";

/** Passes waiting batches on to the cloud, for as long as the cloudlet runs. */
export interface Uplink {
  start(): void;
  /** Says that something new waits. */
  wake(): void;
  /** Ends after the batches under way. */
  stop(): Promise<void>;
  /** False while the cloud cannot be reached. */
  connected(): boolean;
  /** The cloudlet's ticket for the cloud, as it goes with each batch. @throws MedcloudletError those of the KDC */
  ticket(): Promise<string>;
}

const PARALLEL = 8;
const IDLE_MS = 5_000;
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 30_000;
/** A batch that the cloud refused, and perhaps not for good, lets others go first for this long. */
const DEFER_MS = 30_000;
const MAX_DEFERRED = 1000;
/** A ticket is renewed when it has less than this left. */
const RENEW_BEFORE_MS = 5 * 60_000;

/**
 * Codes of the cloud that say "this batch will never do", as opposed to "not now". A list, not a range of status
 * codes: an unknown refusal must keep the batch waiting, never set it aside.
 */
const FINAL = new Set([
  "BATCH_MAGIC_INVALID",
  "BATCH_VERSION_UNSUPPORTED",
  "BATCH_SUITE_UNSUPPORTED",
  "BATCH_FIELD_INVALID",
  "BATCH_TRUNCATED",
  "BATCH_TRAILING_BYTES",
  "BATCH_TOO_LARGE",
  "BATCH_SIGNATURE_INVALID",
  "BATCH_DEVICE_MISMATCH",
  "BATCH_STREAM_MISMATCH",
  "BATCH_SEQUENCE_REUSED",
  "DEVICE_TICKET_INVALID",
  "RECEIVED_AT_INVALID",
]);

/** Refusals of the uplink itself, or of anybody at the moment: the next batch would fare no better. */
const OF_ALL = new Set([401, 403, 404, 405, 408, 429]);

/** True when the cloud refused this one batch, as opposed to all of them. */
function concernsOne(error: unknown): error is MedcloudletError {
  return (
    isMedcloudletError(error) &&
    (error.code === "DEVICE_TICKET_UNVERIFIED" ||
      (error.status >= 400 && error.status < 500 && !OF_ALL.has(error.status)))
  );
}

export function createUplink(options: {
  readonly spool: Spool;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly cloudUrl: string;
  readonly key: SigningKey;
  /** Gets a ticket for the cloud from the KDC. */
  readonly requestTicket: () => Promise<{ ticket: string; expiresAt: number }>;
}): Uplink {
  const { spool, http, clock, log, cloudUrl, key } = options;
  let held: { ticket: string; expiresAt: number } | undefined;
  let stopping = false;
  let reachable = true;
  let running: Promise<void> = Promise.resolve();
  /** Batches that let others go first, and until when. */
  const deferred = new Map<string, number>();
  const news = createSignal();
  const halt = createSignal();

  const ticket = async (): Promise<string> => {
    if (held === undefined || held.expiresAt - RENEW_BEFORE_MS < clock.now()) {
      try {
        held = await options.requestTicket();
      } catch (error) {
        // The KDC may be away for a while: the old ticket serves until it ends.
        if (held === undefined || held.expiresAt <= clock.now()) {
          throw error;
        }
      }
    }
    return held.ticket;
  };

  const forward = async (batch: Waiting, cloudTicket: string): Promise<void> => {
    try {
      await http.bytes({
        method: "POST",
        url: `${cloudUrl}/v1/batches`,
        credentials: { key, ticket: cloudTicket },
        bytes: batch.bytes,
        headers: { "Device-Ticket": batch.ticket, "Received-At": String(batch.receivedAt) },
      });
      await spool.markForwarded(batch.id);
    } catch (error) {
      if (isMedcloudletError(error, "STREAM_DELETED")) {
        await spool.markDropped(batch.id, error.code);
        log.info({ event: "batch_dropped", reason: error.code }, "the patient has deleted the stream");
        return;
      }
      if (isMedcloudletError(error) && FINAL.has(error.code)) {
        await spool.markRefused(batch.id, error.code);
        log.warn({ event: "batch_refused", reason: error.code }, "the cloud refused a batch for good");
        return;
      }
      if (concernsOne(error) && deferred.size < MAX_DEFERRED) {
        deferred.set(batch.id, clock.now() + DEFER_MS);
        log.warn({ event: "batch_deferred", reason: error.code }, "the cloud refused a batch for now");
        return;
      }
      if (isMedcloudletError(error) && error.status === 401) {
        held = undefined;
      }
      throw error;
    }
  };

  const nextBatches = (): Promise<Waiting[]> => {
    for (const [id, until] of deferred) {
      if (until <= clock.now()) {
        deferred.delete(id);
      }
    }
    return spool.next(PARALLEL, [...deferred.keys()]);
  };

  const run = async (): Promise<void> => {
    let attempt = 0;
    while (!stopping) {
      try {
        const batches = await nextBatches();
        const cloudTicket = batches.length === 0 ? "" : await ticket();
        const results = await Promise.allSettled(batches.map((batch) => forward(batch, cloudTicket)));
        const failed = results.find((result) => result.status === "rejected");
        if (failed !== undefined) {
          throw failed.reason;
        }
        attempt = 0;
        reachable = true;
        if (batches.length < PARALLEL) {
          await news.wait(IDLE_MS);
        }
      } catch (error) {
        attempt++;
        reachable = false;
        // Half jitter: cloudlets that lost the cloud together do not come back together.
        const ceiling = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt, 12));
        const retryInMs = Math.round(ceiling * (0.5 + Math.random() / 2));
        const code = isMedcloudletError(error) ? error.code : "INTERNAL";
        log.warn({ event: "uplink_waits", code, attempt, retryInMs });
        await halt.wait(retryInMs);
      }
    }
  };

  return {
    start() {
      running = run();
    },
    wake: () => news.signal(),
    async stop() {
      stopping = true;
      news.signal();
      halt.signal();
      await running;
    },
    connected: () => reachable,
    ticket,
  };
}
