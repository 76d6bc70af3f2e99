import { EMERGENCIES, EMERGENCY, type KnownEmergency } from "./emergency-api.ts";
import type { KdcSession } from "./kdc-client.ts";

/** How a security officer watches over break-glass: by ending, never by opening. */
export interface EmergencyOfficer {
  /** All that wait or are open now, as the KDC tells of them; those that end first come first. */
  running(): Promise<KnownEmergency[]>;
  /**
   * Ends one: no key and no ticket leaves after this fulfils. The patient and the requester are told by whom and why.
   * `reason`: 10 to 500 characters in one line.
   * @throws MedcloudletError `EMERGENCY_UNKNOWN`, `EMERGENCY_ENDED`
   */
  stop(emergencyId: string, reason: string): Promise<KnownEmergency>;
}

export function createEmergencyOfficer({ call }: Pick<KdcSession, "call">): EmergencyOfficer {
  return {
    running: async () =>
      (await call(EMERGENCIES, { method: "GET", path: "/emergencies/running" })).emergencies,
    stop: (emergencyId, reason) =>
      call(EMERGENCY, { method: "POST", path: `/emergencies/${emergencyId}/stop`, json: { reason } }),
  };
}
