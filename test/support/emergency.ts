import {
  createEmergency,
  createEmergencyStaff,
  createHttpClient,
  createKdcClient,
  createNoticeBoard,
  createReader,
  type Emergency,
  type EmergencyPlan,
  type EmergencyStaff,
  type NoticeBoard,
  personFingerprint,
  type Reader,
} from "../../host/client/index.ts";
import { enrol } from "./authenticator.ts";
import { PASSWORD, type Patient, type Person, type System } from "./system.ts";

/** A doctor or security officer at work. */
export interface Staff extends Person {
  readonly handle: string;
  readonly fingerprint: string;
  readonly emergency: EmergencyStaff;
  readonly notices: NoticeBoard;
  readonly reader: Reader;
}

export async function staffOf(
  system: System,
  handle: string,
  role: "doctor" | "security-officer" = "doctor",
): Promise<Staff> {
  const { suite, clock } = system;
  const person = await system.person(role, handle);
  const { session, keys } = person;
  const http = createHttpClient({ clock });
  return {
    ...person,
    handle,
    fingerprint: personFingerprint(keys),
    emergency: createEmergencyStaff({ suite, clock, session, keys }),
    notices: createNoticeBoard(session),
    reader: createReader({ suite, clock, http, session, keys, cloudUrl: system.cloud.url }),
  };
}

/** A second account of somebody, with the same keys. */
export async function twinOf(system: System, original: Staff, handle: string): Promise<Staff> {
  const { suite, clock } = system;
  const { keys, session } = original;
  const { code } = await system.operator.session.invite("doctor");
  const kdc = createKdcClient({ http: createHttpClient({ clock }), url: system.kdc.url });
  await kdc.register({ invitation: code, handle, password: PASSWORD, identity: session.account.identity });
  const own = await kdc.login(handle, PASSWORD);
  await enrol(own, PASSWORD, clock);
  const emergency = createEmergencyStaff({ suite, clock, session: own, keys });
  return { ...original, handle, session: own, emergency, notices: createNoticeBoard(own) };
}

/** A patient's side of break-glass; what it keeps lies in `kept`. */
export function emergencyOf(
  system: System,
  { session, keys, owner }: Patient,
  plan: EmergencyPlan | null = null,
): { emergency: Emergency; kept: EmergencyPlan[] } {
  const kept: EmergencyPlan[] = [];
  const { suite, clock } = system;
  const keepPlan = async (next: EmergencyPlan) => {
    kept.push(next);
  };
  return { emergency: createEmergency({ suite, clock, session, keys, owner, plan, keepPlan }), kept };
}

export const asTrustees = (staff: readonly Staff[]) =>
  staff.map(({ handle, fingerprint }) => ({ handle, expectedFingerprint: fingerprint }));

export const REASON = "Found unconscious, no relative to be reached";
