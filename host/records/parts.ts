import { type Bytes, type Clock, MedcloudletError } from "../base/index.ts";
import { recordPartDigest, type SealedRecordPart } from "../sealing/index.ts";
import { isDuplicate, type Store } from "../store/index.ts";

/** A sealed part of a record as the cloud keeps it. No time finer than a day: it would join a patient's streams. */
interface StoredPart {
  /** `stream:digest`. A part is only ever inserted and deleted, never changed. */
  readonly _id: string;
  readonly streamId: string;
  readonly version: number;
  /** Of several uploads of one version the later has the higher number. */
  readonly upload: number;
  readonly digest: string;
  /** Midnight UTC before it was stored, ms since 1970. */
  readonly storedOn: number;
  readonly bytes: Bytes;
}

/** The cloud's sealed parts of records: of each stream the newest version and the one before. */
export interface Parts {
  /**
   * Keeps a part whose header was checked against the ticket. What its owner never came to sign (a crash between
   * cloud and KDC, two machines at once) lies beside what was signed until the next version goes: the KDC decides
   * which holds, and readers ask by digest.
   * @throws MedcloudletError `RECORD_STALE` when there is a newer version here
   */
  add(part: SealedRecordPart, bytes: Bytes): Promise<{ status: "stored" | "duplicate"; digest: string }>;
  /** The part with this digest, or the newest without one; null when it is not here. */
  find(streamId: string, digest?: string): Promise<Bytes | null>;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** Uploads of one version that may lie beside each other. */
const UPLOADS_OF_ONE_VERSION = 4;

export async function createParts(store: Store, clock: Clock): Promise<Parts> {
  const parts = await store.collection<StoredPart>({
    name: "record_parts",
    indexes: [{ fields: { streamId: 1, version: 1, upload: 1 } }],
  });

  const newest = async (streamId: string): Promise<StoredPart | undefined> => {
    const [last] = await parts.find(
      { streamId: { $eq: streamId } },
      { sort: { version: -1, upload: -1 }, limit: 1 },
    );
    return last;
  };

  /** Drops what nobody can ask for any more. After a crash in between the next upload does it. */
  const tidy = async (streamId: string, { version, upload }: StoredPart): Promise<void> => {
    await parts.deleteMany({ streamId: { $eq: streamId }, version: { $lt: version - 1 } });
    await parts.deleteMany({
      streamId: { $eq: streamId },
      version: { $eq: version },
      upload: { $lte: upload - UPLOADS_OF_ONE_VERSION },
    });
  };

  return {
    async add({ header }, bytes) {
      const { streamId, version } = header;
      const digest = recordPartDigest(bytes);
      const last = await newest(streamId);
      if (last !== undefined && last.version > version) {
        throw new MedcloudletError(
          "RECORD_STALE",
          `There is a version ${last.version} here already: load the record, make the change again, and save.`,
          { status: 409, details: { version: last.version } },
        );
      }
      const stored: StoredPart = {
        _id: `${streamId}:${digest}`,
        streamId,
        version,
        upload: last?.version === version ? last.upload + 1 : 0,
        digest,
        storedOn: Math.floor(clock.now() / DAY_MS) * DAY_MS,
        bytes,
      };
      try {
        await parts.insertOne(stored);
      } catch (error) {
        if (isDuplicate(error)) {
          return { status: "duplicate", digest };
        }
        throw error;
      }
      await tidy(streamId, stored);
      return { status: "stored", digest };
    },
    async find(streamId, digest) {
      const found =
        digest === undefined
          ? await newest(streamId)
          : await parts.findOne({ _id: { $eq: `${streamId}:${digest}` } });
      return found?.bytes ?? null;
    },
  };
}
