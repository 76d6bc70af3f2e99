import { MedcloudletError } from "../base/index.ts";
import type { Account } from "../identity/index.ts";
import type { EmergencyApproval } from "../sealing/index.ts";
import type { Approval, EmergencyState } from "./emergency-state.ts";

/**
 * An approval with what it hands on; the shares' own statements go with it, should the patient prepare anew. Both are
 * gone once the emergency is over.
 */
export interface KeptApproval extends Approval {
  readonly statement: string;
  readonly shares: readonly string[];
}

/** One emergency: one document, whose `version` every change must know. */
export interface Emergency extends EmergencyState<KeptApproval> {
  readonly _id: string;
  /** The requester's signed request. */
  readonly statement: string;
  readonly reason: string;
  readonly setId: string;
  /** The epochs it opens, newest first. */
  readonly epochIds: readonly string[];
  readonly version: number;
  /** False once what was handed on is deleted. */
  readonly holdsShares: boolean;
  /**
   * Of an emergency that a wearable called: `statement` is the device's call then, and these are the patient's word on the
   * device and the doctor's on their shift. Null or absent where a doctor requested.
   */
  readonly call?: { readonly enrolment: string; readonly duty: string } | null;
  /** Whether the log says that it ended by itself; absent in emergencies of before. */
  readonly expiryWritten?: boolean;
  /** Since when a process is about to write that; null while none is. */
  readonly expiryClaimedAt?: number | null;
}

/** What a new emergency begins with. */
export const NEW_EMERGENCY = {
  approvals: {},
  openedAt: null,
  endedAt: null,
  version: 0,
  holdsShares: true,
  expiryWritten: false,
  expiryClaimedAt: null,
} as const satisfies Partial<Emergency>;

/** How far two clocks may differ. */
export const CLOCK_SKEW_MS = 30_000;

export function withoutShares(
  approvals: Readonly<Record<string, KeptApproval>>,
): Record<string, KeptApproval> {
  return Object.fromEntries(
    Object.entries(approvals).map(([approver, { approvedAt, expiresAt }]) => [
      approver,
      { approvedAt, expiresAt, statement: "", shares: [] },
    ]),
  );
}

export function isOpen(account: Account): boolean {
  return account.suspendedAt === null;
}

/** While it waits, an approval counts as long as its account is open: a stolen trustee's must not be the first of two. */
export function withoutApprovalsOf(emergency: Emergency, closed: ReadonlySet<string>): Emergency {
  if (emergency.openedAt !== null) {
    return emergency;
  }
  const left = Object.entries(emergency.approvals).filter(([approver]) => !closed.has(approver));
  return { ...emergency, approvals: Object.fromEntries(left) };
}

/**
 * That an approval is for this emergency, by its approver, to its requester's key, and of now.
 * @throws MedcloudletError `APPROVAL_MISMATCH`, `APPROVAL_LIFETIME`
 */
export function checkApproval(
  approval: EmergencyApproval,
  of: {
    readonly emergency: Emergency;
    readonly requester: Account | null;
    readonly approver: Account;
    /** ms since 1970 UTC. */
    readonly now: number;
  },
): void {
  const { emergency, requester, approver, now } = of;
  const epochIds = approval.epochs.map(({ epochId }) => epochId);
  const fits =
    approval.emergencyId === emergency._id &&
    approval.approver === approver._id &&
    approval.requester === emergency.requester &&
    approval.requesterFingerprint === requester?.fingerprint &&
    approval.setId === emergency.setId &&
    epochIds.length === emergency.epochIds.length &&
    epochIds.every((id) => emergency.epochIds.includes(id));
  if (!fits) {
    throw new MedcloudletError(
      "APPROVAL_MISMATCH",
      "This approval is for another emergency, requester or set of epochs: fetch the shares again.",
      { status: 403 },
    );
  }
  // One from the future would live longer than it says.
  if (approval.approvedAt > now + CLOCK_SKEW_MS) {
    throw new MedcloudletError("APPROVAL_LIFETIME", "The approval is of the future: check the clock.", {
      status: 403,
    });
  }
}
