import { type Bytes, MedcloudletError } from "../base/index.ts";
import { EPOCH, type Epoch, type Region, verifyStatement } from "../sealing/index.ts";
import { isDuplicate, type Store } from "../store/index.ts";
import { KEY_LIMITS, type KeyLimits, limitReached } from "./limits.ts";

/** An owner's epoch as the KDC keeps it. */
export interface EpochRecord {
  readonly _id: string;
  readonly owner: string;
  readonly region: Region;
  readonly streamId: string;
  readonly number: number;
  readonly statement: string;
  readonly epoch: Epoch;
}

/** The owner's signed epochs, and which stream belongs to whom: only the KDC knows the latter. */
export interface Epochs {
  /**
   * Takes a signed epoch: the next of its owner and region, on the stream that the first one claimed.
   * @throws MedcloudletError `STATEMENT_INVALID`, `EPOCH_OWNER_MISMATCH`, `EPOCH_NUMBER`, `EPOCH_STREAM_MISMATCH`,
   *   `EPOCH_LIMIT`
   */
  publish(owner: string, ownerKey: Bytes, statement: string): Promise<Epoch>;
  /** The newest epoch of a region. @throws MedcloudletError `EPOCH_MISSING` */
  current(owner: string, region: Region): Promise<EpochRecord>;
  ofOwner(owner: string): Promise<EpochRecord[]>;
  /** Epochs by id, as far as they exist. */
  withIds(ids: readonly string[]): Promise<ReadonlyMap<string, EpochRecord>>;
  /** The epoch of a region with this number, or null. */
  numbered(owner: string, region: Region, number: number): Promise<EpochRecord | null>;
  /** Whose a stream is, or null when no epoch claimed it. */
  stream(streamId: string): Promise<Pick<EpochRecord, "owner" | "region"> | null>;
}

function conflict(code: string, message: string, cause?: unknown): MedcloudletError {
  return new MedcloudletError(code, message, { status: 409, cause });
}

export async function createEpochs(
  store: Store,
  limits: Pick<KeyLimits, "epochs"> = KEY_LIMITS,
): Promise<Epochs> {
  const epochs = await store.collection<EpochRecord>({
    name: "epochs",
    // A stream belongs to whoever names it first in an epoch number 1: the second index lets nobody else do so. One
    // document is one write, so a refused epoch leaves no half of a claim behind.
    indexes: [
      { fields: { owner: 1, region: 1, number: 1 }, unique: true },
      { fields: { streamId: 1, number: 1 }, unique: true },
    ],
  });

  const latest = async (owner: string, region: Region): Promise<EpochRecord | undefined> => {
    const [newest] = await epochs.find(
      { owner: { $eq: owner }, region: { $eq: region } },
      { sort: { number: -1 }, limit: 1 },
    );
    return newest;
  };

  const first = (streamId: string): Promise<EpochRecord | null> =>
    epochs.findOne({ streamId: { $eq: streamId }, number: { $eq: 1 } });

  const streamMismatch = (cause?: unknown) =>
    conflict("EPOCH_STREAM_MISMATCH", "This stream is not the one of this owner and region.", cause);

  return {
    async publish(owner, ownerKey, statement) {
      const epoch = await verifyStatement(EPOCH, statement, ownerKey);
      if (epoch.owner !== owner) {
        throw new MedcloudletError("EPOCH_OWNER_MISMATCH", "An epoch is made by its owner alone.", {
          status: 403,
        });
      }
      const newest = await latest(owner, epoch.region);
      const due = (newest?.number ?? 0) + 1;
      if (epoch.number !== due) {
        throw conflict(
          "EPOCH_NUMBER",
          `The next epoch of this region is number ${due}, not ${epoch.number}.`,
        );
      }
      const { region, number, streamId } = epoch;
      if (number > limits.epochs) {
        throw limitReached(
          "EPOCH_LIMIT",
          `One region has at most ${limits.epochs} epochs: go on with the newest.`,
          limits.epochs,
        );
      }
      if (newest !== undefined && newest.streamId !== streamId) {
        throw streamMismatch();
      }
      try {
        await epochs.insertOne({ _id: epoch.epochId, owner, region, streamId, number, statement, epoch });
      } catch (cause) {
        if (!isDuplicate(cause)) {
          throw cause;
        }
        const claimed = number === 1 ? await first(streamId) : null;
        if (claimed !== null && (claimed.owner !== owner || claimed.region !== region)) {
          throw streamMismatch(cause);
        }
        throw conflict("EPOCH_NUMBER", "This epoch exists already.", cause);
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
    async withIds(ids) {
      const found = await epochs.find({ _id: { $in: [...new Set(ids)] } });
      return new Map(found.map((record) => [record._id, record]));
    },
    numbered: (owner, region, number) =>
      epochs.findOne({ owner: { $eq: owner }, region: { $eq: region }, number: { $eq: number } }),
    stream: first,
  };
}
