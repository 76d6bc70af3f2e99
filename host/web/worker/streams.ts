import { scoreOf, updateVitals, type Vitals } from "../../analytics/index.ts";
import type { MedcloudletError } from "../../base/index.ts";
import type { OpenedStream, ReadBatch, Reader } from "../../client/index.ts";
import type { Quantity } from "../../sealing/index.ts";
import { createSeriesStore, type SeriesStore } from "./series.ts";
import type { Work } from "./work.ts";

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
}

/** Streams whose batches are opened as they arrive. */
export interface Streams {
  /** Ids of those that are followed. */
  readonly ids: ReadonlySet<string>;
  follow(stream: OpenedStream, reading: Reading): void;
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
  const { lastTime, batches, refused, refusal, notShared, trouble } = state;
  const score = lastTime === null ? null : scoreOf(vitals);
  return {
    ...reading,
    ...{ streamId, ownerId, name: ownerName, fingerprint: ownerFingerprint },
    score:
      score === null
        ? null
        : { lowerBound: score.lowerBound, complete: score.complete, redFlag: score.redFlag },
    ...{ vitals, lastTime, batches, refused, refusal, notShared, trouble },
    course: series.recent("heartRate", COURSE_MS, COURSE_POINTS),
  };
}

/**
 * Follows streams and tells the page of them, a few times a second at most.
 * @param options.onBatch hears of each batch that was opened, in order
 */
export function createStreams(options: {
  readonly work: Pick<Work, "tell" | "signal">;
  readonly reader: Reader;
  readonly onBatch?: (stream: OpenedStream, batch: ReadBatch & { readonly status: "opened" }) => void;
}): Streams {
  const { work, reader } = options;
  const streams = new Map<string, Followed>();
  let shown: string | null = null;
  let refusedGrants = 0;
  let telling = false;

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

  const follow = async (followed: Followed): Promise<void> => {
    const onTrouble = (error: MedcloudletError) => {
      followed.trouble = error.message;
      tellSoon();
    };
    for await (const { batch } of reader.follow(followed.stream, work.signal, { onTrouble })) {
      followed.trouble = null;
      if (batch.status === "opened") {
        followed.batches++;
        followed.series.add(batch.columns);
        updateVitals(followed.vitals, batch.columns);
        followed.lastTime = Math.max(followed.lastTime ?? 0, batch.header.lastTime);
        options.onBatch?.(followed.stream, batch);
      } else if (batch.error.code === "EPOCH_UNKNOWN") {
        followed.notShared++;
      } else {
        followed.refused++;
        followed.refusal = batch.error.message;
      }
      tellSoon();
    }
  };

  return {
    get ids() {
      return new Set(streams.keys());
    },
    follow(stream, reading) {
      const followed: Followed = {
        ...{ stream, reading, series: createSeriesStore(), vitals: {}, lastTime: null, batches: 0 },
        ...{ refused: 0, refusal: null, notShared: 0, trouble: null },
      };
      streams.set(stream.streamId, followed);
      follow(followed).catch((error) => {
        // The consent ended, or the session did: the row stays, and says so.
        followed.trouble = error instanceof Error ? error.message : String(error);
        tellSoon();
      });
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
