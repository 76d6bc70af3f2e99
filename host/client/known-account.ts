import { z } from "zod";
import { idSchema } from "../sealing/index.ts";

/** An account as the KDC tells of it; its identity is a statement still to be verified. */
export const ACCOUNT = z.object({
  accountId: idSchema,
  handle: z.string(),
  role: z.string(),
  identity: z.string(),
});
export type KnownAccount = z.infer<typeof ACCOUNT>;
