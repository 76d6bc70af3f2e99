import { type Bytes, type Clock, MedcloudletError } from "../base/index.ts";
import type { SealedBatch } from "../sealing/index.ts";
import { isDuplicate, type Store } from "../store/index.ts";
import type { Erasures } from "./erasures.ts";

/** A sealed batch as the cloud keeps it: what its header says in the clear, and the bytes. */
interface StoredBatch {
  /** `device:sequence`: a batch that arrives twice is kept once. */
  readonly _id: string;
  readonly streamId: string;
  /** Order of arrival in the whole store; grows, with holes. */
  readonly position: number;
  readonly region: string;
  readonly priority: string;
  readonly epochId: string;
  readonly firstTime: number;
  readonly lastTime: number;
  readonly receivedAt: number;
  readonly storedAt: number;
  readonly digest: string;
  readonly bytes: Bytes;
}

export interface Page {
  readonly batches: Bytes[];
  /** Where to go on: the position of the last batch, or the one asked from when there is none (backwards: 0). */
  readonly cursor: number;
  /** Position of the first batch, where to go on backwards; 0 when there is none. */
  readonly first: number;
}

/** What the cloud can say of one epoch's batches without opening any. Times are those of the batches' headers. */
export interface EpochSummary {
  readonly batches: number;
  readonly firstTime: number | null;
  readonly lastTime: number | null;
}

export interface Records {
  /**
   * Keeps a checked batch once, whichever way it came.
   * @throws MedcloudletError `BATCH_SEQUENCE_REUSED`, `STREAM_DELETED`
   */
  add(
    batch: SealedBatch,
    bytes: Bytes,
    digest: string,
    receivedAt: number,
  ): Promise<{ status: "stored" | "duplicate"; position: number }>;
  /** Batches of a stream that arrived after `after`, in order of arrival. */
  page(streamId: string, after: number, limit: number): Promise<Page>;
  /** The newest batches that arrived before `before`, in order of arrival: pages of a history that is read backwards. */
  pageBack(streamId: string, before: number, limit: number): Promise<Page>;
  /** How many batches of a stream are sealed to an epoch, and from when to when. */
  summary(streamId: string, epochId: string): Promise<EpochSummary>;
}

/** A page ends before it grows beyond this. */
const PAGE_BYTES = 8 * 1024 * 1024;
/** How many batches are fetched at once. */
const PORTION = 16;

type Kept = Pick<StoredBatch, "position" | "bytes">;

/** A portion at a time: a whole page of largest batches would be half a gigabyte of memory. */
async function portions(
  limit: number,
  find: (cursor: number | undefined, portion: number) => Promise<readonly Kept[]>,
): Promise<Kept[]> {
  const kept: Kept[] = [];
  let size = 0;
  while (kept.length < limit) {
    const portion = Math.min(PORTION, limit - kept.length);
    const found = await find(kept.at(-1)?.position, portion);
    for (const { bytes, position } of found) {
      if (kept.length > 0 && size + bytes.length > PAGE_BYTES) {
        return kept;
      }
      kept.push({ bytes, position });
      size += bytes.length;
    }
    if (found.length < portion) {
      break;
    }
  }
  return kept;
}

function pageOf(kept: readonly Kept[], none: number): Page {
  return {
    batches: kept.map(({ bytes }) => bytes),
    cursor: kept.at(-1)?.position ?? none,
    first: kept[0]?.position ?? 0,
  };
}

/** The cloud's sealed batches. `onStored` hears of every new one. */
export async function createRecords(options: {
  readonly store: Store;
  readonly clock: Clock;
  /** Nothing of a deleted stream is let in again. */
  readonly erasures: Pick<Erasures, "requireKept" | "settle">;
  readonly onStored: (streamId: string, position: number) => void;
}): Promise<Records> {
  const { store, clock, erasures, onStored } = options;
  const records = await store.collection<StoredBatch>({
    name: "batches",
    indexes: [
      { fields: { streamId: 1, position: 1 } },
      { fields: { position: 1 } },
      { fields: { streamId: 1, epochId: 1, lastTime: 1 } },
    ],
  });
  const [newest] = await records.find({}, { sort: { position: -1 }, limit: 1, projection: { position: 1 } });
  let lastPosition = newest?.position ?? 0;

  /** Microseconds since 1970 as a rule; never twice, and never back when the clock goes back. */
  const nextPosition = (): number => {
    lastPosition = Math.max(lastPosition + 1, clock.now() * 1000);
    return lastPosition;
  };

  // Batches of one stream are written one after the other: a reader that has seen a position must not find an
  // earlier one appear behind its back.
  const lastWrite = new Map<string, Promise<unknown>>();
  const inStreamOrder = async <T>(streamId: string, write: () => Promise<T>): Promise<T> => {
    const before = lastWrite.get(streamId) ?? Promise.resolve();
    const mine = before.then(write, write);
    lastWrite.set(streamId, mine);
    try {
      return await mine;
    } finally {
      if (lastWrite.get(streamId) === mine) {
        lastWrite.delete(streamId);
      }
    }
  };

  return {
    async add(batch, bytes, digest, receivedAt) {
      const { streamId, deviceId, sequence, region, priority, epochId, firstTime, lastTime } = batch.header;
      const _id = `${deviceId}:${sequence}`;
      await erasures.requireKept(streamId);
      const stored = await inStreamOrder(streamId, async () => {
        const position = nextPosition();
        try {
          await records.insertOne({
            _id,
            streamId,
            position,
            region,
            priority,
            epochId,
            firstTime,
            lastTime,
            receivedAt,
            storedAt: clock.now(),
            digest,
            bytes,
          });
          // Before it is told of, and in its turn: readers hear of positions in order.
          await erasures.settle(streamId);
          return { status: "stored" as const, position };
        } catch (error) {
          if (!isDuplicate(error)) {
            throw error;
          }
        }
        const earlier = await records.findOne({ _id: { $eq: _id } });
        if (earlier?.digest !== digest) {
          throw new MedcloudletError(
            "BATCH_SEQUENCE_REUSED",
            `The device sent another batch as number ${sequence} before: a sequence is never used twice.`,
            { status: 409 },
          );
        }
        return { status: "duplicate" as const, position: earlier.position };
      });
      if (stored.status === "stored") {
        onStored(streamId, stored.position);
      }
      return stored;
    },
    async page(streamId, after, limit) {
      const found = await portions(limit, (cursor, portion) =>
        records.find(
          { streamId: { $eq: streamId }, position: { $gt: cursor ?? after } },
          { sort: { position: 1 }, limit: portion },
        ),
      );
      return pageOf(found, after);
    },
    async pageBack(streamId, before, limit) {
      const found = await portions(limit, (cursor, portion) =>
        records.find(
          { streamId: { $eq: streamId }, position: { $lt: cursor ?? before } },
          { sort: { position: -1 }, limit: portion },
        ),
      );
      return pageOf(found.reverse(), 0);
    },
    async summary(streamId, epochId) {
      const sealed = { streamId: { $eq: streamId }, epochId: { $eq: epochId } };
      const end = async (direction: 1 | -1) => {
        const projection = { firstTime: 1, lastTime: 1 } as const;
        const [found] = await records.find(sealed, { sort: { lastTime: direction }, limit: 1, projection });
        return found;
      };
      const [first, last] = [await end(1), await end(-1)];
      return {
        batches: await records.countDocuments(sealed),
        firstTime: first?.firstTime ?? null,
        lastTime: last?.lastTime ?? null,
      };
    },
  };
}
