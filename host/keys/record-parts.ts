import { type Bytes, MedcloudletError } from "../base/index.ts";
import { RECORD_PART, REGIONS, type RecordPart, type Region, verifyStatement } from "../sealing/index.ts";
import { isDuplicate, type Store } from "../store/index.ts";
import type { Epochs } from "./epochs.ts";

/** One signed version of one region of a record; what it names lies in the cloud. */
interface RecordPartRecord {
  /** `owner:region:version`: of two machines of one owner only the first makes a version. */
  readonly _id: string;
  readonly owner: string;
  readonly region: Region;
  readonly version: number;
  readonly part: RecordPart;
  readonly statement: string;
}

/** The owners' statements about their records: which version of each region holds, and its digest. */
export interface RecordParts {
  /**
   * Takes the statement about a new version, sealed to the region's current epoch. The same one again is fine.
   * @throws MedcloudletError `STATEMENT_INVALID`, `RECORD_OWNER_MISMATCH`, `EPOCH_MISSING`,
   *   `RECORD_STREAM_MISMATCH`, `RECORD_EPOCH_OLD`, `RECORD_STALE`, `RECORD_VERSION_GAP`
   */
  publish(
    owner: string,
    ownerKey: Bytes,
    statement: string,
  ): Promise<{ part: RecordPart; status: "published" | "known" }>;
  /** The newest of each region. */
  newestOf(owner: string): Promise<readonly Pick<RecordPartRecord, "region" | "statement">[]>;
  /** The newest of one region; undefined when nothing was saved there yet. */
  newest(owner: string, region: Region): Promise<Pick<RecordPartRecord, "statement"> | undefined>;
}

/**
 * Versions kept of each region. One counts; the others are for machines that found a version due and write late: their
 * number has to be taken still.
 */
const VERSIONS_KEPT = 16;

function conflict(
  code: string,
  message: string,
  details: Record<string, unknown> = {},
  cause?: unknown,
): MedcloudletError {
  return new MedcloudletError(code, message, { status: 409, details, cause });
}

export async function createRecordParts(store: Store, epochs: Epochs): Promise<RecordParts> {
  const parts = await store.collection<RecordPartRecord>({
    name: "record_parts",
    indexes: [{ fields: { owner: 1, region: 1, version: 1 } }],
  });

  const newest = async (owner: string, region: Region): Promise<RecordPartRecord | undefined> => {
    const [last] = await parts.find(
      { owner: { $eq: owner }, region: { $eq: region } },
      { sort: { version: -1 }, limit: 1 },
    );
    return last;
  };

  const stale = (version: number, cause?: unknown) =>
    conflict(
      "RECORD_STALE",
      `Version ${version} was saved before: load the record, make the change again, and save.`,
      { version },
      cause,
    );

  return {
    async publish(owner, ownerKey, statement) {
      const part = await verifyStatement(RECORD_PART, statement, ownerKey);
      const { region, version, streamId, epochId } = part;
      if (part.owner !== owner) {
        throw new MedcloudletError("RECORD_OWNER_MISMATCH", "A record is signed by its owner alone.", {
          status: 403,
        });
      }
      const before = await newest(owner, region);
      if (before?.statement === statement) {
        return { part, status: "known" };
      }
      const current = await epochs.current(owner, region);
      if (current.streamId !== streamId) {
        throw conflict("RECORD_STREAM_MISMATCH", "This stream is not the one of this owner and region.");
      }
      if (current._id !== epochId) {
        throw conflict(
          "RECORD_EPOCH_OLD",
          "The part is sealed to an earlier epoch: seal it to the current one and save again.",
        );
      }
      const due = (before?.version ?? 0) + 1;
      if (version < due) {
        throw stale(due - 1);
      }
      if (version > due) {
        throw conflict("RECORD_VERSION_GAP", `The next version of this region is ${due}, not ${version}.`);
      }
      try {
        const _id = `${owner}:${region}:${version}`;
        await parts.insertOne({ _id, owner, region, version, part, statement });
      } catch (cause) {
        throw isDuplicate(cause) ? stale(version, cause) : cause;
      }
      await parts.deleteMany({
        owner: { $eq: owner },
        region: { $eq: region },
        version: { $lte: version - VERSIONS_KEPT },
      });
      return { part, status: "published" };
    },
    newest,
    async newestOf(owner) {
      const found = await Promise.all(REGIONS.map((region) => newest(owner, region)));
      return found.filter((part) => part !== undefined);
    },
  };
}
