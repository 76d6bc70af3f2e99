import type { IdsEvent } from "../scenarios/event.ts";

export type EventKind = IdsEvent["kind"];

/**
 * What a refusal's code means to the scenarios. A code that is not here is a plain `request` with its status. Codes that
 * honest clients meet every day (an expired ticket, a consent that ended, a list that is full) are left out on purpose.
 */
export const BY_CODE: Readonly<Record<string, EventKind>> = {
  // Somebody tries a password, a code or a recovery.
  LOGIN_FAILED: "login-failed",
  PASSWORD_WRONG: "login-failed",
  SECOND_FACTOR_INVALID: "login-failed",
  RECOVERY_REFUSED: "login-failed",
  // Somebody asks for what is not there.
  ACCOUNT_UNKNOWN: "lookup-missed",
  CLOUDLET_UNKNOWN: "lookup-missed",
  CONSENT_UNKNOWN: "lookup-missed",
  DEVICE_NOT_FOUND: "lookup-missed",
  DEVICE_UNKNOWN: "lookup-missed",
  EMERGENCY_UNKNOWN: "lookup-missed",
  EPOCH_UNKNOWN: "lookup-missed",
  FACTOR_RESET_UNKNOWN: "lookup-missed",
  GUARDIAN_UNKNOWN: "lookup-missed",
  IDS_DECISION_UNKNOWN: "lookup-missed",
  INVITATION_INVALID: "lookup-missed",
  RECORD_PART_MISSING: "lookup-missed",
  RECOVERY_REQUEST_UNKNOWN: "lookup-missed",
  SESSION_UNKNOWN: "lookup-missed",
  // A ticket or a proof is not what it should be.
  BATCH_DEVICE_MISMATCH: "ticket-refused",
  BATCH_STREAM_MISMATCH: "ticket-refused",
  DEVICE_KEY_MISMATCH: "ticket-refused",
  DEVICE_TICKET_INVALID: "ticket-refused",
  PROOF_INVALID: "ticket-refused",
  PROOF_KEY_MISMATCH: "ticket-refused",
  RECORD_PART_STREAM_MISMATCH: "ticket-refused",
  TICKET_HOLDER_MISMATCH: "ticket-refused",
  TICKET_INVALID: "ticket-refused",
  TICKET_MISSING: "ticket-refused",
  TICKET_SCOPE: "ticket-refused",
  TICKET_STREAM_MISMATCH: "ticket-refused",
  PROOF_REPLAYED: "ticket-replayed",
  // A device goes back to a number that it used with other contents.
  BATCH_SEQUENCE_REUSED: "sequence-refused",
  // Somebody known asks for what nobody let them have.
  CONSENT_MISSING: "consent-refused",
  CONSENT_OWNER_MISMATCH: "consent-refused",
  EMERGENCY_NOT_TRUSTEE: "consent-refused",
  EMERGENCY_NOT_YOURS: "consent-refused",
  NOT_PERMITTED: "consent-refused",
  STREAM_NOT_OWN: "consent-refused",
};

/** What an action that went well means. Whatever is not here is a plain `request`. */
export const BY_ACTION: Readonly<Record<string, EventKind>> = {
  "session.open": "login-ok",
  "batch.upload": "upload",
  "batch.forward": "upload",
  "batch.read": "record-read",
  "record.fetch": "record-read",
  "note.read": "record-read",
  "ticket.read": "record-read",
  "emergency.request": "emergency-opened",
};

/** Where the limits on tries stand in front of the password: who runs into them is trying still. */
const GUESSABLE = new Set(["session.open", "recovery.use", "account.password", "recovery.arm"]);

/** Which kind of event an answer is. */
export function kindOf(answer: {
  readonly action: string | null;
  readonly code: string | null;
  readonly status: number;
}): EventKind {
  const { action, code, status } = answer;
  if (code === null) {
    return (status < 400 && action !== null ? BY_ACTION[action] : undefined) ?? "request";
  }
  if (action === "emergency.request" && status < 500) {
    return "emergency-refused";
  }
  if (code === "RATE_LIMITED" && action !== null && GUESSABLE.has(action)) {
    return "login-failed";
  }
  return (Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined) ?? "request";
}
