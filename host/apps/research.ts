import { z } from "zod";
import type { Clock } from "../base/index.ts";
import {
  createReader,
  createRecordReader,
  createSeenParts,
  type HttpClient,
  personFingerprint,
} from "../client/index.ts";
import { createRateLimiter, errorFields, type RateLimit, type Service } from "../http/index.ts";
import { gatherCohort } from "../research/index.ts";
import {
  addResearchRoutes,
  createReleaseDesk,
  type ReleaseDesk,
  type Source,
  type Study,
} from "../research/service/index.ts";
import type { SealingSuite } from "../sealing/index.ts";
import type { MeshedIds } from "./meshed-ids.ts";
import type { ResearchAccount } from "./research-account.ts";
import { createTicketService, type TicketServiceOptions } from "./ticket-service.ts";

/** Each release means reading every record again, and a row of refusals could be asked to find something out. */
const REQUEST_LIMIT: RateLimit = { points: 30, seconds: 60 * 60 };

/**
 * The research service: opens the records of those who consent to research with its account, in memory, and gives out what
 * was generalised. It is a reader like any other, and sees consented records in the clear while it works.
 */
export async function createResearchApp(
  options: Omit<TicketServiceOptions, "pageOrigin"> & {
    readonly suite: SealingSuite;
    readonly cloudUrl: string;
    readonly account: ResearchAccount;
    readonly studies: ReadonlyMap<string, Study>;
    /** Where releases lie. */
    readonly folder: string;
    /** 32 bytes of the ledger of releases. */
    readonly salt: Uint8Array;
    /** Requests for releases, by researcher; 30 an hour without a word. */
    readonly requestLimit?: RateLimit;
  },
): Promise<Service & { readonly ids: MeshedIds; readonly desk: ReleaseDesk }> {
  const { store, clock, log, account, studies, suite } = options;
  const { http, routes, serve } = await createTicketService(options);
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
  const service = serve({
    // Also where it fails requests can wait: the next start tries again.
    start: () =>
      desk.start().catch((error) => log.error({ event: "research_failed", ...errorFields(error) })),
    stop: () => desk.stop(),
  });
  return { ...service, desk };
}

/** Reads as the service's account. Versions of records that were seen are kept in memory: a list of who takes part. */
function createSource(options: {
  readonly account: ResearchAccount;
  readonly suite: SealingSuite;
  readonly clock: Clock;
  readonly http: HttpClient;
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
