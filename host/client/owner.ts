import {
  type Bytes,
  type Clock,
  isMedcloudletError,
  MedcloudletError,
  randomBytes,
  toBase64Url,
  toHex,
} from "../base/index.ts";
import {
  CONSENT,
  type Consent,
  ENROLMENT,
  EPOCH,
  fingerprint,
  identityKeys,
  type Region,
  type SealingSuite,
  signStatement,
  verifyIdentity,
  verifyStatement,
  WRAPPED_KEY,
  wrapEpochKey,
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

/** What a patient does with their own data. Private keys never leave this object unwrapped. */
export interface Owner {
  readonly epochs: readonly OwnedEpoch[];
  /** Starts the next epoch of a region: keeps its private half, then publishes the public one. */
  startEpoch(region: Region): Promise<OwnedEpoch>;
  /** Lets a device write into the region's stream. @throws MedcloudletError `EPOCH_MISSING` */
  enrolDevice(input: {
    deviceId: string;
    signingKey: Bytes;
    region: Region;
    until: number;
  }): Promise<{ streamId: string }>;
  /** Finds a doctor and says what to compare before sharing. */
  lookUp(handle: string): Promise<{ accountId: string; fingerprint: string; receivingKey: Bytes }>;
  /**
   * Signs a consent and wraps the regions' epoch keys to the reader.
   * @throws MedcloudletError `READER_CHANGED` when the reader's key is not the one expected, `EPOCH_MISSING`
   */
  share(input: {
    reader: string;
    regions: readonly Region[];
    purpose: Consent["purpose"];
    from: number;
    until: number;
    /** Fingerprint of the reader as the reader told it; a different one from the KDC is refused. */
    expectedFingerprint: string;
  }): Promise<Consent>;
}

export function createOwner(options: {
  readonly suite: SealingSuite;
  readonly clock: Clock;
  readonly session: KdcSession;
  readonly keys: PersonKeys;
  readonly name: string;
  readonly epochs: readonly OwnedEpoch[];
  /** Keeps all epochs safe. Called before a new one is published: what is sealed to a lost key is lost. */
  readonly keepEpochs: (epochs: readonly OwnedEpoch[]) => Promise<void>;
}): Owner {
  const { suite, clock, session, keys, name } = options;
  const owner = session.account.accountId;
  const epochs = [...options.epochs];

  const epochsOf = (region: Region): [OwnedEpoch, ...OwnedEpoch[]] => {
    const [first, ...others] = epochs.filter((epoch) => epoch.region === region);
    if (first === undefined) {
      throw new MedcloudletError(
        "EPOCH_MISSING",
        `There is no epoch of the region ${region} yet: start one first.`,
        {
          status: 409,
        },
      );
    }
    return [first, ...others];
  };

  const lookUp: Owner["lookUp"] = async (handle) => {
    const account = await session.lookUp(handle);
    const theirs = identityKeys(await verifyIdentity(account.identity));
    return {
      accountId: account.accountId,
      fingerprint: fingerprint(theirs),
      receivingKey: theirs.receivingKey,
    };
  };

  const isPublished = async ({ epochId }: OwnedEpoch): Promise<boolean> => {
    for (const statement of await session.epochs()) {
      if ((await verifyStatement(EPOCH, statement, keys.signing.publicKey)).epochId === epochId) {
        return true;
      }
    }
    return false;
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

  /** What the KDC refuses for good is no epoch: nothing can have been sealed to it. Doubt keeps it. */
  const publishOrForget = async (epoch: OwnedEpoch): Promise<void> => {
    try {
      await publish(epoch);
    } catch (error) {
      if (isMedcloudletError(error) && error.status < 500 && error.status !== 429) {
        epochs.splice(epochs.indexOf(epoch), 1);
        await options.keepEpochs([...epochs]);
      }
      throw error;
    }
  };

  return {
    epochs,
    async startEpoch(region) {
      const earlier = epochs.filter((epoch) => epoch.region === region);
      const newest = earlier.at(-1);
      if (newest !== undefined && !(await isPublished(newest))) {
        // Kept and not published: an earlier attempt was cut off in between.
        await publishOrForget(newest);
        return newest;
      }
      const epoch: OwnedEpoch = {
        region,
        streamId: newest?.streamId ?? toHex(randomBytes(16)),
        epochId: toHex(randomBytes(16)),
        number: earlier.length + 1,
        privateKey: (await suite.generateKeyPair()).privateKey,
      };
      await options.keepEpochs([...epochs, epoch]);
      epochs.push(epoch);
      await publishOrForget(epoch);
      return epoch;
    },
    async enrolDevice({ deviceId, signingKey, region, until }) {
      const [{ streamId }] = epochsOf(region);
      const statement = await signStatement(
        ENROLMENT,
        {
          owner,
          deviceId,
          signingKey: toBase64Url(signingKey),
          region,
          streamId,
          createdAt: clock.now(),
          until,
        },
        keys.signing,
      );
      await session.enrolDevice(statement);
      return { streamId };
    },
    lookUp,
    async share({ reader: handle, regions, purpose, from, until, expectedFingerprint }) {
      const reader = await lookUp(handle);
      if (expectedFingerprint !== reader.fingerprint) {
        throw new MedcloudletError(
          "READER_CHANGED",
          `The key of ${handle} is not the one you know. Compare fingerprints with them before you share.`,
          { status: 409 },
        );
      }
      const consent: Consent = {
        consentId: toHex(randomBytes(16)),
        owner,
        reader: reader.accountId,
        readerFingerprint: reader.fingerprint,
        regions: [...regions],
        purpose,
        from,
        until,
        createdAt: clock.now(),
      };
      const wrappedKeys: string[] = [];
      for (const { epochId, privateKey } of regions.flatMap(epochsOf)) {
        const binding = { consentId: consent.consentId, owner, reader: reader.accountId, epochId };
        const wrapped = await wrapEpochKey(suite, reader.receivingKey, binding, {
          privateKey,
          ownerName: name,
        });
        wrappedKeys.push(await signStatement(WRAPPED_KEY, wrapped, keys.signing));
      }
      await session.giveConsent(await signStatement(CONSENT, consent, keys.signing), wrappedKeys);
      return consent;
    },
  };
}
