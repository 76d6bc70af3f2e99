import { isMedcloudletError, type MedcloudletError, systemClock } from "../../../host/base/index.ts";
import type {
  DirectoryEntry,
  KnownEmergency,
  UnverifiedRelease,
} from "../../../host/client/emergency-api.ts";
import {
  EMERGENCY_APPROVAL,
  EMERGENCY_REQUEST,
  EMERGENCY_SHARE,
  type EmergencyApproval,
  type EmergencyShare,
  ENROLMENT,
  EPOCH,
  handOnShare,
  openEmergencyShare,
  type SealingSuite,
  sealEmergencyShares,
  signStatement,
} from "../../../host/sealing/index.ts";
import { REASON } from "../../support/emergency.ts";
import { loadSuite } from "../sealing/fixtures.ts";
import { newId, newStream, type Somebody, type Stream, somebody } from "./people.ts";

const HOUR_MS = 3_600_000;

export const entry = ({ account }: Somebody): DirectoryEntry => account;
export const idOf = ({ account }: Somebody): string => account.accountId;
export type Approved = UnverifiedRelease["approvals"][number];

/** An open emergency with everybody in it, and what an honest KDC would release. */
export interface Cast {
  readonly suite: SealingSuite;
  readonly owner: Somebody;
  readonly doctor: Somebody;
  readonly trustees: readonly [Somebody, Somebody, Somebody];
  readonly stream: Stream;
  readonly emergency: KnownEmergency;
  readonly setId: string;
  /** Shares of the stream's key (or of another) as the owner signs them; one statement a trustee. */
  sharesOf(privateKey?: Uint8Array<ArrayBuffer>): Promise<EmergencyShare[]>;
  /** What a trustee hands on; `lie` hands on something else than the own share. */
  approvedBy(
    index: number,
    shares: readonly EmergencyShare[],
    lie?: Uint8Array,
    changes?: Partial<EmergencyApproval>,
  ): Promise<Approved>;
  releaseOf(approvals: readonly Approved[]): Promise<UnverifiedRelease>;
}

export async function errorOf(action: Promise<unknown>): Promise<MedcloudletError> {
  const error = await action.then(
    () => null,
    (refusal) => refusal,
  );
  if (!isMedcloudletError(error)) {
    throw new Error("it was not refused", { cause: error });
  }
  return error;
}

export async function createCast(): Promise<Cast> {
  const setId = newId();
  const suite = await loadSuite();
  const [owner, doctor] = [await somebody(suite, "quiet-otter"), await somebody(suite, "dr-swift")];
  const trustees = (await Promise.all(
    ["dr-heron", "dr-stork", "dr-crane"].map((name) => somebody(suite, name)),
  )) as [Somebody, Somebody, Somebody];
  const stream = await newStream(suite, owner, "medical");
  const now = systemClock.now();
  const request = {
    emergencyId: newId(),
    requester: idOf(doctor),
    patient: "quiet-otter",
    reason: REASON,
    requestedAt: now,
    until: now + HOUR_MS,
  };
  const emergency: KnownEmergency = {
    emergencyId: request.emergencyId,
    phase: "open",
    patient: "quiet-otter",
    requester: entry(doctor),
    request: await signStatement(EMERGENCY_REQUEST, request, doctor.keys.signing),
    reason: REASON,
    epochIds: [stream.epoch.epochId],
    trustees: 3,
    needed: 2,
    requestedAt: request.requestedAt,
    until: request.until,
    openedAt: now,
    endedAt: null,
    approvers: [],
  };

  async function sharesOf(privateKey = stream.pair.privateKey): Promise<EmergencyShare[]> {
    const set = { setId, owner: idOf(owner), epochId: stream.epoch.epochId, threshold: 2, createdAt: 1 };
    const chosen = trustees.map((trustee) => ({
      accountId: idOf(trustee),
      fingerprint: trustee.fingerprint,
      receivingKey: trustee.keys.receiving.publicKey,
    }));
    return sealEmergencyShares(suite, set, chosen, privateKey);
  }

  async function approvedBy(
    index: number,
    shares: readonly EmergencyShare[],
    lie?: Uint8Array,
    changes: Partial<EmergencyApproval> = {},
  ): Promise<Approved> {
    const trustee = trustees[index] as Somebody;
    const share = shares[index] as EmergencyShare;
    const own = await openEmergencyShare(trustee.keys.receiving, share);
    const binding = {
      emergencyId: emergency.emergencyId,
      requester: idOf(doctor),
      approver: idOf(trustee),
      setId,
      epochId: stream.epoch.epochId,
    };
    const handed = await handOnShare(
      suite,
      doctor.keys.receiving.publicKey,
      binding,
      lie === undefined ? own : new Uint8Array(lie),
    );
    const approval: EmergencyApproval = {
      emergencyId: binding.emergencyId,
      approver: idOf(trustee),
      requester: idOf(doctor),
      requesterFingerprint: doctor.fingerprint,
      setId,
      epochs: [handed],
      approvedAt: 1,
      expiresAt: 2,
      ...changes,
    };
    return {
      approver: entry(trustee),
      approval: await signStatement(EMERGENCY_APPROVAL, approval, trustee.keys.signing),
      shares: [await signStatement(EMERGENCY_SHARE, share, owner.keys.signing)],
    };
  }

  async function releaseOf(approvals: readonly Approved[]): Promise<UnverifiedRelease> {
    return {
      emergency,
      owner: entry(owner),
      epochs: [await signStatement(EPOCH, stream.epoch, owner.keys.signing)],
      devices: [await signStatement(ENROLMENT, stream.enrolment, owner.keys.signing)],
      deviceRevocations: [],
      approvals: [...approvals],
    };
  }

  return { suite, owner, doctor, trustees, stream, emergency, setId, sharesOf, approvedBy, releaseOf };
}
