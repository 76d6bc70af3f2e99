import type { Clock } from "../base/index.ts";
import { createHttpClient, createKdcClient } from "../client/index.ts";
import { createServiceApp, type Log, type RateLimit, type Service } from "../http/index.ts";
import {
  createProofVerifier,
  createRoutes,
  createTicketGuard,
  createTicketVerifier,
} from "../identity/index.ts";
import {
  addPartRoutes,
  addRecordsRoutes,
  createParts,
  createRecords,
  createSubscriptions,
} from "../records/index.ts";
import type { Store } from "../store/index.ts";
import { createTicketKeys } from "./ticket-keys.ts";

const SUBSCRIPTION_CAPACITY = 10_000;

/** The cloud: keeps sealed batches by stream id and serves them to ticket holders. It can open none. */
export async function createCloudApp(options: {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly kdcUrl: string;
  /** Origin of the page that reads from here. */
  readonly pageOrigin?: string;
  readonly rateLimit: RateLimit;
  readonly trustProxies: number;
}): Promise<Service> {
  const { store, clock, log } = options;
  let url = "";
  const kdc = createKdcClient({ http: createHttpClient({ clock }), url: options.kdcUrl });
  const tickets = createTicketVerifier(await createTicketKeys({ store, clock, kdc }), clock);
  const publicUrl = () => url;
  const guard = createTicketGuard({ tickets, proofs: createProofVerifier(clock), publicUrl });
  const routes = createRoutes({ guard, publicUrl });
  const subscriptions = createSubscriptions(SUBSCRIPTION_CAPACITY);
  const records = await createRecords({ store, clock, onStored: subscriptions.publish });
  addRecordsRoutes(routes, { tickets, records, subscriptions, clock });
  addPartRoutes(routes, { parts: await createParts(store, clock) });
  const { app, drain } = createServiceApp({
    log,
    probes: [{ name: "store", check: () => store.ping() }],
    rateLimit: options.rateLimit,
    trustProxies: options.trustProxies,
    routes,
    ...(options.pageOrigin === undefined ? {} : { pageOrigin: options.pageOrigin }),
  });
  return {
    app,
    endpoints: routes.endpoints,
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
