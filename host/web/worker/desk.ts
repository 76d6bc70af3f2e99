import { scoreOf, updateVitals, type Vitals } from "../../analytics/index.ts";
import { type Clock, fromBase64Url, MedcloudletError } from "../../base/index.ts";
import {
  createHttpClient,
  createKdcClient,
  createReader,
  fetchBackup,
  type KdcSession,
  openIdentity,
  personFingerprint,
  type Reader,
  type SharedStream,
  unlockKeystore,
} from "../../client/index.ts";
import type { SealingSuite } from "../../sealing/index.ts";
import type { PatientRow, Person, Questions, Told } from "./messages.ts";
import { createSeriesStore, type SeriesStore } from "./series.ts";

/** At most this often does the page hear of new readings: a screen shows no more. */
const TELL_EVERY_MS = 250;
const COURSE_MS = 60 * 60_000;
const COURSE_POINTS = 60;
/** How often the KDC is asked whether a patient shared anything new. */
const LOOK_EVERY_MS = 30_000;

/** A doctor's desk: everything that is shared with them, opened as it arrives. Lives in a worker. */
export interface Desk {
  logIn(ask: Questions["logIn"]["ask"]): Promise<Person>;
  show(streamId: string | null): void;
  logOut(): Promise<void>;
}

interface Followed {
  readonly stream: SharedStream;
  readonly series: SeriesStore;
  readonly vitals: Vitals;
  lastTime: number | null;
  batches: number;
  refused: number;
  refusal: string | null;
  notShared: number;
  trouble: string | null;
}

const PAGE_SETTINGS_PATH = "/page.json";

function cloudUrlOf(settings: unknown): string {
  if (typeof settings === "object" && settings !== null && "cloudUrl" in settings) {
    const { cloudUrl } = settings;
    if (typeof cloudUrl === "string" && /^https?:\/\//.test(cloudUrl)) {
      return cloudUrl;
    }
  }
  throw new MedcloudletError(
    "PAGE_SETTINGS",
    "This KDC does not say where its cloud is: set MEDCLOUDLET_CLOUD_URL there.",
  );
}

/** What a row of the list says of a stream. */
function rowOf(followed: Followed): PatientRow {
  const { stream, series, vitals, lastTime, batches, refused, refusal, notShared, trouble } = followed;
  const { streamId, ownerName, ownerFingerprint, consent } = stream;
  const score = lastTime === null ? null : scoreOf(vitals);
  return {
    streamId,
    name: ownerName,
    fingerprint: ownerFingerprint,
    until: consent.until,
    purpose: consent.purpose,
    score:
      score === null
        ? null
        : { lowerBound: score.lowerBound, complete: score.complete, redFlag: score.redFlag },
    vitals,
    lastTime,
    batches,
    refused,
    refusal,
    notShared,
    trouble,
    course: series.recent("heartRate", COURSE_MS, COURSE_POINTS),
  };
}

export function createDesk(options: {
  readonly suite: SealingSuite;
  readonly clock: Clock;
  readonly tell: (told: Told) => void;
}): Desk {
  const { suite, clock, tell } = options;
  const http = createHttpClient({ clock, fetch: (url, init) => fetch(url, init) });
  const streams = new Map<string, Followed>();
  let session: KdcSession | null = null;
  let controller = new AbortController();
  let shown: string | null = null;
  let refusedGrants = 0;
  let telling: ReturnType<typeof setTimeout> | undefined;
  let looking: ReturnType<typeof setInterval> | undefined;

  const tellNow = (): void => {
    telling = undefined;
    tell({ told: "patients", rows: [...streams.values()].map(rowOf), refusedGrants });
    const open = shown === null ? undefined : streams.get(shown);
    if (open !== undefined) {
      const updates = open.series.news();
      if (updates.length > 0) {
        tell({ told: "series", streamId: open.stream.streamId, updates });
      }
    }
  };
  const tellSoon = (): void => {
    telling ??= setTimeout(tellNow, TELL_EVERY_MS);
  };

  const follow = async (reader: Reader, followed: Followed, signal: AbortSignal): Promise<void> => {
    const onTrouble = (error: MedcloudletError) => {
      followed.trouble = error.message;
      tellSoon();
    };
    for await (const { batch } of reader.follow(followed.stream, signal, { onTrouble })) {
      followed.trouble = null;
      if (batch.status === "opened") {
        followed.batches++;
        followed.series.add(batch.columns);
        updateVitals(followed.vitals, batch.columns);
        followed.lastTime = Math.max(followed.lastTime ?? 0, batch.header.lastTime);
      } else if (batch.error.code === "EPOCH_UNKNOWN") {
        followed.notShared++;
      } else {
        followed.refused++;
        followed.refusal = batch.error.message;
      }
      tellSoon();
    }
  };

  const look = async (reader: Reader, signal: AbortSignal): Promise<void> => {
    const { streams: shared, refused } = await reader.shared();
    refusedGrants = refused.length;
    for (const stream of shared) {
      if (stream.region !== "medical" || streams.has(stream.streamId)) {
        continue;
      }
      const followed: Followed = {
        stream,
        series: createSeriesStore(),
        vitals: {},
        lastTime: null,
        batches: 0,
        refused: 0,
        refusal: null,
        notShared: 0,
        trouble: null,
      };
      streams.set(stream.streamId, followed);
      follow(reader, followed, signal).catch((error) => {
        // The consent ended, or the session did: the row stays, and says so.
        followed.trouble = error instanceof Error ? error.message : String(error);
        tellSoon();
      });
    }
    tellSoon();
  };

  const end = (): void => {
    controller.abort();
    clearInterval(looking);
    clearTimeout(telling);
    telling = undefined;
    streams.clear();
    shown = null;
    session = null;
  };

  return {
    async logIn({ kdcUrl, handle, password, passphrase, code, session: kept }) {
      end();
      controller = new AbortController();
      const { signal } = controller;
      const kdc = createKdcClient({ http, url: kdcUrl });
      const opened =
        kept === undefined
          ? await kdc.login(handle, password, code === undefined ? {} : { code })
          : await kdc.resume(kept);
      const { keystore } = await fetchBackup(opened);
      const contents = await unlockKeystore(keystore, passphrase);
      const keys = await openIdentity(suite, {
        signingSeed: fromBase64Url(contents.signingSeed),
        receivingKey: fromBase64Url(contents.receivingKey),
      });
      const settings = await http.json({ method: "GET", url: `${kdcUrl}${PAGE_SETTINGS_PATH}` });
      const reader = createReader({
        suite,
        clock,
        http,
        session: opened,
        keys,
        cloudUrl: cloudUrlOf(settings),
      });
      session = opened;
      await look(reader, signal);
      looking = setInterval(() => {
        look(reader, signal).catch(() => {
          // The streams' own troubles tell that the KDC is away; the next look comes by itself.
        });
      }, LOOK_EVERY_MS);
      const { role } = opened.account;
      return { handle, role, name: contents.name, fingerprint: personFingerprint(keys) };
    },
    show(streamId) {
      shown = streamId;
      const open = streamId === null ? undefined : streams.get(streamId);
      if (open !== undefined) {
        tell({ told: "series", streamId: open.stream.streamId, updates: open.series.all() });
      }
    },
    async logOut() {
      const ending = session;
      end();
      await ending?.logout();
    },
  };
}
