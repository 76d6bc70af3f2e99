import type { JSONWebKeySet } from "jose";
import { type Clock, MedcloudletError } from "../base/index.ts";
import type { KdcClient } from "../client/index.ts";
import type { TicketKeys } from "../identity/index.ts";
import type { Store } from "../store/index.ts";

interface KeptKeys {
  readonly _id: "ticket-keys";
  readonly json: string;
}

/** Known keys are fetched again this often: a key that was revoked is good here for no longer. */
const STALE_AFTER_MS = 10 * 60_000;

/** Unknown key ids send us to the KDC at most this often: a flood of made-up tickets must not become one there. */
const REFRESH_EVERY_MS = 30_000;

/**
 * The KDC's ticket keys, fetched once, kept in the service's own store, and fetched again every ten minutes and
 * when a ticket names an unknown key: a cloudlet or cloud that restarts while the KDC is away still verifies.
 */
export async function createTicketKeys(options: {
  readonly store: Store;
  readonly clock: Clock;
  readonly kdc: KdcClient;
}): Promise<TicketKeys> {
  const { store, clock, kdc } = options;
  const kept = await store.collection<KeptKeys>({ name: "ticket_keys", indexes: [] });
  const stored = await kept.findOne({ _id: { $eq: "ticket-keys" } });
  let keys: JSONWebKeySet | undefined = stored === null ? undefined : JSON.parse(stored.json);
  let askedAt = Number.NEGATIVE_INFINITY;
  let fetchedAt = Number.NEGATIVE_INFINITY;

  const fetchOnce = async (): Promise<JSONWebKeySet> => {
    askedAt = clock.now();
    keys = await kdc.ticketKeys();
    fetchedAt = askedAt;
    await kept.updateOne(
      { _id: { $eq: "ticket-keys" } },
      { $set: { json: JSON.stringify(keys) } },
      { upsert: true },
    );
    return keys;
  };

  // Whoever needs the keys while they are on their way waits for the same answer.
  let underWay: Promise<JSONWebKeySet> | undefined;
  const fetchKeys = (): Promise<JSONWebKeySet> => {
    underWay ??= fetchOnce().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };

  return {
    async current() {
      if (keys !== undefined) {
        const age = clock.now() - fetchedAt;
        if (age > STALE_AFTER_MS && clock.now() - askedAt > REFRESH_EVERY_MS) {
          // Nobody waits for it: with the KDC away the known keys go on.
          fetchKeys().catch(() => {});
        }
        return keys;
      }
      try {
        return await fetchKeys();
      } catch (cause) {
        throw new MedcloudletError(
          "TICKET_KEYS_UNAVAILABLE",
          "The KDC's keys are not known yet: try again soon.",
          {
            status: 503,
            cause,
            details: { retryAfterSeconds: 5 },
          },
        );
      }
    },
    async refresh() {
      if (underWay === undefined && keys !== undefined && clock.now() - askedAt < REFRESH_EVERY_MS) {
        return keys;
      }
      try {
        return await fetchKeys();
      } catch {
        return keys ?? { keys: [] };
      }
    },
  };
}
