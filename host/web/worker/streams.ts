import { scoreOf, updateVitals, type Vitals } from "../../analytics/index.ts";
import { isMedcloudletError, type MedcloudletError } from "../../base/index.ts";
import type { NewestFirst, OpenedStream, ReadBatch, Reader } from "../../client/index.ts";
import type { Quantity } from "../../sealing/index.ts";
import { createSeriesStore, type SeriesStore } from "./series.ts";
import type { Work } from "./work.ts";

/** So many batches of each stream are opened before anything else: an hour, where a wearable sends each minute. */
const NEWEST = 60;
/** So many are opened of one stream before it is another's turn. */
const OLDER = 50;
const AGAIN_AFTER_MS = 1000;
const QUEUE_MS = 20;
/** At most this often does the page hear of new readings: a screen shows no more. */
const TELL_EVERY_MS = 250;
const COURSE_MS = 60 * 60_000;
const COURSE_POINTS = 60;

export interface Score {
  readonly lowerBound: number;
  readonly complete: boolean;
  readonly redFlag: boolean;
}

/** Under what somebody reads a stream. */
export interface Reading {
  /** When it ends, ms; null for one's own. */
  readonly until: number | null;
  readonly purpose: "treatment" | "research" | "self-care" | "emergency" | "own";
}

/** One stream that is followed, as a line of the list. */
export interface PatientRow extends Reading {
  readonly streamId: string;
  readonly ownerId: string;
  readonly name: string;
  readonly fingerprint: string;
  readonly score: Score | null;
  readonly vitals: Readonly<Partial<Record<Quantity, { readonly value: number; readonly time: number }>>>;
  /** Time of the newest reading, ms. */
  readonly lastTime: number | null;
  readonly batches: number;
  /** Batches that are not what the patient's wearable sealed, and why the last one was refused. */
  readonly refused: number;
  readonly refusal: string | null;
  readonly notShared: number;
  /** Why nothing comes through at the moment. */
  readonly trouble: string | null;
  /** Time of the earliest reading that was opened, ms. */
  readonly firstTime: number | null;
  /** True while older readings are still being opened. */
  readonly opening: boolean;
  /** Heart rate of the last hour, for a small chart. */
  readonly course: readonly (number | null)[];
}

interface Followed {
  readonly stream: OpenedStream;
  readonly reading: Reading;
  readonly series: SeriesStore;
  readonly vitals: Vitals;
  lastTime: number | null;
  batches: number;
  refused: number;
  refusal: string | null;
  notShared: number;
  trouble: string | null;
  firstTime: number | null;
  opening: boolean;
  /** Nothing comes any more: the consent ended, or the emergency. */
  ended: boolean;
}

/** How a batch came: among the newest at the beginning, as it arrived, or from before those. */
export type Arrival = "newest" | "live" | "older";

/** Who makes something of opened readings, here in the worker. */
export interface Listener {
  /** Of each arrival in order of time; `older` goes backwards. */
  onBatch?(stream: OpenedStream, batch: ReadBatch & { readonly status: "opened" }, arrival: Arrival): void;
  /** Everything that there was has been opened, back to the beginning. */
  onWhole?(stream: OpenedStream): void;
}

/** Streams whose batches are opened as they arrive. */
export interface Streams {
  /** Ids of those that are followed, without those that ended. */
  readonly ids: ReadonlySet<string>;
  /** True while nothing stands between the stream and this machine. */
  isLive(streamId: string): boolean;
  follow(stream: OpenedStream, reading: Reading): void;
  /** Stops following, and forgets what was read. */
  drop(streamId: string): void;
  streamOf(streamId: string): OpenedStream | undefined;
  /** The opened readings of a stream, for who makes something of them here. */
  seriesOf(streamId: string): SeriesStore | undefined;
  /** From now on the series of this one come as events; of none for null. */
  show(streamId: string | null): void;
  /** Grants that did not hold, for the list to say. */
  setRefusedGrants(count: number): void;
  /** Tells the list, soon. */
  tellSoon(): void;
}

