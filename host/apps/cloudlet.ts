import { bareUrl, type Clock } from "../base/index.ts";
import { createHttpClient, createKdcClient, type Fetch } from "../client/index.ts";
import { createCommunityRooms } from "../community/index.ts";
import { createHelperRooms } from "../emergency/live/index.ts";
import {
  createRateLimiter,
  createServiceApp,
  errorFields,
  type Log,
  type RateLimit,
  type Service,
} from "../http/index.ts";
import {
  createProofVerifier,
  createRoutes,
  createTicketGuard,
  createTicketVerifier,
} from "../identity/index.ts";
import type { IdsParts } from "../ids/live/index.ts";
import type { MeshSettings } from "../ids/mesh/index.ts";
import { addIngestRoutes, createSpool, createUplink } from "../ingest/index.ts";
import type { SigningKey } from "../sealing/index.ts";
import type { Store } from "../store/index.ts";
import { createMeshedIds, type MeshedIds } from "./meshed-ids.ts";
import { createTicketKeys } from "./ticket-keys.ts";

/** What was forwarded is remembered this long, so that a resend is recognised here; then the cloud does it alone. */
const REMEMBER_MS = 30 * 24 * 60 * 60 * 1000;
const FORGET_EVERY_MS = 60 * 60 * 1000;
/** Requests of one member of a community; those of an address have a limit of their own. */
const MEMBER_LIMIT: RateLimit = { points: 600, seconds: 60 };

/** The cloudlet: takes sealed batches from wearables, keeps them until the cloud has them. It can open none. */
export async function createCloudletApp(options: {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly kdcUrl: string;
  readonly cloudUrl: string;
  /** The cloudlet's account at the KDC and the key it is registered with. */
  readonly cloudletId: string;
  readonly key: SigningKey;
  readonly spoolCapacity: number;
  /** Origin of the page that security officers and members of communities use. */
  readonly pageOrigin?: string;
  readonly rateLimit: RateLimit;
  readonly memberLimit?: RateLimit;
  readonly trustProxies: number;
  /** The intrusion detection; off without a word, and its routes are there all the same. */
  readonly ids?: IdsParts;
  /** Its part in the mesh; without it the service decides alone. */
  readonly mesh?: MeshSettings | undefined;
  /** How it reaches KDC and cloud; the platform's without a word. */
  readonly fetch?: Fetch;
}): Promise<Service & { readonly ids: MeshedIds }> {
  const { store, clock, log, key } = options;
  let url = "";
  let forgetting: NodeJS.Timeout | undefined;
  const { fetch } = options;
  const http = createHttpClient({ clock, ...(fetch === undefined ? {} : { fetch }) });
  const kdc = createKdcClient({ http, url: options.kdcUrl });
  const tickets = createTicketVerifier(await createTicketKeys({ store, clock, kdc }), clock);
  const publicUrl = () => url;
  const proofs = createProofVerifier(clock);
  const guard = createTicketGuard({ tickets, proofs, publicUrl });
  const ids = await createMeshedIds({ store, clock, log, http, ids: options.ids, mesh: options.mesh });
  const routes = createRoutes({ guard, proofs, publicUrl, watch: ids.watch });
  const spool = await createSpool({ store, capacity: options.spoolCapacity });
  const cloudUrl = bareUrl(options.cloudUrl);
  const uplink = createUplink({
    spool,
    http,
    clock,
    log,
    cloudUrl,
    key,
    requestTicket: () => kdc.forwardTicket(options.cloudletId, key),
  });
  addIngestRoutes(routes, { spool, clock, onAccepted: uplink.wake });
  const communities = await createCommunityRooms({ store, clock });
  const limit = createRateLimiter(options.memberLimit ?? MEMBER_LIMIT);
  communities.addRoutes(routes, { limit });
  const { cloudletId } = options;
  const helpers = await createHelperRooms({
    store,
    clock,
    log,
    http,
    spool,
    uplink,
    cloudUrl,
    cloudletId,
    key,
  });
  helpers.addRoutes(routes, { members: communities.members, limit });
  ids.addRoutes(routes);
  const { app, drain } = createServiceApp({
    log,
    // The cloud may be away for a day and the cloudlet still does its work: only its own store makes it unready.
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
      ids.start();
      uplink.start();
      helpers.start();
      forgetting = setInterval(() => {
        const due = [spool.forget(clock.now() - REMEMBER_MS), communities.forget(), helpers.forget()];
        for (const forgotten of due) {
          forgotten.catch((error) => {
            log.warn({ event: "forget_failed", ...errorFields(error) });
          });
        }
      }, FORGET_EVERY_MS);
      forgetting.unref();
    },
    drain() {
      drain();
      ids.drain();
    },
    async stop() {
      clearInterval(forgetting);
      helpers.stop();
      await uplink.stop();
      await ids.stop();
      await store.close();
    },
  };
}
