import { z } from "zod";
import { idSchema, reasonSchema } from "../sealing/index.ts";
import { handleSchema } from "./known-account.ts";

/** Strict: handles, reasons and the like are shown on terminals, and the KDC is not believed. */
const timeSchema = z.number().int().nonnegative();

export const DIRECTORY_ENTRY = z.object({
  accountId: idSchema,
  handle: handleSchema,
  role: z.string().regex(/^[a-z-]{1,40}$/),
  identity: z.string(),
});
export type DirectoryEntry = z.infer<typeof DIRECTORY_ENTRY>;

/** An emergency as the KDC tells of it. */
export const EMERGENCY = z.object({
  emergencyId: idSchema,
  phase: z.enum(["pending", "open", "ended"]),
  patient: handleSchema,
  requester: DIRECTORY_ENTRY,
  /** The requester's signed request; of one that a wearable called, the device's signed call. */
  request: z.string(),
  /** Only where a wearable called: the patient, who signed the device's enrolment, and the doctor's signed shift. */
  call: z.object({ owner: DIRECTORY_ENTRY, enrolment: z.string(), duty: z.string() }).optional(),
  reason: reasonSchema,
  /** The epochs it opens, newest first. */
  epochIds: z.array(idSchema),
  trustees: z.number().int(),
  needed: z.number().int(),
  requestedAt: timeSchema,
  until: timeSchema,
  openedAt: timeSchema.nullable(),
  endedAt: timeSchema.nullable(),
  approvers: z.array(
    z.object({ accountId: idSchema, handle: handleSchema, approvedAt: timeSchema, expiresAt: timeSchema }),
  ),
});
export type KnownEmergency = z.infer<typeof EMERGENCY>;

export const EMERGENCIES = z.object({ emergencies: z.array(EMERGENCY) });
export const SHARE_SETS = z.object({
  sets: z.array(z.object({ epochId: idSchema, setId: idSchema, createdAt: timeSchema })),
});
export const TRUSTEE_SHARES = z.object({
  emergency: EMERGENCY,
  owner: DIRECTORY_ENTRY,
  shares: z.array(z.string()),
});
export const RELEASED_KEYS = z.object({
  emergency: EMERGENCY,
  owner: DIRECTORY_ENTRY,
  epochs: z.array(z.string()),
  devices: z.array(z.string()),
  deviceRevocations: z.array(z.string()),
  approvals: z.array(
    z.object({ approver: DIRECTORY_ENTRY, approval: z.string(), shares: z.array(z.string()) }),
  ),
});
/** What the KDC releases of an open emergency; every string in it is a statement still to be verified. */
export type UnverifiedRelease = z.infer<typeof RELEASED_KEYS>;
