import { z } from "zod";
import type { Clock } from "../base/index.ts";
import {
  createHttpClient,
  createKdcClient,
  createReader,
  createRecordReader,
  createSeenParts,
  personFingerprint,
} from "../client/index.ts";
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
import { gatherCohort } from "../research/index.ts";
import {
  addResearchRoutes,
  createReleaseDesk,
  type ReleaseDesk,
  type Source,
  type Study,
} from "../research/service/index.ts";
import type { SealingSuite } from "../sealing/index.ts";
import type { Store } from "../store/index.ts";
import { createMeshedIds, type MeshedIds } from "./meshed-ids.ts";
import type { ResearchAccount } from "./research-account.ts";
import { createTicketKeys } from "./ticket-keys.ts";

/** Each release means reading every record again, and a row of refusals could be asked to find something out. */
const REQUEST_LIMIT: RateLimit = { points: 30, seconds: 60 * 60 };

/**
 * The research service: opens the records of those who consent to research with its account, in memory, and gives out what
 * was generalised. It is a reader like any other, and sees consented records in the clear while it works.
 */
export async function createResearchApp(options: {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly suite: SealingSuite;
  readonly kdcUrl: string;
  readonly cloudUrl: string;
  readonly account: ResearchAccount;
  readonly studies: ReadonlyMap<string, Study>;
  /** Where releases lie. */
  readonly folder: string;
  /** 32 bytes of the ledger of releases. */
  readonly salt: Uint8Array;
  readonly rateLimit: RateLimit;
  /** Requests for releases, by researcher. */
  readonly requestLimit?: RateLimit;
  readonly trustProxies: number;
  /** The intrusion detection; off without a word, and its routes are there all the same. */
  readonly ids?: IdsParts;
  /** Its part in the mesh; without it the service decides alone. */
  readonly mesh?: MeshSettings | undefined;
}): Promise<Service & { readonly ids: MeshedIds; readonly desk: ReleaseDesk }> {
  const { store, clock, log, account, studies, suite } = options;
  let url = "";
  const http = createHttpClient({ clock });
  const kdc = createKdcClient({ http, url: options.kdcUrl });
  const tickets = createTicketVerifier(await createTicketKeys({ store, clock, kdc }), clock);
  const publicUrl = () => url;
  const proofs = createProofVerifier(clock);
  const guard = createTicketGuard({ tickets, proofs, publicUrl });
  const ids = await createMeshedIds({ store, clock, log, http, ids: options.ids, mesh: options.mesh });
  const routes = createRoutes({ guard, proofs, publicUrl, watch: ids.watch });
  const { accountId, handle, keys } = account;
  const desk = await createReleaseDesk({
    ...{ store, clock, log, studies, folder: options.folder, salt: options.salt },
    source: createSource({ account, suite, clock, http, cloudUrl: options.cloudUrl }),
    account: { accountId, key: keys.signing },
  });
  addResearchRoutes(routes, {
    desk,
    studies,
    service: { accountId, handle, fingerprint: personFingerprint(keys) },
    limit: createRateLimiter(options.requestLimit ?? REQUEST_LIMIT),
  });
  ids.addRoutes(routes);
  const { app, drain } = createServiceApp({
    log,
    // KDC and cloud may be away: releases that were made are given out without them.
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
    desk,
    endpoints: routes.endpoints,
    async start(listeningAt) {
      url = listeningAt;
      ids.start();
      // Also where it fails requests can wait: the next start tries again.
      await desk.start().catch((error) => log.error({ event: "research_failed", ...errorFields(error) }));
    },
    drain() {
      drain();
      ids.drain();
    },
    async stop() {
      await desk.stop();
      await ids.stop();
      await store.close();
    },
  };
}

/** Reads as the service's account. Versions of records that were seen are kept in memory: a list of who takes part. */
function createSource(options: {
  readonly account: ResearchAccount;
  readonly suite: SealingSuite;
  readonly clock: Clock;
  readonly http: ReturnType<typeof createHttpClient>;
  readonly cloudUrl: string;
}): Source {
  const { account, ...tools } = options;
  const seen = createSeenParts({}, async () => {});
  return {
    async gather() {
      const { keys } = account;
      const common = { ...tools, keys, session: await account.session() };
      return gatherCohort({
        reader: createReader(common),
        records: createRecordReader({ ...common, seen }),
      });
    },
    async tell(consentId, use) {
      const session = await account.session();
      await session.call(z.unknown(), { method: "POST", path: `/consents/${consentId}/uses`, json: use });
    },
  };
}
