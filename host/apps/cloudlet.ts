import { bareUrl } from "../base/index.ts";
import { createCommunityRooms } from "../community/index.ts";
import { createHelperRooms } from "../emergency/live/index.ts";
import { createRateLimiter, errorFields, type RateLimit, type Service } from "../http/index.ts";
import { addIngestRoutes, createSpool, createUplink } from "../ingest/index.ts";
import type { SigningKey } from "../sealing/index.ts";
import type { MeshedIds } from "./meshed-ids.ts";
import { createTicketService, type TicketServiceOptions } from "./ticket-service.ts";

/** What was forwarded is remembered this long, so that a resend is recognised here; then the cloud does it alone. */
const REMEMBER_MS = 30 * 24 * 60 * 60 * 1000;
const FORGET_EVERY_MS = 60 * 60 * 1000;
/** Requests of one member of a community; those of an address have a limit of their own. */
const MEMBER_LIMIT: RateLimit = { points: 600, seconds: 60 };

/** The cloudlet: takes sealed batches from wearables, keeps them until the cloud has them. It can open none. */
export async function createCloudletApp(
  options: TicketServiceOptions & {
    readonly cloudUrl: string;
    /** The cloudlet's account at the KDC and the key it is registered with. */
    readonly cloudletId: string;
    readonly key: SigningKey;
    /** Batches that wait here at most. */
    readonly spoolCapacity: number;
    /** Requests of one member of a community; 600 a minute without a word. */
    readonly memberLimit?: RateLimit;
  },
): Promise<Service & { readonly ids: MeshedIds }> {
  const { store, clock, log, key, cloudletId } = options;
  const { http, kdc, routes, serve } = await createTicketService(options);
  let forgetting: NodeJS.Timeout | undefined;
  const spool = await createSpool({ store, capacity: options.spoolCapacity });
  const cloudUrl = bareUrl(options.cloudUrl);
  const uplink = createUplink({
    spool,
    http,
    clock,
    log,
    cloudUrl,
    key,
    requestTicket: () => kdc.forwardTicket(cloudletId, key),
  });
  addIngestRoutes(routes, { spool, clock, onAccepted: uplink.wake });
  const communities = await createCommunityRooms({ store, clock });
  const limit = createRateLimiter(options.memberLimit ?? MEMBER_LIMIT);
  communities.addRoutes(routes, { limit });
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
  return serve({
    start() {
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
    async stop() {
      clearInterval(forgetting);
      helpers.stop();
      await uplink.stop();
    },
  });
}
