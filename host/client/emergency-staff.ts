import { type Clock, MedcloudletError, randomBytes, toHex } from "../base/index.ts";
import {
  APPROVAL_LIFETIME_MS,
  EMERGENCY_APPROVAL,
  EMERGENCY_REQUEST,
  EMERGENCY_SHARE,
  type EmergencyApproval,
  type EmergencyRequest,
  handOnShare,
  identityKeys,
  openEmergencyShare,
  type SealingSuite,
  signStatement,
  verifyIdentity,
  verifyStatement,
} from "../sealing/index.ts";
import {
  EMERGENCIES,
  EMERGENCY,
  type KnownEmergency,
  RELEASED_KEYS,
  TRUSTEE_SHARES,
} from "./emergency-api.ts";
import { type OpenedEmergency, openRelease } from "./emergency-release.ts";
import { invalidEmergency as invalid, verifyRequest } from "./emergency-request.ts";
import type { KdcSession } from "./kdc-client.ts";
import { type PersonKeys, personFingerprint } from "./person-keys.ts";

/** An emergency with its request as the requester signed it. */
export interface PendingEmergency {
  readonly emergency: KnownEmergency;
  readonly request: EmergencyRequest;
  /** What to compare with the requester before approving. */
  readonly requesterFingerprint: string;
  /** The device that called, where a wearable did; its own signature says so, and the patient's that it is theirs. */
  readonly device: string | null;
  /** True for one's own request. */
  readonly own: boolean;
  /** True when one's own approval is there and live. */
  readonly approved: boolean;
}

/** What a doctor or security officer does when glass has to be broken. */
export interface EmergencyStaff {
  /** Asks the trustees of a patient. The patient is told at once. */
  request(input: {
    readonly patient: string;
    readonly reason: string;
    readonly minutes: number;
  }): Promise<KnownEmergency>;
  /** What is going on now: one's own requests, and those that one may approve. */
  pending(): Promise<PendingEmergency[]>;
  /**
   * Agrees: opens one's own shares and seals them to the requester.
   * @throws MedcloudletError `REQUESTER_CHANGED` when the requester's key is not the one expected,
   *   `EMERGENCY_INVALID`, and the KDC's refusals
   */
  approve(input: {
    readonly emergencyId: string;
    /** Fingerprint of the requester as the requester told it. */
    readonly expectedFingerprint: string;
  }): Promise<KnownEmergency>;
  /** Takes an approval back while others are still missing. @throws MedcloudletError `EMERGENCY_OPEN` */
  withdraw(emergencyId: string): Promise<KnownEmergency>;
  /** Ends one's own emergency before its time. */
  end(emergencyId: string): Promise<KnownEmergency>;
  /**
   * Fetches what was handed on and puts the keys together, for the reader to read with. `expectedFingerprint`: the
   * patient's, from their card; without it the KDC is believed about which key belongs to the handle.
   * @throws MedcloudletError `EMERGENCY_PENDING`, `EMERGENCY_ENDED`, and those of `openRelease`
   */
  open(emergencyId: string, expectedFingerprint?: string): Promise<OpenedEmergency>;
}

