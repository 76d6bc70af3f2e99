import type { Clock } from "../base/index.ts";
import { createHttpClient, createKdcClient } from "../client/index.ts";
import { createServiceApp, type Log, type RateLimit, type Service } from "../http/index.ts";
import {
  createProofVerifier,
  createRoutes,
  createTicketGuard,
  createTicketVerifier,
} from "../identity/index.ts";
import { createIds, type Ids, type IdsParts, idsOff } from "../ids/live/index.ts";
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
  readonly rateLimit: RateLimit;
  readonly trustProxies: number;
  /** The intrusion detection; off without a word, and its routes are there all the same. */
  readonly ids?: IdsParts;
}): Promise<Service & { readonly ids: Ids }> {
  const { store, clock, log } = options;
  let url = "";
  const kdc = createKdcClient({ http: createHttpClient({ clock }), url: options.kdcUrl });
  const tickets = createTicketVerifier(await createTicketKeys({ store, clock, kdc }), clock);
  const publicUrl = () => url;
  const guard = createTicketGuard({ tickets, proofs: createProofVerifier(clock), publicUrl });
  const ids = await createIds({ store, clock, log, ...(options.ids ?? idsOff()) });
  const routes = createRoutes({ guard, publicUrl, watch: ids.watch });
  const subscriptions = createSubscriptions(SUBSCRIPTION_CAPACITY);
  const records = await createRecords({ store, clock, onStored: subscriptions.publish });
  addRecordsRoutes(routes, { tickets, records, subscriptions, clock });
  addPartRoutes(routes, { parts: await createParts(store, clock) });
  ids.addRoutes(routes);
  const { app, drain } = createServiceApp({
    log,
    probes: [{ name: "store", check: () => store.ping() }],
    rateLimit: options.rateLimit,
    trustProxies: options.trustProxies,
    routes,
    watch: ids.watch,
    metrics: ids.metrics,
  });
  return {
    app,
    ids,
    endpoints: routes.endpoints,
    async start(listeningAt) {
      url = listeningAt;
      ids.start();
    },
    drain() {
      drain();
      subscriptions.close();
      ids.drain();
    },
    async stop() {
      await ids.stop();
      await store.close();
    },
  };
}
