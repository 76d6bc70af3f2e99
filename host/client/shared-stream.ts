import { type Bytes, equalBytes, fromBase64Url, MedcloudletError } from "../base/index.ts";
import {
  CONSENT,
  type Consent,
  DEVICE_REVOCATION,
  ENROLMENT,
  type Enrolment,
  EPOCH,
  type Epoch,
  fingerprint,
  identityKeys,
  type Recipient,
  type Region,
  type SealingSuite,
  unwrapEpochKey,
  verifyIdentity,
  verifyStatement,
  WRAPPED_KEY,
} from "../sealing/index.ts";
import type { UnverifiedGrant } from "./kdc-client.ts";

/** The reader for whom a grant is opened. */
export interface ReaderSelf {
  readonly accountId: string;
  readonly fingerprint: string;
  readonly receiving: Recipient;
}

/** A device of the owner's, as it stands by the owner's own statements. */
export type KnownDevice = Enrolment & {
  /** When the owner revoked it: readings from later are refused. */
  readonly revokedAt?: number;
};

/** One stream that can be read, everything about it verified against the owner's key. */
export interface OpenedStream {
  readonly streamId: string;
  readonly region: Region;
  readonly ownerId: string;
  /** What the owner calls themselves, told under seal; in an emergency the handle. */
  readonly ownerName: string;
  /** Fingerprint of the owner's identity, to compare with what the owner says. */
  readonly ownerFingerprint: string;
  /** The owner's Ed25519 key, verified: what the owner signs is checked with it. */
  readonly ownerKey: Bytes;
  /** Opened epoch keys by epoch id. */
  readonly epochs: ReadonlyMap<string, Recipient>;
  /** The owner's devices by device id. */
  readonly devices: ReadonlyMap<string, KnownDevice>;
}

/** One stream that its owner shared by a consent. */
export interface SharedStream extends OpenedStream {
  readonly consent: Consent;
  /** The consent as the owner signed it: it vouches for what the reader writes about the owner. */
  readonly consentStatement: string;
  /** Number of the newest epoch whose key was opened. */
  readonly newestEpoch: number;
}

const refuse = (why: string) =>
  new MedcloudletError("GRANT_INVALID", `The KDC handed out a grant that does not hold: ${why}.`, {
    status: 502,
  });

/**
 * Verifies an owner's devices and their revocations against the owner's key.
 * @returns the devices of all the owner's streams, by device id
 * @throws MedcloudletError `GRANT_INVALID`, `STATEMENT_INVALID`
 */
export async function openDevices(
  listed: Pick<UnverifiedGrant, "devices" | "deviceRevocations">,
  ownerId: string,
  signingKey: Bytes,
): Promise<Map<string, KnownDevice>> {
  const revokedAt = new Map<string, number>();
  for (const statement of listed.deviceRevocations ?? []) {
    const revocation = await verifyStatement(DEVICE_REVOCATION, statement, signingKey);
    if (revocation.owner !== ownerId) {
      throw refuse("a device's revocation is somebody else's");
    }
    revokedAt.set(revocation.deviceId, revocation.revokedAt);
  }
  const devices = new Map<string, KnownDevice>();
  for (const statement of listed.devices) {
    const enrolment = await verifyStatement(ENROLMENT, statement, signingKey);
    if (enrolment.owner !== ownerId) {
      throw refuse("a device belongs to somebody else");
    }
    const ended = revokedAt.get(enrolment.deviceId);
    devices.set(enrolment.deviceId, ended === undefined ? enrolment : { ...enrolment, revokedAt: ended });
  }
  return devices;
}

/** Those of an owner's devices that write into one stream. */
export function devicesOf(
  streamId: string,
  devices: ReadonlyMap<string, KnownDevice>,
): ReadonlyMap<string, KnownDevice> {
  return new Map([...devices].filter(([, enrolment]) => enrolment.streamId === streamId));
}

/**
 * Verifies what the KDC says was granted and opens the wrapped keys. The KDC is not believed: consent, epochs,
 * devices and keys must all be signed by one owner, and the consent must name this reader's own key.
 * @throws MedcloudletError `GRANT_INVALID`, `STATEMENT_INVALID`, `SEALED_OPEN_FAILED`
 */
export async function openGrant(
  grant: UnverifiedGrant,
  reader: ReaderSelf,
  suite: SealingSuite,
): Promise<SharedStream[]> {
  const ownerKeys = identityKeys(await verifyIdentity(grant.owner.identity));
  const { signingKey } = ownerKeys;
  const ownerId = grant.owner.accountId;

  const consent = await verifyStatement(CONSENT, grant.consent, signingKey);
  if (consent.owner !== ownerId || consent.reader !== reader.accountId) {
    throw refuse("the consent is between other people");
  }
  if (consent.readerFingerprint !== reader.fingerprint) {
    throw refuse("the consent names another key than yours");
  }

  const published = new Map<string, Epoch>();
  for (const statement of grant.epochs) {
    const epoch = await verifyStatement(EPOCH, statement, signingKey);
    if (epoch.owner !== ownerId) {
      throw refuse("an epoch belongs to somebody else");
    }
    published.set(epoch.epochId, epoch);
  }
  const devices = await openDevices(grant, ownerId, signingKey);

  const streams = new Map<
    string,
    { region: Region; ownerName: string; epochs: Map<string, Recipient>; newestEpoch: number }
  >();
  for (const statement of grant.wrappedKeys) {
    const wrapped = await verifyStatement(WRAPPED_KEY, statement, signingKey);
    const epoch = published.get(wrapped.epochId);
    if (
      wrapped.consentId !== consent.consentId ||
      wrapped.owner !== ownerId ||
      wrapped.reader !== reader.accountId ||
      epoch === undefined ||
      !consent.regions.includes(epoch.region)
    ) {
      throw refuse("a wrapped key is not covered by the consent");
    }
    const { privateKey, ownerName } = await unwrapEpochKey(suite, reader.receiving, wrapped);
    const recipient = await suite.recipient(privateKey);
    if (!equalBytes(recipient.publicKey, fromBase64Url(epoch.publicKey))) {
      throw refuse("a wrapped key is not the one of its epoch");
    }
    const stream = streams.get(epoch.streamId) ?? {
      region: epoch.region,
      ownerName,
      epochs: new Map(),
      newestEpoch: 0,
    };
    stream.epochs.set(epoch.epochId, recipient);
    stream.newestEpoch = Math.max(stream.newestEpoch, epoch.number);
    streams.set(epoch.streamId, stream);
  }
  const ownerFingerprint = fingerprint(ownerKeys);
  return [...streams].map(([streamId, stream]) => ({
    streamId,
    ...stream,
    ownerId,
    ownerFingerprint,
    ownerKey: signingKey,
    consent,
    consentStatement: grant.consent,
    devices: devicesOf(streamId, devices),
  }));
}
