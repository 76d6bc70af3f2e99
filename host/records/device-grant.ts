import { type Clock, isMedcloudletError, MedcloudletError } from "../base/index.ts";
import type { Grant, TicketVerifier } from "../identity/index.ts";

/** A batch may have waited this long in a cloudlet; its device's ticket is judged as of then. */
const LONGEST_WAIT_MS = 7 * 24 * 60 * 60 * 1000;
const CLOCK_SKEW_MS = 30_000;

/**
 * The device's grant at the moment a cloudlet took its batch in (ms since 1970 UTC).
 * @throws MedcloudletError `RECEIVED_AT_INVALID` (400), `DEVICE_TICKET_INVALID` (403), `DEVICE_TICKET_UNVERIFIED` (503)
 */
export type DeviceGrants = (ticket: string | undefined, receivedAt: number) => Promise<Grant<"upload">>;

export function createDeviceGrants(rooms: {
  readonly tickets: TicketVerifier;
  readonly clock: Clock;
}): DeviceGrants {
  const { tickets, clock } = rooms;
  return async (ticket, receivedAt) => {
    const now = clock.now();
    if (receivedAt > now + CLOCK_SKEW_MS || receivedAt < now - LONGEST_WAIT_MS) {
      throw new MedcloudletError(
        "RECEIVED_AT_INVALID",
        "Received-At must be ms since 1970, of the last seven days.",
        { status: 400 },
      );
    }
    try {
      return await tickets.verify(ticket ?? "", "upload", receivedAt);
    } catch (cause) {
      if (isMedcloudletError(cause, "TICKET_KEY_UNKNOWN")) {
        // After a change of the KDC's key the device may have a newer ticket than the keys here: that is not for good.
        throw new MedcloudletError(
          "DEVICE_TICKET_UNVERIFIED",
          "The key of the device's ticket is not known here yet: try again later.",
          { status: 503, cause, details: { retryAfterSeconds: 30 } },
        );
      }
      throw new MedcloudletError(
        "DEVICE_TICKET_INVALID",
        "The batch comes without a ticket that was valid when the cloudlet received it.",
        { status: 403, cause },
      );
    }
  };
}
