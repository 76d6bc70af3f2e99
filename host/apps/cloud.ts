import type { Clock } from "../base/index.ts";
import { createHttpClient, createKdcClient } from "../client/index.ts";
import { createServiceApp, type Log, type RateLimit, type Service } from "../http/index.ts";
import { createProofVerifier, createTicketGuard, createTicketVerifier } from "../identity/index.ts";
import { createRecords, createRecordsRouter, createSubscriptions } from "../records/index.ts";
import type { Store } from "../store/index.ts";
import { createTicketKeys } from "./ticket-keys.ts";

const SUBSCRIPTION_CAPACITY = 10_000;

/** The cloud: keeps sealed batches by stream id and serves them to ticket holders. It can open none. */
export async function createCloudApp(options: {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly kdcUrl: string;
  readonly rateLimit: RateLimit;
  readonly trustProxies: number;
}): Promise<Service> {
  const { store, clock, log } = options;
  let url = "";
  const kdc = createKdcClient({ http: createHttpClient({ clock }), url: options.kdcUrl });
  const tickets = createTicketVerifier(await createTicketKeys({ store, clock, kdc }), clock);
  const guard = createTicketGuard({ tickets, proofs: createProofVerifier(clock), publicUrl: () => url });
  const subscriptions = createSubscriptions(SUBSCRIPTION_CAPACITY);
  const records = await createRecords({ store, clock, onStored: subscriptions.publish });
  const { app, drain } = createServiceApp({
    log,
    probes: [{ name: "store", check: () => store.ping() }],
    rateLimit: options.rateLimit,
    trustProxies: options.trustProxies,
    routers: [createRecordsRouter({ guard, tickets, records, subscriptions, clock })],
  });
  return {
    app,
    async start(listeningAt) {
      url = listeningAt;
    },
    drain() {
      drain();
      subscriptions.close();
    },
    stop: () => store.close(),
  };
}
