import type { Clock } from "../base/index.ts";
import { createHttpClient, createKdcClient, type Fetch } from "../client/index.ts";
import { createServiceApp, type Log, type RateLimit, type Service } from "../http/index.ts";
import {
  createProofVerifier,
  createRoutes,
  createTicketGuard,
  createTicketVerifier,
} from "../identity/index.ts";
import type { IdsParts } from "../ids/live/index.ts";
import type { MeshSettings } from "../ids/mesh/index.ts";
import type { Store } from "../store/index.ts";
import { createMeshedIds, type MeshedIds } from "./meshed-ids.ts";
import { createTicketKeys } from "./ticket-keys.ts";

/** What each service that takes the KDC's tickets is started with. */
export interface TicketServiceOptions {
  /** Closed with the service. */
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly kdcUrl: string;
  /** Origin of the page that people use this service with. */
  readonly pageOrigin?: string;
  readonly rateLimit: RateLimit;
  readonly trustProxies: number;
  /** The intrusion detection; off without a word, and its routes are there all the same. */
  readonly ids?: IdsParts;
  /** Its part in the mesh; without it the service decides alone. */
  readonly mesh?: MeshSettings | undefined;
  /** How it reaches other services; the platform's without a word. */
  readonly fetch?: Fetch;
}

/** A service's own work, beside what all of them do. */
interface OwnWork {
  /** Once it listens. */
  start?(): Promise<void> | void;
  /** Lets those go who hold a connection open. */
  drain?(): void;
  /** Before the store closes. */
  stop?(): Promise<void> | void;
}

/**
 * What cloud, cloudlet and research service have in common: they verify tickets with the KDC's keys, without the KDC, and
 * watch who comes. Routes are declared on `routes`; `serve` makes the service of them.
 */
export async function createTicketService(options: TicketServiceOptions) {
  const { store, clock, log, fetch, pageOrigin } = options;
  let url = "";
  const publicUrl = () => url;
  const http = createHttpClient({ clock, ...(fetch === undefined ? {} : { fetch }) });
  const kdc = createKdcClient({ http, url: options.kdcUrl });
  const tickets = createTicketVerifier(await createTicketKeys({ store, clock, kdc }), clock);
  const proofs = createProofVerifier(clock);
  const guard = createTicketGuard({ tickets, proofs, publicUrl });
  const ids = await createMeshedIds({ store, clock, log, http, ids: options.ids, mesh: options.mesh });
  const routes = createRoutes({ guard, proofs, publicUrl, watch: ids.watch });

  const serve = (own: OwnWork): Service & { readonly ids: MeshedIds } => {
    ids.addRoutes(routes);
    const { app, drain } = createServiceApp({
      log,
      // Others may be away for a day and the service still does its work: only its own store makes it unready.
      probes: [{ name: "store", check: () => store.ping() }],
      rateLimit: options.rateLimit,
      trustProxies: options.trustProxies,
      routes,
      ...(pageOrigin === undefined ? {} : { pageOrigin }),
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
        await own.start?.();
      },
      drain() {
        drain();
        own.drain?.();
        ids.drain();
      },
      async stop() {
        await own.stop?.();
        await ids.stop();
        await store.close();
      },
    };
  };

  return { http, kdc, tickets, routes, serve };
}
