import { randomBytes, systemClock, toBase64Url, toHex } from "../../../host/base/index.ts";
import {
  createIdentity,
  type KdcSession,
  type KnownAccount,
  openGrant,
  type PersonKeys,
  type SharedStream,
} from "../../../host/client/index.ts";
import type { UnverifiedGrant } from "../../../host/client/kdc-client.ts";
import {
  CONSENT,
  type Consent,
  ENROLMENT,
  type Enrolment,
  EPOCH,
  type Epoch,
  fingerprint,
  type HybridKeyPair,
  type ReadingColumn,
  type Region,
  type SealingSuite,
  type SigningKey,
  sealBatch,
  signStatement,
  WRAPPED_KEY,
  wrapEpochKey,
} from "../../../host/sealing/index.ts";
import { newSigningKey } from "../sealing/fixtures.ts";

export const newId = () => toHex(randomBytes(16));
export const NOW = Date.UTC(2026, 0, 1);
export const LATER = NOW + 1_000_000;

/** Somebody with an identity and an account, as the KDC would tell of them. */
export interface Somebody {
  readonly account: KnownAccount;
  readonly keys: PersonKeys;
  readonly fingerprint: string;
}

export async function somebody(suite: SealingSuite, handle: string): Promise<Somebody> {
  const { keys, statement } = await createIdentity(suite, systemClock);
  return {
    account: { accountId: newId(), handle, role: "patient", identity: statement },
    keys,
    fingerprint: fingerprint({
      signingKey: keys.signing.publicKey,
      receivingKey: keys.receiving.publicKey,
    }),
  };
}

/** An epoch with its private half, and a device that writes into its stream. */
export interface Stream {
  readonly epoch: Epoch;
  readonly pair: HybridKeyPair;
  readonly enrolment: Enrolment;
  readonly deviceKey: SigningKey;
}

export async function newStream(suite: SealingSuite, owner: Somebody, region: Region): Promise<Stream> {
  const pair = await suite.generateKeyPair();
  const deviceKey = await newSigningKey();
  const base = { owner: owner.account.accountId, region, streamId: newId(), createdAt: NOW };
  return {
    pair,
    deviceKey,
    epoch: { ...base, epochId: newId(), number: 1, suite: 1, publicKey: toBase64Url(pair.publicKey) },
    enrolment: { ...base, deviceId: newId(), signingKey: toBase64Url(deviceKey.publicKey), until: LATER },
  };
}

export function consentOf(owner: Somebody, reader: Somebody, regions: Region[]): Consent {
  return {
    consentId: newId(),
    owner: owner.account.accountId,
    reader: reader.account.accountId,
    readerFingerprint: reader.fingerprint,
    regions,
    purpose: "treatment",
    from: NOW,
    until: LATER,
    createdAt: NOW,
  };
}

export async function wrappedFor(
  suite: SealingSuite,
  owner: Somebody,
  reader: Somebody,
  consent: Consent,
  { epoch, pair }: Pick<Stream, "epoch" | "pair">,
): Promise<string> {
  const { consentId } = consent;
  const binding = { consentId, owner: consent.owner, reader: consent.reader, epochId: epoch.epochId };
  const wrapped = await wrapEpochKey(suite, reader.keys.receiving.publicKey, binding, {
    privateKey: pair.privateKey,
    ownerName: "Ada",
  });
  return signStatement(WRAPPED_KEY, wrapped, owner.keys.signing);
}

/** The grant that an honest KDC hands out. */
export async function grantOf(
  suite: SealingSuite,
  owner: Somebody,
  reader: Somebody,
  consent: Consent,
  streams: readonly Stream[],
): Promise<UnverifiedGrant> {
  const { signing } = owner.keys;
  return {
    owner: owner.account,
    consent: await signStatement(CONSENT, consent, signing),
    wrappedKeys: await Promise.all(
      streams.map((stream) => wrappedFor(suite, owner, reader, consent, stream)),
    ),
    epochs: await Promise.all(streams.map(({ epoch }) => signStatement(EPOCH, epoch, signing))),
    devices: await Promise.all(streams.map(({ enrolment }) => signStatement(ENROLMENT, enrolment, signing))),
  };
}

export function openAs(
  suite: SealingSuite,
  reader: Somebody,
  grant: UnverifiedGrant,
): Promise<SharedStream[]> {
  const { account, keys, fingerprint: own } = reader;
  return openGrant(
    grant,
    { accountId: account.accountId, fingerprint: own, receiving: keys.receiving },
    suite,
  );
}

export const READINGS: ReadingColumn[] = [
  { quantity: "heartRate", times: [NOW, NOW + 1000], values: [72, null] },
];

export function sealFor(
  suite: SealingSuite,
  { epoch, pair, enrolment, deviceKey }: Stream,
  sequence: number,
  columns = READINGS,
) {
  const { region, streamId, epochId } = epoch;
  const { deviceId } = enrolment;
  return sealBatch({
    suite,
    epochPublicKey: pair.publicKey,
    signingKey: deviceKey,
    header: { region, priority: "regular", epochId, streamId, deviceId, sequence },
    columns,
  });
}

/** A session that answers what a test says it does, and fails at everything else. */
export function sessionOf(account: KnownAccount, answers: Partial<KdcSession>): KdcSession {
  const unexpected = () => Promise.reject(new Error("this call was not expected"));
  return {
    account,
    token: "",
    expiresAt: 0,
    secondFactor: "none",
    logout: unexpected,
    invite: unexpected,
    lookUp: unexpected,
    publishEpoch: unexpected,
    epochs: unexpected,
    enrolDevice: unexpected,
    giveConsent: unexpected,
    grants: unexpected,
    readTicket: unexpected,
    staffTicket: unexpected,
    rotateTicketKeys: unexpected,
    call: unexpected,
    ...answers,
  };
}
