import { sha256 } from "@noble/hashes/sha2.js";
import { z } from "zod";
import { type Bytes, toHex } from "../../base/index.ts";
import { bytesSchema, digestSchema, idSchema, signingKeySchema, timeSchema } from "../../sealing/index.ts";
import { ATTESTED_LIST_BYTES } from "../../trust/index.ts";

/** Helpers that one call takes. Each of them sees frames: more than it needs to get through are too many. */
export const HELPERS_MOST = 16;

/** "I offer to relay for this call, and this is my side of the comparison." Signed by the credential's key. */
export const HELPER_ANSWER = {
  typ: "medcloudlet-helper-answer",
  schema: z.strictObject({
    callId: idSchema,
    community: idSchema,
    pseudonym: idSchema,
    /** The call's points under the helper's secret: {@link ATTESTED_LIST_BYTES} bytes. */
    answer: bytesSchema(ATTESTED_LIST_BYTES),
    at: timeSchema,
  }),
};
export type HelperAnswer = z.infer<typeof HELPER_ANSWER.schema>;

/** "These may relay for my call." All of them so far, signed by the device; a later word replaces an earlier one. */
export const HELPER_CHOICE = {
  typ: "medcloudlet-helper-choice",
  schema: z.strictObject({
    callId: idSchema,
    deviceId: idSchema,
    /** Counts up from 1. */
    version: z.number().int().positive(),
    /** Keys of the credentials that qualified. */
    helpers: z.array(signingKeySchema).max(HELPERS_MOST),
    at: timeSchema,
    /** True: the call is over. */
    ended: z.boolean(),
  }),
};
export type HelperChoice = z.infer<typeof HELPER_CHOICE.schema>;

/**
 * "The holder of this key may bring you this one batch, which I took in then." Signed by the cloudlet. It gives nothing
 * of the cloudlet's own rights: no other batch, no other key, no other time.
 */
export const FORWARD_PERMIT = {
  typ: "medcloudlet-forward-permit",
  schema: z.strictObject({
    permitId: idSchema,
    cloudlet: idSchema,
    /** The cloudlet's key, whose thumbprint its forward ticket names. */
    cloudletKey: signingKeySchema,
    /** The helper's key. */
    helper: signingKeySchema,
    /** SHA-256 of the sealed batch. */
    batch: digestSchema,
    receivedAt: timeSchema,
    at: timeSchema,
    until: timeSchema,
  }),
};
export type ForwardPermit = z.infer<typeof FORWARD_PERMIT.schema>;

/** "I have this batch." Signed by the cloud, so that it may come back by any way. */
export const ACKNOWLEDGEMENT = {
  typ: "medcloudlet-acknowledgement",
  schema: z.strictObject({
    deviceId: idSchema,
    sequence: z.number().int().nonnegative(),
    digest: digestSchema,
    /** Whose permit it came with. */
    cloudlet: idSchema,
    at: timeSchema,
  }),
};
export type Acknowledgement = z.infer<typeof ACKNOWLEDGEMENT.schema>;

/** SHA-256 as hex: of the points that a call asks with. */
export function requestDigest(request: Bytes): string {
  return toHex(sha256(request));
}
