import { type Bytes, fromBase64Url, MedcloudletError } from "../base/index.ts";
import {
  callReason,
  EMERGENCY_CALL,
  EMERGENCY_DUTY,
  EMERGENCY_REQUEST,
  type EmergencyRequest,
  ENROLMENT,
  fingerprint,
  identityKeys,
  verifyIdentity,
  verifyStatement,
} from "../sealing/index.ts";
import type { DirectoryEntry, KnownEmergency } from "./emergency-api.ts";

/** How far two clocks may differ. */
const SKEW_MS = 30_000;

export function invalidEmergency(why: string): MedcloudletError {
  return new MedcloudletError(
    "EMERGENCY_INVALID",
    `The KDC handed out an emergency that does not hold: ${why}.`,
    { status: 502 },
  );
}

/** What a request turned out to say, and by whom. */
export interface VerifiedRequest {
  readonly request: EmergencyRequest;
  readonly requesterFingerprint: string;
  readonly receivingKey: Bytes;
  /** The device that called; null where the requester asked. */
  readonly device: string | null;
}

/**
 * The signed request of an emergency and the keys of who signed it. The KDC is not believed: either the requester
 * signed the request, or the patient's own device signed a call, the patient the device, and the requester a shift that
 * the call falls into.
 * @param owner the patient as the same answer names them, where it does
 * @throws MedcloudletError `EMERGENCY_INVALID`, `STATEMENT_INVALID`
 */
export async function verifyRequest(
  emergency: KnownEmergency,
  owner?: DirectoryEntry,
): Promise<VerifiedRequest> {
  const { requester } = emergency;
  const keys = identityKeys(await verifyIdentity(requester.identity));
  const signer = { requesterFingerprint: fingerprint(keys), receivingKey: keys.receivingKey };
  if (emergency.call !== undefined) {
    return { ...signer, ...(await verifyCalled(emergency, emergency.call, keys.signingKey, owner)) };
  }
  const request = await verifyStatement(EMERGENCY_REQUEST, emergency.request, keys.signingKey);
  if (
    request.emergencyId !== emergency.emergencyId ||
    request.requester !== requester.accountId ||
    request.patient !== emergency.patient ||
    request.until !== emergency.until
  ) {
    throw invalidEmergency("the request is for something else");
  }
  return { ...signer, request, device: null };
}

async function verifyCalled(
  emergency: KnownEmergency,
  called: NonNullable<KnownEmergency["call"]>,
  requesterKey: Bytes,
  owner: DirectoryEntry = called.owner,
): Promise<{ request: EmergencyRequest; device: string }> {
  const { requester, emergencyId, until, patient } = emergency;
  const same =
    owner.accountId === called.owner.accountId &&
    owner.identity === called.owner.identity &&
    owner.handle === patient &&
    called.owner.handle === patient;
  if (!same) {
    throw invalidEmergency("the call is about another patient");
  }
  const ownerKey = identityKeys(await verifyIdentity(called.owner.identity)).signingKey;
  const enrolment = await verifyStatement(ENROLMENT, called.enrolment, ownerKey);
  const call = await verifyStatement(EMERGENCY_CALL, emergency.request, fromBase64Url(enrolment.signingKey));
  const duty = await verifyStatement(EMERGENCY_DUTY, called.duty, requesterKey);
  const fits =
    enrolment.owner === called.owner.accountId &&
    enrolment.deviceId === call.deviceId &&
    enrolment.until > call.at &&
    call.callId === emergencyId &&
    call.until === until &&
    callReason(call.cause) === emergency.reason;
  if (!fits) {
    throw invalidEmergency("the call is for something else");
  }
  // A call that found nobody opens once somebody is there: the shift has to cover when it opened, and that the call runs.
  const opened = emergency.requestedAt;
  if (
    duty.doctor !== requester.accountId ||
    opened > duty.until ||
    opened < duty.from - SKEW_MS ||
    opened < call.at - SKEW_MS ||
    opened > until
  ) {
    throw invalidEmergency("the doctor was not on duty");
  }
  const request: EmergencyRequest = {
    emergencyId,
    requester: requester.accountId,
    patient,
    reason: emergency.reason,
    requestedAt: opened,
    until,
  };
  return { request, device: call.deviceId };
}
