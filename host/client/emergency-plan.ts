import { z } from "zod";
import { idSchema } from "../sealing/index.ts";

/**
 * Whom a patient chose, as their own machine keeps it: the KDC could else bring back trustees of yesterday when the
 * next epoch is shared.
 */
export const EMERGENCY_PLAN = z.strictObject({
  setId: idSchema,
  threshold: z.number().int(),
  trustees: z.array(z.strictObject({ handle: z.string(), accountId: idSchema, fingerprint: z.string() })),
  /** ms since 1970 UTC. */
  createdAt: z.number().int(),
});
export type EmergencyPlan = z.infer<typeof EMERGENCY_PLAN>;
