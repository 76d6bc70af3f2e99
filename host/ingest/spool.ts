import { type Bytes, MedcloudletError } from "../base/index.ts";
import { PRIORITY, type SealedBatch } from "../sealing/index.ts";
import { isDuplicate, type Store } from "../store/index.ts";

/**
 * A batch in the spool. Once the cloud has it, bytes and ticket go and the rest stays, so that a resend is
 * recognised without asking the cloud.
 */
interface Spooled {
  /** `device:sequence`: what makes a batch unique. */
  readonly _id: string;
  readonly state: "waiting" | "forwarded" | "refused";
  readonly priority: number;
  readonly receivedAt: number;
  readonly digest: string;
  readonly bytes: Bytes | null;
  readonly ticket: string | null;
  /** Why the cloud refused it for good, if it did. */
  readonly reason: string | null;
}

/** A batch that waits for the cloud. */
export interface Waiting {
  readonly id: string;
  readonly bytes: Bytes;
  /** The device's ticket, by which the cloud checks the batch again. */
  readonly ticket: string;
  readonly priority: number;
  readonly receivedAt: number;
}

/** What the device gets for a batch: from here on the cloudlet answers for it. */
export interface Receipt {
  readonly status: "accepted" | "duplicate";
  readonly deviceId: string;
  readonly sequence: number;
  /** SHA-256 of the sealed batch, hex. */
  readonly digest: string;
  /** When the cloudlet first had it, ms since 1970 UTC. */
  readonly receivedAt: number;
}

export interface Spool {
  /**
   * Keeps a checked batch; when this returns, it is on disk.
   * @throws MedcloudletError `BATCH_SEQUENCE_REUSED`, `SPOOL_FULL`
   */
  add(input: {
    readonly batch: SealedBatch;
    readonly bytes: Bytes;
    readonly digest: string;
    readonly ticket: string;
    readonly receivedAt: number;
  }): Promise<Receipt>;
  /** The most urgent batches that wait, oldest first among equals, without those named. */
  next(limit: number, except?: readonly string[]): Promise<Waiting[]>;
  markForwarded(id: string): Promise<void>;
  /** Emergencies of one device that wait, the oldest first; at most 32. */
  emergenciesOf(deviceId: string): Promise<Waiting[]>;
  /** As forwarded, where it is this very batch that waits; false where none does. */
  markAcknowledged(batch: {
    readonly deviceId: string;
    readonly sequence: number;
    readonly digest: string;
  }): Promise<boolean>;
  /** Sets a batch aside that the cloud will never take; its bytes are kept for a person to look at. */
  markRefused(id: string, reason: string): Promise<void>;
  /**
   * Throws a batch away whose patient has deleted the stream, and what was set aside of the same device; that there was
   * one is forgotten with those that the cloud took.
   */
  markDropped(id: string, reason: string): Promise<void>;
  waiting(): Promise<number>;
  /** Forgets batches that the cloud took over before `before` (ms since 1970 UTC); the cloud knows them anyway. */
  forget(before: number): Promise<number>;
}

function idOf({ header }: SealedBatch): string {
  return `${header.deviceId}:${header.sequence}`;
}

function present({ _id, bytes, ticket, priority, receivedAt }: Spooled): Waiting[] {
  return bytes === null || ticket === null ? [] : [{ id: _id, bytes, ticket, priority, receivedAt }];
}

const EMERGENCIES_MOST = 32;
/** Share of the spool that only emergencies may fill: a day of bulk uploads must not shut them out. */
const EMERGENCY_SHARE = 0.1;

