import type { Clock } from "../base/index.ts";
import { createHttpClient, createKdcClient } from "../client/index.ts";
import { addRelayRoutes } from "../emergency/live/index.ts";
import { createServiceApp, type Log, type RateLimit, type Service } from "../http/index.ts";
import {
  createProofVerifier,
  createRoutes,
  createTicketGuard,
  createTicketVerifier,
} from "../identity/index.ts";
import type { IdsParts } from "../ids/live/index.ts";
import type { MeshSettings } from "../ids/mesh/index.ts";
import {
  addErasureRoute,
  addNoteRoutes,
  addPartRoutes,
  addRecordsRoutes,
  createDeviceGrants,
  createErasures,
  createNotes,
  createParts,
  createRecords,
  createSubscriptions,
} from "../records/index.ts";
import { generateSigningSeed, importSigningKey, type SigningKey } from "../sealing/index.ts";
import type { Store } from "../store/index.ts";
import { createMeshedIds, type MeshedIds } from "./meshed-ids.ts";
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
  /** The intrusion detection; off without a word, and its routes are there all the same. */
  readonly ids?: IdsParts;
  /** Its part in the mesh; without it the service decides alone. */
  readonly mesh?: MeshSettings | undefined;
  /** Signs what helpers carry back; without one it is made for this process, and cloudlets learn the next one later. */
  readonly acknowledgementKey?: SigningKey;
}): Promise<Service & { readonly ids: MeshedIds }> {
  const { store, clock, log } = options;
  let url = "";
  const http = createHttpClient({ clock });
  const kdc = createKdcClient({ http, url: options.kdcUrl });
  const tickets = createTicketVerifier(await createTicketKeys({ store, clock, kdc }), clock);
  const publicUrl = () => url;
  const proofs = createProofVerifier(clock);
  const guard = createTicketGuard({ tickets, proofs, publicUrl });
  const ids = await createMeshedIds({ store, clock, log, http, ids: options.ids, mesh: options.mesh });
  const routes = createRoutes({ guard, proofs, publicUrl, watch: ids.watch });
  const subscriptions = createSubscriptions(SUBSCRIPTION_CAPACITY);
  const erasures = await createErasures({ store, clock, onErased: subscriptions.end });
  const records = await createRecords({ store, clock, erasures, onStored: subscriptions.publish });
  const key = options.acknowledgementKey ?? (await importSigningKey(generateSigningSeed()));
  addRelayRoutes(routes, {
    tickets,
    deviceGrant: createDeviceGrants({ tickets, clock }),
    records,
    clock,
    key,
  });
  addRecordsRoutes(routes, { tickets, records, subscriptions, erasures, clock });
  addPartRoutes(routes, { parts: await createParts(store, clock), erasures });
  const onNote = (streamId: string, position: number) => subscriptions.publish(streamId, position, "note");
  addNoteRoutes(routes, { notes: await createNotes({ store, clock, onStored: onNote }), erasures });
  addErasureRoute(routes, { erasures });
  ids.addRoutes(routes);
  const { app, drain } = createServiceApp({
    log,
    probes: [{ name: "store", check: () => store.ping() }],
    rateLimit: options.rateLimit,
    trustProxies: options.trustProxies,
    routes,
    ...(options.pageOrigin === undefined ? {} : { pageOrigin: options.pageOrigin }),
    watch: ids.watch,
    metrics: ids.metrics,
  });
  return {
    app,
    ids,
    endpoints: routes.endpoints,
    async start(listeningAt) {
      url = listeningAt;
      await erasures.sweep();
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
