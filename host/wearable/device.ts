import type { Filter } from "mongodb";
import { z } from "zod";
import {
  type Bytes,
  bareUrl,
  type Clock,
  fromBase64Url,
  fromHex,
  isMedcloudletError,
  MedcloudletError,
} from "../base/index.ts";
import type { HttpClient, KdcClient, Ticket } from "../client/index.ts";
import type { Receipt } from "../ingest/index.ts";
import {
  batchDigest,
  EPOCH,
  type Epoch,
  idSchema,
  importSigningKey,
  PRIORITY,
  type Priority,
  type ReadingColumn,
  regionSchema,
  type SealingSuite,
  sealBatch,
  verifyStatement,
} from "../sealing/index.ts";
import type { Store } from "../store/index.ts";

/** What pairing leaves on a wearable. It can sign and seal; it holds nothing that opens what it sealed. */
export const PAIRING = z.strictObject({
  deviceId: idSchema,
  /** Ed25519 seed, hex: the device's only secret. */
  signingSeed: z.string().regex(/^[0-9a-f]{64}$/),
  ownerId: idSchema,
  /** The patient's Ed25519 key as pinned at pairing, base64url: only epochs signed by it are sealed to. */
  ownerKey: z.string().length(43),
  region: regionSchema,
  streamId: idSchema,
});
export type Pairing = z.infer<typeof PAIRING>;

interface DeviceState {
  readonly _id: "state";
  readonly nextSequence: number;
  readonly epochNumber: number;
  readonly epochStatement: string | null;
}

interface Outgoing {
  readonly _id: string;
  readonly sequence: number;
  readonly priority: number;
  readonly bytes: Bytes;
  /** What it is part of, when it must not leave before the whole is there. */
  readonly dataset: string | null;
}

/** A data set that was sealed: digest of its file, and whether all of it is in the outbox. */
interface Dataset {
  readonly _id: string;
  readonly complete: boolean;
}

/** A sealed batch that the device keeps until it has a receipt. */
export interface Sealed {
  readonly sequence: number;
  readonly priority: Priority;
  readonly bytes: Bytes;
}

/** A wearable: seals readings, keeps them until a cloudlet answers for them. */
export interface Device {
  readonly deviceId: string;
  /**
   * Seals readings for the patient's current epoch and puts them into the outbox; when this returns they survive
   * a crash.
   * @throws MedcloudletError `EPOCH_ROLLED_BACK`, `EPOCH_SUBSTITUTED`, `EPOCH_MISMATCH`, `STATEMENT_INVALID`, and, as long as the device
   *   has never had an epoch, the errors of the KDC
   */
  record(columns: readonly ReadingColumn[], priority: Priority): Promise<Sealed>;
  /**
   * Sends what waits, most urgent first; calls `onReceipt` for each. Stops at the first failure that is worth
   * another try and throws it; what was not acknowledged stays in the outbox.
   */
  flush(onReceipt?: (receipt: Receipt) => void): Promise<void>;
  waiting(): Promise<number>;
  /** Hands a batch in again, for whoever doubts a receipt: harmless, the answer says `duplicate`. */
  resend(sealed: Sealed): Promise<Receipt>;
  /**
   * Seals a whole data set into the outbox, all of it or nothing: an attempt that was cut off leaves no part that
   * could be sent. `id` names its content; true when it was sealed before, and then nothing is done.
   */
  recordDataset(
    id: string,
    batches: AsyncIterable<readonly ReadingColumn[]>,
    onSealed?: (sealed: Sealed) => void,
  ): Promise<{ readonly already: boolean }>;
}

const RECEIPT = z.object({
  status: z.enum(["accepted", "duplicate"]),
  deviceId: idSchema,
  sequence: z.number().int(),
  digest: z.string(),
  receivedAt: z.number(),
});

const RENEW_BEFORE_MS = 60_000;
const FLUSH_BATCHES = 32;