export function createEmergencyStaff(options: {
  readonly suite: SealingSuite;
  readonly clock: Clock;
  readonly session: KdcSession;
  readonly keys: PersonKeys;
}): EmergencyStaff {
  const { suite, clock, session, keys } = options;
  const self = session.account.accountId;
  const ownFingerprint = personFingerprint(keys);
  const path = (emergencyId: string, rest: string) => `/emergencies/${emergencyId}/${rest}`;

  return {
    async request({ patient, reason, minutes }) {
      const requestedAt = clock.now();
      const request: EmergencyRequest = {
        emergencyId: toHex(randomBytes(16)),
        requester: self,
        patient,
        reason,
        requestedAt,
        until: requestedAt + minutes * 60_000,
      };
      const checked = EMERGENCY_REQUEST.schema.safeParse(request);
      if (!checked.success) {
        const why = checked.error.issues.map(({ message }) => message).join("; ");
        throw new MedcloudletError("EMERGENCY_REQUEST_INVALID", `This cannot be requested: ${why}.`, {
          status: 400,
        });
      }
      const statement = await signStatement(EMERGENCY_REQUEST, request, keys.signing);
      return session.call(EMERGENCY, { method: "POST", path: "/emergencies", json: { statement } });
    },
    async pending() {
      const { emergencies } = await session.call(EMERGENCIES, { method: "GET", path: "/emergencies" });
      const pending: PendingEmergency[] = [];
      for (const emergency of emergencies) {
        const { request, requesterFingerprint, device } = await verifyRequest(emergency);
        const now = clock.now();
        pending.push({
          emergency,
          request,
          requesterFingerprint,
          device,
          own: request.requester === self,
          approved: emergency.approvers.some(
            ({ accountId, expiresAt }) =>
              accountId === self && (expiresAt > now || emergency.openedAt !== null),
          ),
        });
      }
      return pending;
    },
    async approve({ emergencyId, expectedFingerprint }) {
      const handed = await session.call(TRUSTEE_SHARES, { method: "GET", path: path(emergencyId, "share") });
      const { emergency, owner } = handed;
      const { request, requesterFingerprint, receivingKey } = await verifyRequest(emergency, owner);
      if (request.emergencyId !== emergencyId || request.patient !== owner.handle) {
        throw invalid("it is another one than was asked for");
      }
      if (requesterFingerprint !== expectedFingerprint) {
        throw new MedcloudletError(
          "REQUESTER_CHANGED",
          `The key of ${emergency.requester.handle} is not the one you know: speak with them before you approve.`,
          { status: 409 },
        );
      }
      const ownerKeys = identityKeys(await verifyIdentity(owner.identity));
      const requester = request.requester;
      const epochs: EmergencyApproval["epochs"] = [];
      let setId = "";
      for (const statement of handed.shares) {
        const share = await verifyStatement(EMERGENCY_SHARE, statement, ownerKeys.signingKey);
        if (
          share.owner !== owner.accountId ||
          share.trustee !== self ||
          share.trusteeFingerprint !== ownFingerprint ||
          (setId !== "" && share.setId !== setId)
        ) {
          throw invalid("a share was made for somebody else");
        }
        setId = share.setId;
        const binding = { emergencyId, requester, approver: self, setId, epochId: share.epochId };
        const opened = await openEmergencyShare(keys.receiving, share);
        epochs.push(await handOnShare(suite, receivingKey, binding, opened));
        opened.fill(0);
      }
      const approvedAt = clock.now();
      const approval: EmergencyApproval = {
        emergencyId,
        approver: self,
        requester,
        requesterFingerprint,
        setId,
        epochs,
        approvedAt,
        expiresAt: approvedAt + APPROVAL_LIFETIME_MS,
      };
      const statement = await signStatement(EMERGENCY_APPROVAL, approval, keys.signing);
      const json = { statement };
      return session.call(EMERGENCY, { method: "POST", path: path(emergencyId, "approvals"), json });
    },
    withdraw: (emergencyId) =>
      session.call(EMERGENCY, { method: "DELETE", path: path(emergencyId, "approvals/own") }),
    end: (emergencyId) => session.call(EMERGENCY, { method: "POST", path: path(emergencyId, "end") }),
    async open(emergencyId, expectedFingerprint) {
      const release = await session.call(RELEASED_KEYS, {
        method: "GET",
        path: path(emergencyId, "keys"),
      });
      if (release.emergency.emergencyId !== emergencyId) {
        throw invalid("it is another one than was asked for");
      }
      const { request } = await verifyRequest(release.emergency, release.owner);
      if (request.requester !== self || request.patient !== release.owner.handle) {
        throw invalid("the request is somebody else's");
      }
      const requester = { accountId: self, fingerprint: ownFingerprint, receiving: keys.receiving };
      return openRelease(release, requester, suite, expectedFingerprint);
    },
  };
}
