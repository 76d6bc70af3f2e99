import { type Clock, MedcloudletError } from "../base/index.ts";
import { isDuplicate, type Store } from "../store/index.ts";

/** What is left of a stream that its owner deleted. It names no owner: three of one person show nothing in common. */
interface Tombstone {
  /** Stream id. */
  readonly _id: string;
  /** Midnight UTC before, ms since 1970: a finer time would join the streams of one person. */
  readonly deletedOn: number;
}

/** Streams that were deleted for good. */
export interface Erasures {
  /**
   * Deletes everything of a stream, and lets nothing of it in any more from now on. Doing so again is fine and finishes
   * what was cut off.
   */
  erase(streamId: string): Promise<void>;
  /** @throws MedcloudletError `STREAM_DELETED` (410) */
  requireKept(streamId: string): Promise<void>;
  /**
   * Looks once more behind something that was just kept: a deletion may have passed it by on its way in.
   * @throws MedcloudletError `STREAM_DELETED` (410); then it is deleted, too
   */
  settle(streamId: string): Promise<void>;
  /** Finishes what a crash cut off, and deletes again what a restored backup brought back. */
  sweep(): Promise<void>;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** Where the cloud keeps what belongs to streams. */
const KEPT_IN = ["batches", "record_parts", "notes"] as const;

const deleted = () =>
  new MedcloudletError(
    "STREAM_DELETED",
    "The patient has deleted this: there is nothing here any more, and nothing more will come.",
    { status: 410 },
  );

/** `onErased` hears of each stream whose deletion has begun. */
export async function createErasures(options: {
  readonly store: Store;
  readonly clock: Clock;
  readonly onErased: (streamId: string) => void;
}): Promise<Erasures> {
  const { store, clock, onErased } = options;
  const tombstones = await store.collection<Tombstone>({
    name: "stream_tombstones",
    indexes: [],
  });
  const kept = await Promise.all(
    KEPT_IN.map((name) =>
      store.collection<{ readonly _id: string; readonly streamId: string }>({
        name,
        indexes: [{ fields: { streamId: 1 } }],
      }),
    ),
  );

  const clear = async (streamId: string): Promise<void> => {
    for (const collection of kept) {
      await collection.deleteMany({ streamId: { $eq: streamId } });
    }
  };
  const isDeleted = async (streamId: string): Promise<boolean> =>
    (await tombstones.findOne({ _id: { $eq: streamId } })) !== null;

  return {
    async erase(streamId) {
      const deletedOn = Math.floor(clock.now() / DAY_MS) * DAY_MS;
      try {
        // First this, then the rest: whatever comes in from now on is met by it, here or in `settle`.
        await tombstones.insertOne({ _id: streamId, deletedOn });
      } catch (error) {
        if (!isDuplicate(error)) {
          throw error;
        }
      }
      onErased(streamId);
      await clear(streamId);
    },
    async requireKept(streamId) {
      if (await isDeleted(streamId)) {
        throw deleted();
      }
    },
    async settle(streamId) {
      if (await isDeleted(streamId)) {
        await clear(streamId);
        throw deleted();
      }
    },
    async sweep() {
      for (const { _id } of await tombstones.find({})) {
        await clear(_id);
      }
    },
  };
}
