import type { Clock } from "../../base/index.ts";
import type { HttpClient } from "../../client/index.ts";
import type { CallLimit, Members } from "../../community/index.ts";
import { errorFields, type Log } from "../../http/index.ts";
import type { Routes } from "../../identity/index.ts";
import type { Spool, Uplink } from "../../ingest/index.ts";
import type { SigningKey } from "../../sealing/index.ts";
import type { Store } from "../../store/index.ts";
import { createCalls } from "./calls.ts";
import { createCloudKey } from "./cloud-key.ts";
import { createPresences } from "./presences.ts";
import { createHelperRelay, type RelayCounts } from "./relay.ts";
import { addHelperRoutes } from "./routes.ts";

/** Asked often until it is there, seldom from then on. */
const KEY_FIRST_MS = 2_000;
const KEY_AGAIN_MS = 10 * 60_000;

/** Helpers near one cloudlet. */
export interface HelperRooms {
  addRoutes(routes: Routes, options: { readonly members: Members; readonly limit: CallLimit }): void;
  /** Learns the cloud's key while the line stands. */
  start(): void;
  stop(): void;
  forget(): Promise<void>;
  counts(): RelayCounts;
}

/** Opens everything that a cloudlet keeps of helpers and calls for them. */
export async function createHelperRooms(options: {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly http: HttpClient;
  readonly spool: Spool;
  readonly uplink: Uplink;
  readonly cloudUrl: string;
  readonly cloudletId: string;
  readonly key: SigningKey;
}): Promise<HelperRooms> {
  const { store, clock, log, http, spool, uplink, cloudUrl, cloudletId, key } = options;
  const presences = await createPresences({ store, clock });
  const calls = await createCalls({ store, clock });
  const cloudKey = await createCloudKey({ store, http, cloudUrl });
  const relay = createHelperRelay({ spool, uplink, cloudKey, presences, clock, cloudletId, key });
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const learn = async (): Promise<void> => {
    let wait = KEY_AGAIN_MS;
    try {
      await cloudKey.refresh();
    } catch (error) {
      log.debug({ event: "cloud_key_waits", ...errorFields(error) });
      wait = cloudKey.current() === null ? KEY_FIRST_MS : KEY_AGAIN_MS;
    }
    if (!stopped) {
      timer = setTimeout(() => void learn(), wait);
      timer.unref();
    }
  };

  return {
    addRoutes: (routes, { members, limit }) =>
      addHelperRoutes(routes, { members, presences, calls, relay, limit }),
    start: () => void learn(),
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
    async forget() {
      await presences.forget();
      await calls.forget();
    },
    counts: relay.counts,
  };
}
