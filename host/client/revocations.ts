import { z } from "zod";
import { idSchema } from "../sealing/index.ts";

const epochNumber = z.number().int().positive();

/**
 * A revocation as its owner remembers it, so that a KDC that hides it cannot get a new epoch's key wrapped for the
 * reader, and so that what was cut off is taken up again.
 */
export const KEPT_REVOCATION = z.strictObject({
  consentId: idSchema,
  /** Of the consent: afterwards nobody needs to remember. */
  until: z.number().int(),
  statement: z.string(),
  /** The newest epoch of each region then: the reader may have its key, so a newer one has to begin. */
  epochs: z.strictObject({
    identity: epochNumber.optional(),
    profile: epochNumber.optional(),
    medical: epochNumber.optional(),
  }),
  /** Whether the KDC acknowledged it. */
  told: z.boolean(),
});
export type KeptRevocation = z.infer<typeof KEPT_REVOCATION>;

/** The owner's memory of revocations. `keep` writes it down, before anything is done about one. */
export interface RevocationMemory {
  readonly known: readonly KeptRevocation[];
  readonly keep: (revocations: readonly KeptRevocation[]) => Promise<void>;
}
