import { z } from "zod";
import { idSchema } from "../sealing/index.ts";

/** As the KDC gives them; strict, for handles in cards and answers are other people's words, shown on terminals. */
export const handleSchema = z.string().regex(/^[a-z][a-z0-9-]{2,39}$/);

/** An account as the KDC tells of it; its identity is a statement still to be verified. */
export const ACCOUNT = z.object({
  accountId: idSchema,
  handle: z.string(),
  role: z.string(),
  identity: z.string(),
});
export type KnownAccount = z.infer<typeof ACCOUNT>;
