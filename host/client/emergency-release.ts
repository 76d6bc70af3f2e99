import {
  type Bytes,
  equalBytes,
  fromBase64Url,
  isMedcloudletError,
  MedcloudletError,
} from "../base/index.ts";
import {
  DEVICE_REVOCATION,
  EMERGENCY_APPROVAL,
  EMERGENCY_SHARE,
  type EmergencyApproval,
  type EmergencyShare,
  ENROLMENT,
  EPOCH,
  type Epoch,
  fingerprint,
  identityKeys,
  joinShares,
  openHandedShare,
  type Recipient,
  type SealingSuite,
  verifyIdentity,
  verifyStatement,
} from "../sealing/index.ts";
import type { DirectoryEntry, UnverifiedRelease } from "./emergency-api.ts";
import type { KnownDevice, OpenedStream, ReaderSelf } from "./shared-stream.ts";

/** What an emergency opened on the requester's machine. */
export interface OpenedEmergency {
  readonly emergencyId: string;
  /** When it ends, ms since 1970 UTC. */
  readonly until: number;
  readonly streams: readonly OpenedStream[];
  /** Trustees who handed on something else than the share that the patient gave them. */
  readonly liars: readonly { readonly handle: string; readonly code: string }[];
}

function invalid(why: string): MedcloudletError {
  return new MedcloudletError(
    "EMERGENCY_INVALID",
    `The KDC handed out an emergency that does not hold: ${why}.`,
    { status: 502 },
  );
}

/** One trustee's part: what they handed on, and what the owner says it has to be. */
interface Part {
  readonly handle: string;
  readonly approval: EmergencyApproval;
  readonly shares: ReadonlyMap<string, EmergencyShare>;
}

/** @throws MedcloudletError `EMERGENCY_INVALID`, `STATEMENT_INVALID` */
async function partOf(
  { approver, approval: statement, shares: statements }: UnverifiedRelease["approvals"][number],
  expected: {
    readonly emergencyId: string;
    readonly requester: string;
    readonly requesterFingerprint: string;
    readonly owner: string;
    readonly ownerKey: Bytes;
  },
): Promise<Part> {
  const approverKeys = identityKeys(await verifyIdentity(approver.identity));
  const approval = await verifyStatement(EMERGENCY_APPROVAL, statement, approverKeys.signingKey);
  if (
    approval.emergencyId !== expected.emergencyId ||
    approval.approver !== approver.accountId ||
    approval.requester !== expected.requester ||
    approval.requesterFingerprint !== expected.requesterFingerprint
  ) {
    throw invalid("an approval is for something else");
  }
  const shares = new Map<string, EmergencyShare>();
  for (const text of statements) {
    const share = await verifyStatement(EMERGENCY_SHARE, text, expected.ownerKey);
    if (
      share.owner !== expected.owner ||
      share.setId !== approval.setId ||
      share.trustee !== approver.accountId ||
      share.trusteeFingerprint !== fingerprint(approverKeys)
    ) {
      throw invalid("a share was made for somebody else");
    }
    shares.set(share.epochId, share);
  }
  return { handle: approver.handle, approval, shares };
}

async function ownedBy(owner: DirectoryEntry, ownerKey: Bytes, release: UnverifiedRelease) {
  const epochs: Epoch[] = [];
  for (const statement of release.epochs) {
    const epoch = await verifyStatement(EPOCH, statement, ownerKey);
    if (epoch.owner !== owner.accountId || epoch.region !== "medical") {
      throw invalid("an epoch belongs to somebody or something else");
    }
    epochs.push(epoch);
  }
  const revokedAt = new Map<string, number>();
  for (const statement of release.deviceRevocations) {
    const revocation = await verifyStatement(DEVICE_REVOCATION, statement, ownerKey);
    if (revocation.owner !== owner.accountId) {
      throw invalid("a device's revocation is somebody else's");
    }
    revokedAt.set(revocation.deviceId, revocation.revokedAt);
  }
  const devices: KnownDevice[] = [];
  for (const statement of release.devices) {
    const device = await verifyStatement(ENROLMENT, statement, ownerKey);
    if (device.owner !== owner.accountId) {
      throw invalid("a device belongs to somebody else");
    }
    const ended = revokedAt.get(device.deviceId);
    devices.push(ended === undefined ? device : { ...device, revokedAt: ended });
  }
  return { epochs, devices };
}

/**
 * Shares of one epoch that are as the owner made them, and how many are needed; a trustee who handed on another is put
 * down among the liars, with the error's code.
 */
