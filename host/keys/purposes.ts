import type { Role } from "../identity/index.ts";
import type { Consent } from "../sealing/index.ts";

/** Whom a consent may name for which purpose: treatment is a doctor's, research a researcher's, self-care a peer's. */
export const READERS_BY_PURPOSE: Readonly<Record<Consent["purpose"], readonly Role[]>> = {
  treatment: ["doctor"],
  research: ["researcher"],
  "self-care": ["patient"],
};
