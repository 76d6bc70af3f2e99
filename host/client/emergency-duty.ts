import { z } from "zod";
import type { Clock } from "../base/index.ts";
import { EMERGENCY_DUTY, signStatement } from "../sealing/index.ts";
import type { KdcSession } from "./kdc-client.ts";
import type { PersonKeys } from "./person-keys.ts";

const DUTY = z.object({ from: z.number(), until: z.number() });

/**
 * Goes on duty as a doctor: from now on wearables' calls may ask for the glass to be broken in one's name. Each call
 * replaces the shift before; zero minutes end it.
 * @returns the shift, ms since 1970 UTC
 */
export async function goOnDuty(options: {
  readonly session: KdcSession;
  readonly keys: PersonKeys;
  readonly clock: Clock;
  readonly minutes: number;
}): Promise<{ from: number; until: number }> {
  const { session, keys, clock, minutes } = options;
  const from = clock.now();
  const duty = { doctor: session.account.accountId, from, until: from + minutes * 60_000 };
  const statement = await signStatement(EMERGENCY_DUTY, duty, keys.signing);
  return session.call(DUTY, { method: "PUT", path: "/emergency-duty", json: { statement } });
}
