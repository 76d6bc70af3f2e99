import { z } from "zod";

/**
 * Why glass is broken, in the requester's words. No control and no formatting characters: it is shown on the
 * terminals of the patient and of the trustees.
 */
export const reasonSchema = z
  .string()
  .min(10, "a reason has at least 10 characters")
  .max(500, "a reason has at most 500 characters")
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]*$/u, "a reason is one line of plain text")
  .refine((text) => text.trim() === text, "a reason begins and ends with a word");
