import {
  createEmergency,
  createEmergencyStaff,
  createHttpClient,
  createNoticeBoard,
  createReader,
  type Emergency,
  type EmergencyPlan,
  type EmergencyStaff,
  type NoticeBoard,
  personFingerprint,
  type Reader,
} from "../../host/client/index.ts";
import type { Patient, Person, System } from "./system.ts";

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