async function trueSharesOf(of: {
  readonly emergencyId: string;
  readonly epochId: string;
  readonly parts: readonly Part[];
  readonly receiving: ReaderSelf["receiving"];
  /** By handle. */
  readonly liars: Map<string, string>;
}): Promise<{ shares: Bytes[]; threshold: number }> {
  const { emergencyId, epochId, parts, receiving, liars } = of;
  const shares: Bytes[] = [];
  let threshold = Number.POSITIVE_INFINITY;
  for (const { handle, approval, shares: promised } of parts) {
    const handed = approval.epochs.find((entry) => entry.epochId === epochId);
    const promise = promised.get(epochId);
    if (handed === undefined || promise === undefined) {
      continue;
    }
    threshold = promise.threshold;
    const { requester: to, approver, setId } = approval;
    const binding = { emergencyId, requester: to, approver, setId, epochId };
    try {
      shares.push(await openHandedShare(receiving, binding, handed, promise));
    } catch (error) {
      if (!isMedcloudletError(error)) {
        throw error;
      }
      liars.set(handle, error.code);
    }
  }
  return { shares: shares.slice(0, Math.max(0, threshold)), threshold };
}

/**
 * Verifies what the KDC released and puts the epoch keys together. Neither the KDC nor a single trustee is believed:
 * every share is compared with what the patient signed, every key with the epoch that the patient published.
 * @throws MedcloudletError `EMERGENCY_INVALID`, `STATEMENT_INVALID`, `PATIENT_CHANGED` when the patient has another
 *   fingerprint than expected, `EMERGENCY_SHARES_MISSING` naming who handed on false ones, `EMERGENCY_KEY_MISMATCH`
 */
export async function openRelease(
  release: UnverifiedRelease,
  requester: ReaderSelf,
  suite: SealingSuite,
  expectedFingerprint?: string,
): Promise<OpenedEmergency> {
  const { emergency, owner } = release;
  const { emergencyId, until } = emergency;
  const ownerKeys = identityKeys(await verifyIdentity(owner.identity));
  const ownerFingerprint = fingerprint(ownerKeys);
  if (expectedFingerprint !== undefined && expectedFingerprint !== ownerFingerprint) {
    throw new MedcloudletError(
      "PATIENT_CHANGED",
      `The key of ${owner.handle} is not the one on the patient's card: these are not this patient's data.`,
      { status: 409 },
    );
  }
  const ownerKey = ownerKeys.signingKey;
  const { epochs, devices } = await ownedBy(owner, ownerKey, release);
  const expected = {
    emergencyId,
    requester: requester.accountId,
    requesterFingerprint: requester.fingerprint,
    owner: owner.accountId,
    ownerKey,
  };
  const parts = new Map<string, Part>();
  for (const approval of release.approvals) {
    // By account, so that one approval shown twice is one share.
    parts.set(approval.approver.accountId, await partOf(approval, expected));
  }
  if (new Set([...parts.values()].map(({ approval }) => approval.setId)).size > 1) {
    throw invalid("its shares are of different preparations");
  }

  const liars = new Map<string, string>();
  const trueShares = (epochId: string) =>
    trueSharesOf({ emergencyId, epochId, parts: [...parts.values()], receiving: requester.receiving, liars });

  const streams = new Map<string, Map<string, Recipient>>();
  for (const epoch of epochs) {
    const { shares, threshold } = await trueShares(epoch.epochId);
    if (shares.length < threshold) {
      continue;
    }
    const recipient = await suite.recipient(await joinShares(shares));
    if (!equalBytes(recipient.publicKey, fromBase64Url(epoch.publicKey))) {
      throw new MedcloudletError(
        "EMERGENCY_KEY_MISMATCH",
        "The shares are as the patient made them, and do not give the patient's key: they were made wrong.",
        { status: 422 },
      );
    }
    const stream = streams.get(epoch.streamId) ?? new Map<string, Recipient>();
    stream.set(epoch.epochId, recipient);
    streams.set(epoch.streamId, stream);
  }
  const named = [...liars].map(([handle, code]) => ({ handle, code }));
  if (streams.size === 0) {
    const who =
      named.length === 0 ? "" : ` ${named.map(({ handle }) => handle).join(", ")} handed on false ones.`;
    throw new MedcloudletError(
      "EMERGENCY_SHARES_MISSING",
      `There are too few true shares:${who} Another trustee has to approve.`,
      { status: 422, details: { liars: named } },
    );
  }
  return {
    emergencyId,
    until,
    liars: named,
    streams: [...streams].map(([streamId, keys]) => ({
      streamId,
      region: "medical",
      ownerId: owner.accountId,
      ownerName: owner.handle,
      ownerFingerprint,
      ownerKey,
      epochs: keys,
      devices: new Map(
        devices.filter((device) => device.streamId === streamId).map((device) => [device.deviceId, device]),
      ),
    })),
  };
}