function rowOf({ stream, reading, series, vitals, ...state }: Followed): PatientRow {
  const { streamId, ownerId, ownerName, ownerFingerprint } = stream;
  const { lastTime, firstTime, batches, refused, refusal, notShared, trouble, opening } = state;
  const score = lastTime === null ? null : scoreOf(vitals);
  return {
    ...reading,
    ...{ streamId, ownerId, name: ownerName, fingerprint: ownerFingerprint },
    score:
      score === null
        ? null
        : { lowerBound: score.lowerBound, complete: score.complete, redFlag: score.redFlag },
    ...{ vitals, lastTime, firstTime, batches, refused, refusal, notShared, trouble, opening },
    course: series.recent("heartRate", COURSE_MS, COURSE_POINTS),
  };
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Follows streams and tells the page of them, a few times a second at most. Of each the newest batches are opened first,
 * so that nobody takes a score of last week for one of now; then what arrives, and what is older, the stream that is
 * shown before the others.
 */
export function createStreams(
  options: {
    readonly work: Pick<Work, "tell" | "signal">;
    readonly reader: Pick<Reader, "newestFirst">;
  } & Listener,
): Streams {
  const { work, reader } = options;
  const streams = new Map<string, Followed>();
  let shown: string | null = null;
  let refusedGrants = 0;
  let telling = false;
  /** Streams whose newest batches are on their way: what is older waits for them. */
  let beginning = 0;
  let lastTurn: Followed | null = null;

  const tellNow = (): void => {
    telling = false;
    if (work.signal.aborted) {
      return;
    }
    work.tell({ told: "patients", rows: [...streams.values()].map(rowOf), refusedGrants });
    const open = shown === null ? undefined : streams.get(shown);
    if (open !== undefined) {
      const updates = open.series.news();
      if (updates.length > 0) {
        work.tell({ told: "series", streamId: open.stream.streamId, updates });
      }
    }
  };
  const tellSoon = (): void => {
    if (!telling) {
      telling = true;
      setTimeout(tellNow, TELL_EVERY_MS);
    }
  };

  const isGone = (followed: Followed): boolean =>
    work.signal.aborted || streams.get(followed.stream.streamId) !== followed;

  const take = (followed: Followed, batch: ReadBatch, arrival: Arrival): void => {
    if (batch.status === "opened") {
      const { firstTime, lastTime } = batch.header;
      followed.batches++;
      followed.series.add(batch.columns);
      updateVitals(followed.vitals, batch.columns);
      followed.lastTime = Math.max(followed.lastTime ?? 0, lastTime);
      followed.firstTime = Math.min(followed.firstTime ?? firstTime, firstTime);
      options.onBatch?.(followed.stream, batch, arrival);
    } else if (batch.error.code === "EPOCH_UNKNOWN") {
      followed.notShared++;
    } else {
      followed.refused++;
      followed.refusal = batch.error.message;
    }
    tellSoon();
  };

  const noteTrouble = (followed: Followed, trouble: string | null): void => {
    if (followed.trouble !== trouble) {
      followed.trouble = trouble;
      tellSoon();
    }
  };

  /** Tries again what a service that is away keeps from happening. */
  const again = async <T>(followed: Followed, work: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const passing = isMedcloudletError(error) && (error.status >= 500 || error.status === 429);
        if (!passing || isGone(followed)) {
          throw error;
        }
        noteTrouble(followed, error.message);
        await wait(AGAIN_AFTER_MS);
      }
    }
  };

  /** One stream's backlog at a time: the one that somebody looks at, else each in turn. */
  const awaitTurn = async (followed: Followed): Promise<void> => {
    for (;;) {
      const waiting = [...streams.values()].filter(({ opening, ended }) => opening && !ended);
      const looked = shown === null ? undefined : waiting.find(({ stream }) => stream.streamId === shown);
      const after = lastTurn === null ? -1 : waiting.indexOf(lastTurn);
      const next = looked ?? waiting[(after + 1) % waiting.length];
      if (isGone(followed) || (beginning === 0 && next === followed)) {
        lastTurn = followed;
        return;
      }
      await wait(QUEUE_MS);
    }
  };

  const readOlder = async (followed: Followed, history: NewestFirst): Promise<void> => {
    for (;;) {
      await awaitTurn(followed);
      if (isGone(followed)) {
        return;
      }
      const page = await again(followed, () => history.older(OLDER));
      // Backwards: each is put before what is there, instead of into the middle of it.
      for (const batch of page.toReversed()) {
        take(followed, batch, "older");
      }
      if (page.length === 0) {
        return;
      }
    }
  };

  const follow = async (followed: Followed, signal: AbortSignal): Promise<void> => {
    const history = reader.newestFirst(followed.stream);
    beginning++;
    try {
      for (const batch of await again(followed, () => history.newest(NEWEST))) {
        take(followed, batch, "newest");
      }
    } finally {
      beginning--;
    }
    const olderRead = readOlder(followed, history).then(() => {
      followed.opening = false;
      options.onWhole?.(followed.stream);
      tellSoon();
    });
    // Both go on side by side; the first that fails for good ends the stream.
    await Promise.all([
      olderRead,
      (async () => {
        const onTrouble = (error: MedcloudletError) => noteTrouble(followed, error.message);
        const onCaughtUp = () => noteTrouble(followed, null);
        for await (const batch of history.follow(signal, { onTrouble, onCaughtUp })) {
          take(followed, batch, "live");
        }
      })(),
    ]);
  };

  const controllers = new Map<string, AbortController>();
  const stop = (streamId: string): void => {
    controllers.get(streamId)?.abort();
    controllers.delete(streamId);
    streams.delete(streamId);
  };
  work.signal.addEventListener("abort", () => {
    for (const controller of controllers.values()) {
      controller.abort();
    }
  });

  return {
    get ids() {
      return new Set([...streams].filter(([, { ended }]) => !ended).map(([id]) => id));
    },
    isLive(streamId) {
      const followed = streams.get(streamId);
      return followed !== undefined && followed.trouble === null && followed.lastTime !== null;
    },
    follow(stream, reading) {
      stop(stream.streamId);
      const followed: Followed = {
        ...{ stream, reading, series: createSeriesStore(), vitals: {}, lastTime: null, batches: 0 },
        ...{ refused: 0, refusal: null, notShared: 0, trouble: null, firstTime: null, opening: true },
        ended: false,
      };
      streams.set(stream.streamId, followed);
      const controller = new AbortController();
      controllers.set(stream.streamId, controller);
      follow(followed, controller.signal).catch((error) => {
        // The consent ended, or the session did: the row stays, and says so.
        controller.abort();
        followed.trouble = error instanceof Error ? error.message : String(error);
        followed.ended = true;
        followed.opening = false;
        tellSoon();
      });
      tellSoon();
    },
    drop(streamId) {
      stop(streamId);
      tellSoon();
    },
    streamOf: (streamId) => streams.get(streamId)?.stream,
    seriesOf: (streamId) => streams.get(streamId)?.series,
    show(streamId) {
      shown = streamId;
      const open = streamId === null ? undefined : streams.get(streamId);
      if (open !== undefined) {
        work.tell({ told: "series", streamId: open.stream.streamId, updates: open.series.all() });
      }
    },
    setRefusedGrants(count) {
      refusedGrants = count;
    },
    tellSoon,
  };
}
