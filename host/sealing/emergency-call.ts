import { z } from "zod";
import { digestSchema, idSchema, timeSchema } from "./statements.ts";

/** Longest shift of a doctor on call, in milliseconds. */
export const LONGEST_DUTY_MS = 24 * 60 * 60 * 1000;

/**
 * "My wearer is in an emergency." Signed by the device. One statement for all: a cloudlet gathers helpers by it, a
 * helper believes it, the KDC opens a request by it; nobody in between can make one up.
 */
export const EMERGENCY_CALL = {
  typ: "medcloudlet-emergency-call",
  schema: z
    .strictObject({
      /** The call's id; an emergency that the KDC opens by it has the same. */
      callId: idSchema,
      deviceId: idSchema,
      cause: z.enum(["news2", "fall"]),
      /** SHA-256 of the 1024 bytes by which helpers are compared; null for a call that looks for none. */
      request: digestSchema.nullable(),
      at: timeSchema,
      until: timeSchema,
    })
    .refine(({ at, until }) => until > at, "until must lie after at"),
};
export type EmergencyCall = z.infer<typeof EMERGENCY_CALL.schema>;

/** "That is how my call went so far." Signed by the device. */
export const EMERGENCY_CALL_REPORT = {
  typ: "medcloudlet-emergency-call-report",
  schema: z.strictObject({
    callId: idSchema,
    deviceId: idSchema,
    /** Helpers who qualified so far. */
    helpers: z.number().int().min(0).max(1000),
    /** True once the device thinks the emergency over. */
    ended: z.boolean(),
    at: timeSchema,
  }),
};
export type EmergencyCallReport = z.infer<typeof EMERGENCY_CALL_REPORT.schema>;

/**
 * "In this time I take emergency calls: ask for the glass to be broken in my name." Signed by a doctor. It opens nothing:
 * a patient's trustees approve each emergency as if the doctor had asked.
 */
export const EMERGENCY_DUTY = {
  typ: "medcloudlet-emergency-duty",
  schema: z
    .strictObject({ doctor: idSchema, from: timeSchema, until: timeSchema })
    .refine(({ from, until }) => until >= from, "until must not lie before from")
    .refine(({ from, until }) => until - from <= LONGEST_DUTY_MS, "nobody is on duty for more than 24 hours"),
};
export type EmergencyDuty = z.infer<typeof EMERGENCY_DUTY.schema>;

/** The reason of a request that a device's call opens; everybody makes the same words of the same cause. */
export function callReason(cause: EmergencyCall["cause"]): string {
  return cause === "fall"
    ? "Called by the wearable: its wearer fell"
    : "Called by the wearable: NEWS2 of 7 or more";
}
