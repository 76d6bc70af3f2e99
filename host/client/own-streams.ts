import { REGION, type Recipient, type SealingSuite } from "../sealing/index.ts";
import type { OwnedEpoch, Owner } from "./owner.ts";
import { type PersonKeys, personFingerprint } from "./person-keys.ts";
import type { KnownDevice, OpenedStream } from "./shared-stream.ts";

/** One stream of one's own; epochs and devices that come later are put into its maps. */
export interface OwnStream extends OpenedStream {
  readonly epochs: Map<string, Recipient>;
  readonly devices: Map<string, KnownDevice>;
}

/** A patient's own streams. */
export interface OwnStreams {
  readonly all: readonly OwnStream[];
  /**
   * Takes in the epochs and devices that an owner has now. Streams that were handed out grow with it; one more is there
   * for each region whose first epoch has begun.
   */
  refresh(owner: Pick<Owner, "epochs" | "devices">): Promise<void>;
}

/** Opens a patient's own streams with their own epoch keys: no consent, and no key of anybody else, has a part in it. */
export function createOwnStreams(options: {
  readonly suite: SealingSuite;
  readonly keys: PersonKeys;
  readonly accountId: string;
  readonly name: string;
}): OwnStreams {
  const { suite, keys, accountId, name } = options;
  const streams = new Map<string, OwnStream>();

  const streamOf = ({ streamId, region }: OwnedEpoch): OwnStream => {
    const known = streams.get(streamId);
    if (known !== undefined) {
      return known;
    }
    const stream: OwnStream = {
      ...{ streamId, region, ownerId: accountId, ownerName: name },
      ownerFingerprint: personFingerprint(keys),
      ownerKey: keys.signing.publicKey,
      epochs: new Map(),
      devices: new Map(),
    };
    streams.set(streamId, stream);
    return stream;
  };

  return {
    get all() {
      return [...streams.values()].sort((a, b) => REGION[b.region] - REGION[a.region]);
    },
    async refresh(owner) {
      for (const epoch of [...owner.epochs]) {
        const { epochs } = streamOf(epoch);
        if (!epochs.has(epoch.epochId)) {
          epochs.set(epoch.epochId, await suite.recipient(epoch.privateKey));
        }
      }
      for (const { enrolment, revokedAt } of await owner.devices()) {
        streams
          .get(enrolment.streamId)
          ?.devices.set(enrolment.deviceId, revokedAt === null ? enrolment : { ...enrolment, revokedAt });
      }
    },
  };
}
