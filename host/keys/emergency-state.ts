import { MedcloudletError } from "../base/index.ts";
import { APPROVAL_LIFETIME_MS, EMERGENCY_MINUTES } from "../sealing/index.ts";

/** Whatever the patient's threshold: one person alone never opens anything. */
const APPROVERS_LEAST = 2;
const MINUTE_MS = 60_000;

/** One trustee's agreement. Times in ms since 1970 UTC. */
export interface Approval {
  readonly approvedAt: number;
  /** Until when it waits for the others. Once they are enough, its time is the emergency's. */
  readonly expiresAt: number;
}

/** What decides over one emergency. `approvals` is by approver, so that nobody can count twice. */
export interface EmergencyState<A extends Approval = Approval> {
  readonly owner: string;
  readonly requester: string;
  readonly trustees: readonly string[];
  readonly needed: number;
  readonly requestedAt: number;
  readonly until: number;
  readonly approvals: Readonly<Record<string, A>>;
  readonly openedAt: number | null;
  readonly endedAt: number | null;
}

export type Phase = "pending" | "open" | "ended";

function refuse(code: string, message: string, status = 403): MedcloudletError {
  return new MedcloudletError(code, message, { status });
}

function emergencyEnded(): MedcloudletError {
  return refuse("EMERGENCY_ENDED", "This emergency is over: where it still is one, request again.", 410);
}

export function ownApproval(): MedcloudletError {
  return refuse("EMERGENCY_OWN_APPROVAL", "Nobody approves their own request: ask two other trustees.");
}

/** Nobody ends an emergency by doing something: it ends when its time is up. */
export function phaseOf(state: Pick<EmergencyState, "openedAt" | "endedAt" | "until">, now: number): Phase {
  if (state.endedAt !== null || state.until <= now) {
    return "ended";
  }
  return state.openedAt === null ? "pending" : "open";
}

/** How many approvals an emergency needs under a patient's threshold. */
export function approvalsNeeded(threshold: number): number {
  return Math.max(APPROVERS_LEAST, threshold);
}

/** @throws MedcloudletError `EMERGENCY_TIME_LIMIT` for one that would last too short or too long */
export function checkDuration(requestedAt: number, until: number): void {
  const minutes = (until - requestedAt) / MINUTE_MS;
  if (minutes < EMERGENCY_MINUTES.least || minutes > EMERGENCY_MINUTES.most) {
    throw refuse(
      "EMERGENCY_TIME_LIMIT",
      `An emergency lasts ${EMERGENCY_MINUTES.least} to ${EMERGENCY_MINUTES.most} minutes: ask for another time.`,
    );
  }
}

/** Approvals that are worth something at a moment. */
function liveApprovals<A extends Approval>(
  approvals: Readonly<Record<string, A>>,
  at: number,
): (readonly [approver: string, approval: A])[] {
  return Object.entries(approvals).filter(([, { expiresAt }]) => expiresAt > at);
}

/**
 * The state after somebody approved. With the last approval that was needed, all of them live, it is open. One who
 * comes later is taken as well: where a share turns out to be false, another helps.
 * @throws MedcloudletError `EMERGENCY_OWN_APPROVAL`, `EMERGENCY_NOT_TRUSTEE`, `EMERGENCY_ENDED`, `APPROVAL_EXPIRED`,
 *   `APPROVAL_LIFETIME`, `EMERGENCY_APPROVED_ALREADY`
 */
export function approve<A extends Approval>(
  state: EmergencyState<A>,
  approver: string,
  approval: A,
  now: number,
): EmergencyState<A> {
  if (approver === state.requester) {
    throw ownApproval();
  }
  if (!state.trustees.includes(approver)) {
    throw refuse("EMERGENCY_NOT_TRUSTEE", "This patient has not made you a trustee.");
  }
  if (phaseOf(state, now) === "ended") {
    throw emergencyEnded();
  }
  if (approval.expiresAt <= now) {
    throw refuse("APPROVAL_EXPIRED", "This approval has expired: approve anew.");
  }
  if (approval.expiresAt - approval.approvedAt > APPROVAL_LIFETIME_MS) {
    throw refuse("APPROVAL_LIFETIME", "An approval waits for the others for at most 15 minutes.");
  }
  const earlier = state.approvals[approver];
  if (earlier !== undefined && (state.openedAt !== null || earlier.expiresAt > now)) {
    throw refuse("EMERGENCY_APPROVED_ALREADY", "You have approved this already: another has to.", 409);
  }
  const approvals = { ...state.approvals, [approver]: approval };
  const enough = liveApprovals(approvals, now).length >= state.needed;
  return { ...state, approvals, openedAt: state.openedAt ?? (enough ? now : null) };
}

/**
 * The state after an approver changed their mind.
 * @throws MedcloudletError `EMERGENCY_ENDED`, `EMERGENCY_OPEN` once it is open, `APPROVAL_UNKNOWN`
 */
export function withdraw<A extends Approval>(
  state: EmergencyState<A>,
  approver: string,
  now: number,
): EmergencyState<A> {
  const phase = phaseOf(state, now);
  if (phase === "ended") {
    throw emergencyEnded();
  }
  if (phase === "open") {
    throw refuse("EMERGENCY_OPEN", "It is too late to withdraw: the keys may have been read already.", 409);
  }
  const { [approver]: own, ...approvals } = state.approvals;
  if (own === undefined) {
    throw refuse("APPROVAL_UNKNOWN", "You have not approved this emergency.", 404);
  }
  return { ...state, approvals };
}

/** The state after its patient or its requester ended it. @throws MedcloudletError `EMERGENCY_ENDED` */
export function end<A extends Approval>(state: EmergencyState<A>, now: number): EmergencyState<A> {
  if (phaseOf(state, now) === "ended") {
    throw emergencyEnded();
  }
  return { ...state, endedAt: now };
}

/**
 * The approvals whose shares may go to the requester now.
 * @throws MedcloudletError `EMERGENCY_ENDED`, `EMERGENCY_PENDING`
 */
export function releasable<A extends Approval>(
  state: EmergencyState<A>,
  now: number,
): (readonly [approver: string, approval: A])[] {
  const phase = phaseOf(state, now);
  if (phase === "ended") {
    throw emergencyEnded();
  }
  if (phase === "pending" || state.openedAt === null) {
    const live = liveApprovals(state.approvals, now).length;
    throw refuse(
      "EMERGENCY_PENDING",
      `${live} of ${state.needed} approvals are here: the patient's trustees have to approve.`,
    );
  }
  // One that had expired before enough were there stays worth nothing.
  return liveApprovals(state.approvals, state.openedAt);
}
