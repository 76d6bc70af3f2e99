import { type Bytes, MedcloudletError } from "../base/index.ts";
import { EPOCH, type Epoch, type Region, verifyStatement } from "../sealing/index.ts";
import { isDuplicate, type Store } from "../store/index.ts";

interface Stream {
  readonly _id: string;
  readonly owner: string;
  readonly region: Region;
}

interface EpochRecord {
  readonly _id: string;
  readonly owner: string;
  readonly region: Region;
  readonly number: number;
  readonly statement: string;
  readonly epoch: Epoch;
}

/** The owner's signed epochs, and which stream belongs to whom: only the KDC knows the latter. */
export interface Epochs {
  /**
   * Takes a signed epoch: the next of its owner and region, on the stream that the first one claimed.
   * @throws MedcloudletError `STATEMENT_INVALID`, `EPOCH_OWNER_MISMATCH`, `EPOCH_NUMBER`, `EPOCH_STREAM_MISMATCH`
   */
  publish(owner: string, ownerKey: Bytes, statement: string): Promise<Epoch>;
  /** The newest epoch of a region. @throws MedcloudletError `EPOCH_MISSING` */
  current(owner: string, region: Region): Promise<EpochRecord>;
  ofOwner(owner: string): Promise<EpochRecord[]>;
  /** @throws MedcloudletError `STREAM_UNKNOWN` */
  stream(streamId: string): Promise<Stream>;
}

function conflict(code: string, message: string, cause?: unknown): MedcloudletError {
  return new MedcloudletError(code, message, { status: 409, cause });
}

export async function createEpochs(store: Store): Promise<Epochs> {
  const epochs = await store.collection<EpochRecord>({
    name: "epochs",
    indexes: [{ fields: { owner: 1, region: 1, number: 1 }, unique: true }],
  });
  const streams = await store.collection<Stream>({
    name: "streams",
    indexes: [{ fields: { owner: 1, region: 1 }, unique: true }],
  });

  const latest = async (owner: string, region: Region): Promise<EpochRecord | undefined> => {
    const [newest] = await epochs.find(
      { owner: { $eq: owner }, region: { $eq: region } },
      { sort: { number: -1 }, limit: 1 },
    );
    return newest;
  };

  /** A stream belongs to whoever names it first; ids are 16 random bytes, so nobody can name another's first. */
  const claim = async ({ streamId, owner, region }: Epoch): Promise<void> => {
    const existing = await streams.findOne({ owner: { $eq: owner }, region: { $eq: region } });
    if (existing?._id === streamId) {
      return;
    }
    const mismatch = (cause?: unknown) =>
      conflict("EPOCH_STREAM_MISMATCH", "This stream is not the one of this owner and region.", cause);
    if (existing !== null) {
      throw mismatch();
    }
    try {
      await streams.insertOne({ _id: streamId, owner, region });
    } catch (cause) {
      throw isDuplicate(cause) ? mismatch(cause) : cause;
    }
  };

  return {
    async publish(owner, ownerKey, statement) {
      const epoch = await verifyStatement(EPOCH, statement, ownerKey);
      if (epoch.owner !== owner) {
        throw new MedcloudletError("EPOCH_OWNER_MISMATCH", "An epoch is made by its owner alone.", {
          status: 403,
        });
      }
      const due = ((await latest(owner, epoch.region))?.number ?? 0) + 1;
      if (epoch.number !== due) {
        throw conflict(
          "EPOCH_NUMBER",
          `The next epoch of this region is number ${due}, not ${epoch.number}.`,
        );
      }
      await claim(epoch);
      const { region, number } = epoch;
      try {
        await epochs.insertOne({ _id: epoch.epochId, owner, region, number, statement, epoch });
      } catch (cause) {
        throw isDuplicate(cause) ? conflict("EPOCH_NUMBER", "This epoch exists already.", cause) : cause;
      }
      return epoch;
    },
    async current(owner, region) {
      const newest = await latest(owner, region);
      if (newest === undefined) {
        throw conflict(
          "EPOCH_MISSING",
          `There is no epoch of the region ${region} yet: its owner has to make one.`,
        );
      }
      return newest;
    },
    ofOwner: (owner) => epochs.find({ owner: { $eq: owner } }, { sort: { number: 1 } }),
    async stream(streamId) {
      const stream = await streams.findOne({ _id: { $eq: streamId } });
      if (stream === null) {
        throw new MedcloudletError("STREAM_UNKNOWN", "There is no such stream.", { status: 404 });
      }
      return stream;
    },
  };
}
