import { z } from "zod";

/**
 * Something that happened, from live traffic or from a log. Subjects are pseudonyms (keyed hashes made by the caller);
 * no scenario needs to know who they are.
 */
export const eventSchema = z.strictObject({
  /** Milliseconds since 1970-01-01 UTC: the only clock that scenarios know. */
  at: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  kind: z.enum([
    "request",
    "login-failed",
    "login-ok",
    "lookup-missed",
    "ticket-refused",
    "ticket-replayed",
    "upload",
    "sequence-refused",
    "consent-refused",
    "record-read",
    "emergency-opened",
    "emergency-refused",
    "attack-found",
  ]),
  /** Where it came from: a pseudonym of the address. */
  source: z.string().max(128),
  /** Who acted, if known. */
  account: z.string().max(128).optional(),
  device: z.string().max(128).optional(),
  /** Where it arrived: the cloudlet. */
  site: z.string().max(128).optional(),
  /** What it was about: a patient, a stream, an account that was asked for, a ticket. */
  target: z.string().max(128).optional(),
  /** Status of the answer. */
  status: z.number().int().min(100).max(599).optional(),
  route: z.string().max(256).optional(),
  /** How many of it: readings in a batch, say. */
  amount: z.number().min(0).max(1e9).optional(),
});

export type IdsEvent = z.output<typeof eventSchema>;
export type EventField = "source" | "account" | "device" | "site" | "target" | "route";