export async function createSpool(options: {
  readonly store: Store;
  /** At most this many batches wait: beyond it devices are told to come back later. */
  readonly capacity: number;
}): Promise<Spool> {
  const { store, capacity } = options;
  const reserved = Math.floor(capacity * EMERGENCY_SHARE);
  const spool = await store.collection<Spooled>({
    name: "spool",
    indexes: [{ fields: { state: 1, priority: 1, receivedAt: 1 } }],
  });
  const count = () => spool.countDocuments({ state: { $eq: "waiting" } });
  // Counted once and then kept along: counting at every batch would make a full spool slow when it must be fast.
  let waiting = await count();

  const known = async (batch: SealedBatch, digest: string): Promise<Receipt | null> => {
    const { deviceId, sequence } = batch.header;
    const earlier = await spool.findOne({ _id: { $eq: idOf(batch) } });
    if (earlier === null) {
      return null;
    }
    if (earlier.digest !== digest) {
      throw new MedcloudletError(
        "BATCH_SEQUENCE_REUSED",
        `The device sent another batch as number ${sequence} before: a sequence is never used twice.`,
        { status: 409 },
      );
    }
    return { status: "duplicate", deviceId, sequence, digest, receivedAt: earlier.receivedAt };
  };

  return {
    async add({ batch, bytes, digest, ticket, receivedAt }) {
      const { deviceId, sequence, priority } = batch.header;
      if (waiting >= (priority === "emergency" ? capacity : capacity - reserved)) {
        // What is here already costs no room: its device only missed the receipt.
        const receipt = await known(batch, digest);
        if (receipt !== null) {
          return receipt;
        }
        throw new MedcloudletError(
          "SPOOL_FULL",
          "The cloudlet is full until the cloud is back: keep the batch.",
          {
            status: 503,
            details: { retryAfterSeconds: 30 },
          },
        );
      }
      try {
        await spool.insertOne({
          _id: idOf(batch),
          state: "waiting",
          priority: PRIORITY[priority],
          receivedAt,
          digest,
          bytes,
          ticket,
          reason: null,
        });
      } catch (error) {
        const receipt = isDuplicate(error) ? await known(batch, digest) : null;
        if (receipt === null) {
          throw error;
        }
        return receipt;
      }
      waiting++;
      return { status: "accepted", deviceId, sequence, digest, receivedAt };
    },
    async next(limit, except = []) {
      const found = await spool.find(
        { state: { $eq: "waiting" }, ...(except.length === 0 ? {} : { _id: { $nin: [...except] } }) },
        { sort: { priority: 1, receivedAt: 1 }, limit },
      );
      return found.flatMap(present);
    },
    async emergenciesOf(deviceId) {
      // Ids begin with the device's, and ";" is the character after ":".
      const found = await spool.find(
        {
          state: { $eq: "waiting" },
          priority: { $eq: PRIORITY.emergency },
          _id: { $gt: `${deviceId}:`, $lt: `${deviceId};` },
        },
        { sort: { receivedAt: 1, _id: 1 }, limit: EMERGENCIES_MOST },
      );
      return found.flatMap(present);
    },
    async markAcknowledged({ deviceId, sequence, digest }) {
      const { modified } = await spool.updateOne(
        { _id: { $eq: `${deviceId}:${sequence}` }, state: { $eq: "waiting" }, digest: { $eq: digest } },
        { $set: { state: "forwarded", bytes: null, ticket: null } },
      );
      waiting -= modified;
      return modified === 1;
    },
    async markForwarded(id) {
      const { modified } = await spool.updateOne(
        { _id: { $eq: id }, state: { $eq: "waiting" } },
        { $set: { state: "forwarded", bytes: null, ticket: null } },
      );
      waiting -= modified;
    },
    async markRefused(id, reason) {
      const { modified } = await spool.updateOne(
        { _id: { $eq: id }, state: { $eq: "waiting" } },
        { $set: { state: "refused", reason, ticket: null } },
      );
      waiting -= modified;
    },
    async markDropped(id, reason) {
      const gone = { state: "forwarded" as const, bytes: null, ticket: null, reason };
      const { modified } = await spool.updateOne(
        { _id: { $eq: id }, state: { $eq: "waiting" } },
        { $set: gone },
      );
      waiting -= modified;
      const device = id.slice(0, id.indexOf(":") + 1);
      await spool.deleteMany({ state: { $eq: "refused" }, _id: { $gt: device, $lt: `${device}~` } });
    },
    waiting: count,
    forget: (before) => spool.deleteMany({ state: { $eq: "forwarded" }, receivedAt: { $lt: before } }),
  };
}
