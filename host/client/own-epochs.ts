import {
  type Bytes,
  type Clock,
  createInTurn,
  isMedcloudletError,
  MedcloudletError,
  randomBytes,
  toBase64Url,
  toHex,
} from "../base/index.ts";
import {
  EPOCH,
  type Epoch,
  type Region,
  type SealingSuite,
  signStatement,
  verifyStatement,
} from "../sealing/index.ts";
import type { KdcSession } from "./kdc-client.ts";
import type { PersonKeys } from "./person-keys.ts";

/** An epoch as its owner holds it. */
export interface OwnedEpoch {
  readonly region: Region;
  readonly streamId: string;
  readonly epochId: string;
  readonly number: number;
  /** 32 bytes. */
  readonly privateKey: Bytes;
}

/** A patient's own epochs. */
export interface OwnEpochs {
  readonly all: readonly OwnedEpoch[];
  /** The epochs of a region, oldest first. @throws MedcloudletError `EPOCH_MISSING` */
  of(region: Region): [OwnedEpoch, ...OwnedEpoch[]];
  /** The newest epoch of a region. @throws MedcloudletError `EPOCH_MISSING` */
  newest(region: Region): OwnedEpoch;
  /** Starts the next epoch of a region: keeps its private half, then publishes the public one. */
  start(region: Region): Promise<OwnedEpoch>;
  /** What the KDC has of them, by epoch id; every statement is checked. */
  published(): Promise<ReadonlyMap<string, Epoch>>;
}

export function createOwnEpochs(options: {
  readonly suite: SealingSuite;
  readonly clock: Clock;
  readonly session: KdcSession;
  readonly keys: PersonKeys;
  readonly epochs: readonly OwnedEpoch[];
  readonly keepEpochs: (epochs: readonly OwnedEpoch[]) => Promise<void>;
}): OwnEpochs {
  const { suite, clock, session, keys } = options;
  const owner = session.account.accountId;
  const all = [...options.epochs];
  const inTurn = createInTurn();

  const ofRegion = (region: Region) => all.filter((epoch) => epoch.region === region);

  const of: OwnEpochs["of"] = (region) => {
    const [first, ...others] = ofRegion(region);
    if (first === undefined) {
      throw new MedcloudletError(
        "EPOCH_MISSING",
        `There is no epoch of the region ${region} yet: start one with \`medcloudlet keys epoch --region ${region}\`.`,
        { status: 409 },
      );
    }
    return [first, ...others];
  };

  const published: OwnEpochs["published"] = async () => {
    const epochs = new Map<string, Epoch>();
    for (const statement of await session.epochs()) {
      const epoch = await verifyStatement(EPOCH, statement, keys.signing.publicKey);
      epochs.set(epoch.epochId, epoch);
    }
    return epochs;
  };

  const publish = async ({ region, streamId, epochId, number, privateKey }: OwnedEpoch): Promise<void> => {
    const { publicKey } = await suite.recipient(privateKey);
    const statement = await signStatement(
      EPOCH,
      {
        owner,
        region,
        streamId,
        epochId,
        number,
        suite: 1,
        publicKey: toBase64Url(publicKey),
        createdAt: clock.now(),
      },
      keys.signing,
    );
    await session.publishEpoch(statement);
  };

  /** What the KDC refused for good and does not have is no epoch: nothing can have been sealed to it. Doubt keeps it. */
  const publishOrForget = async (epoch: OwnedEpoch): Promise<void> => {
    try {
      await publish(epoch);
    } catch (error) {
      const refused = isMedcloudletError(error) && error.status < 500 && error.status !== 429;
      if (refused && (await published()).has(epoch.epochId)) {
        // It is there: what was refused is a second copy of the request.
        return;
      }
      if (refused) {
        all.splice(all.indexOf(epoch), 1);
        await options.keepEpochs([...all]);
      }
      throw error;
    }
  };

  const start: OwnEpochs["start"] = async (region) => {
    const known = await published();
    const numbers = [...known.values()]
      .filter((epoch) => epoch.owner === owner && epoch.region === region)
      .map(({ number }) => number);
    for (const lost of ofRegion(region).filter(
      ({ epochId, number }) => !known.has(epochId) && number <= Math.max(0, ...numbers),
    )) {
      // Another machine of the same person published one with its number: nothing was ever sealed to this one.
      all.splice(all.indexOf(lost), 1);
    }
    const newest = ofRegion(region).at(-1);
    if (newest !== undefined && !known.has(newest.epochId)) {
      // Kept and not published: an earlier attempt was cut off in between.
      await publishOrForget(newest);
      return newest;
    }
    // The KDC may have epochs that this machine has lost (an old backup): the next one comes behind those.
    const last = [...known.values()]
      .filter((epoch) => epoch.owner === owner && epoch.region === region)
      .reduce<Epoch | undefined>((a, b) => (a === undefined || b.number > a.number ? b : a), undefined);
    const epoch: OwnedEpoch = {
      region,
      streamId: newest?.streamId ?? last?.streamId ?? toHex(randomBytes(16)),
      epochId: toHex(randomBytes(16)),
      number: (last?.number ?? 0) + 1,
      privateKey: (await suite.generateKeyPair()).privateKey,
    };
    await options.keepEpochs([...all, epoch]);
    all.push(epoch);
    await publishOrForget(epoch);
    return epoch;
  };

  return {
    all,
    of,
    newest: (region) => of(region).at(-1) as OwnedEpoch,
    published,
    start: (region) => inTurn(() => start(region)),
  };
}
