import { z } from "zod";
import { bytesSchema, digestSchema, idSchema } from "./statements.ts";

const ENC_BYTES = 962;
/** A share with its threshold and commitment, and the AEAD's tag. */
const SEALED_SHARE_BYTES = 55 + 16;
const timeSchema = z.number().int().nonnegative();

export const MOST_GUARDIANS = 8;

/** "Any so many of these people together can give my recovery code back." Signed by the owner. */
export const GUARDIANS = {
  typ: "medcloudlet-guardians",
  schema: z
    .strictObject({
      setId: idSchema,
      owner: idSchema,
      threshold: z.number().int().min(2).max(MOST_GUARDIANS),
      guardians: z
        .array(
          z.strictObject({
            guardian: idSchema,
            /** Fingerprint of the guardian's identity that the owner compared. */
            fingerprint: digestSchema,
            /** This guardian's share, sealed to the guardian's receiving key. */
            enc: bytesSchema(ENC_BYTES),
            ciphertext: bytesSchema(SEALED_SHARE_BYTES),
          }),
        )
        .min(2)
        .max(MOST_GUARDIANS),
      createdAt: timeSchema,
    })
    .refine(({ threshold, guardians }) => threshold <= guardians.length, "more are needed than there are")
    .refine(
      ({ guardians }) => new Set(guardians.map(({ guardian }) => guardian)).size === guardians.length,
      "a guardian is named twice",
    ),
};
export type Guardians = z.infer<typeof GUARDIANS.schema>;

/** "I give my share of this owner's code to the key with this fingerprint." Signed by the guardian. */
export const GUARDIAN_SHARE = {
  typ: "medcloudlet-guardian-share",
  schema: z.strictObject({
    requestId: idSchema,
    setId: idSchema,
    owner: idSchema,
    guardian: idSchema,
    /** The requester's temporary identity, as the guardian compared it with the person. */
    requesterFingerprint: digestSchema,
    enc: bytesSchema(ENC_BYTES),
    ciphertext: bytesSchema(SEALED_SHARE_BYTES),
    createdAt: timeSchema,
  }),
};
export type GuardianShare = z.infer<typeof GUARDIAN_SHARE.schema>;