/** Opens a device whose state and outbox live in `store` (its own, not a service's). */
export async function openDevice(options: {
  readonly pairing: Pairing;
  readonly store: Store;
  readonly suite: SealingSuite;
  readonly clock: Clock;
  readonly http: HttpClient;
  readonly kdc: KdcClient;
  readonly cloudletUrl: string;
}): Promise<Device> {
  const { pairing, suite, clock, http, kdc, store } = options;
  const { deviceId, ownerId, region, streamId } = pairing;
  const batchesUrl = `${bareUrl(options.cloudletUrl)}/v1/batches`;
  const signingKey = await importSigningKey(fromHex(pairing.signingSeed));
  const ownerKey = fromBase64Url(pairing.ownerKey);
  const states = await store.collection<DeviceState>({ name: "state", indexes: [] });
  const outbox = await store.collection<Outgoing>({
    name: "outbox",
    indexes: [{ fields: { priority: 1, sequence: 1 } }, { fields: { dataset: 1 } }],
  });
  const datasets = await store.collection<Dataset>({ name: "datasets", indexes: [] });
  await states.updateOne(
    { _id: { $eq: "state" } },
    { $setOnInsert: { nextSequence: 0, epochNumber: 0, epochStatement: null } },
    { upsert: true },
  );
  let ticket: Ticket | undefined;
  let epoch: Epoch | undefined;

  /** An epoch that is not newer must be the very one this device seals to already. */
  const assertSameEpoch = async (offered: Epoch): Promise<void> => {
    const state = await states.findOne({ _id: { $eq: "state" } });
    if (state?.epochStatement == null || state.epochNumber > offered.number) {
      throw new MedcloudletError(
        "EPOCH_ROLLED_BACK",
        "The KDC offered an older epoch than this device has seen: nothing is sealed to it. Tell the KDC's operator.",
        { status: 409 },
      );
    }
    const known = await verifyStatement(EPOCH, state.epochStatement, ownerKey);
    if (known.epochId !== offered.epochId || known.publicKey !== offered.publicKey) {
      throw new MedcloudletError(
        "EPOCH_SUBSTITUTED",
        "The KDC offered another key under the number of the epoch that this device knows.",
        { status: 409 },
      );
    }
  };

  /** Takes a newer epoch over. The KDC is not believed: the patient's pinned key must have signed it. */
  const adopt = async (statement: string): Promise<Epoch> => {
    const offered = await verifyStatement(EPOCH, statement, ownerKey);
    if (offered.owner !== ownerId || offered.region !== region || offered.streamId !== streamId) {
      throw new MedcloudletError(
        "EPOCH_MISMATCH",
        "The epoch is not of the stream this device is paired for.",
        { status: 409 },
      );
    }
    const { modified } = await states.updateOne(
      { _id: { $eq: "state" }, epochNumber: { $lt: offered.number } },
      { $set: { epochNumber: offered.number, epochStatement: statement } },
    );
    if (modified === 0) {
      await assertSameEpoch(offered);
    }
    return offered;
  };

  const renewTicket = async (): Promise<Ticket> => {
    const { epoch: statement, ...issued } = await kdc.uploadTicket(deviceId, signingKey);
    epoch = await adopt(statement);
    ticket = issued;
    return issued;
  };

  const currentTicket = async (): Promise<Ticket> => {
    if (ticket !== undefined && ticket.expiresAt - RENEW_BEFORE_MS > clock.now()) {
      return ticket;
    }
    return renewTicket();
  };

  const currentEpoch = async (): Promise<Epoch> => {
    try {
      await currentTicket();
    } catch (error) {
      // A device that has an epoch goes on measuring while the KDC is away; refusals are another matter.
      const state = await states.findOne({ _id: { $eq: "state" } });
      const away = isMedcloudletError(error) && error.status >= 500;
      if (!away || state?.epochStatement == null) {
        throw error;
      }
      epoch ??= await verifyStatement(EPOCH, state.epochStatement, ownerKey);
    }
    return epoch as Epoch;
  };

  const send = async (outgoing: Pick<Outgoing, "bytes">): Promise<Receipt> => {
    const { ticket: held } = await currentTicket();
    const answer = await http.json({
      method: "POST",
      url: batchesUrl,
      credentials: { key: signingKey, ticket: held },
      bytes: outgoing.bytes,
    });
    const receipt = RECEIPT.safeParse(answer);
    if (!receipt.success || receipt.data.digest !== batchDigest(outgoing.bytes)) {
      throw new MedcloudletError("RECEIPT_INVALID", "The cloudlet's receipt is not for what was sent.", {
        status: 502,
      });
    }
    return receipt.data;
  };

  /** All but the parts of data sets that are not sealed to their end. */
  const sendable = async (): Promise<Filter<Outgoing>> => {
    const unfinished = await datasets.find({ complete: { $eq: false } });
    return unfinished.length === 0 ? {} : { dataset: { $nin: unfinished.map(({ _id }) => _id) } };
  };

  const seal = async (
    columns: readonly ReadingColumn[],
    priority: Priority,
    dataset: string | null,
  ): Promise<Sealed> => {
    const { epochId, publicKey } = await currentEpoch();
    // The number is used up before it is used: after a crash there may be a hole, never a number used twice.
    const state = await states.findOneAndUpdate(
      { _id: { $eq: "state" } },
      { $inc: { nextSequence: 1 } },
      { returnDocument: "before" },
    );
    const sequence = (state as DeviceState).nextSequence;
    const bytes = await sealBatch({
      suite,
      epochPublicKey: fromBase64Url(publicKey),
      signingKey,
      header: { region, priority, epochId, streamId, deviceId, sequence },
      columns,
    });
    await outbox.insertOne({ _id: String(sequence), sequence, priority: PRIORITY[priority], bytes, dataset });
    return { sequence, priority, bytes };
  };

  return {
    deviceId,
    record: (columns, priority) => seal(columns, priority, null),
    async recordDataset(id, batches, onSealed) {
      const known = await datasets.findOne({ _id: { $eq: id } });
      if (known?.complete) {
        return { already: true };
      }
      await outbox.deleteMany({ dataset: { $eq: id } });
      await datasets.updateOne({ _id: { $eq: id } }, { $set: { complete: false } }, { upsert: true });
      for await (const columns of batches) {
        const sealed = await seal(columns, "bulk", id);
        onSealed?.(sealed);
      }
      await datasets.updateOne({ _id: { $eq: id } }, { $set: { complete: true } });
      return { already: false };
    },
    async flush(onReceipt) {
      for (;;) {
        const waiting = await outbox.find(await sendable(), {
          sort: { priority: 1, sequence: 1 },
          limit: FLUSH_BATCHES,
        });
        if (waiting.length === 0) {
          return;
        }
        for (const outgoing of waiting) {
          let receipt: Receipt;
          try {
            receipt = await send(outgoing);
          } catch (error) {
            if (isMedcloudletError(error) && error.status === 401) {
              ticket = undefined;
            }
            throw error;
          }
          await outbox.deleteOne({ _id: { $eq: outgoing._id } });
          onReceipt?.(receipt);
        }
      }
    },
    resend: send,
    waiting: async () => outbox.countDocuments(await sendable()),
  };
}
