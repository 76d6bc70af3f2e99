import { z } from "zod";
import { idSchema, signingKeySchema } from "../../sealing/index.ts";
import { eventSchema } from "../scenarios/event.ts";
import type { Consequences, Observation } from "./contract.ts";
import { engineSettingsSchema } from "./settings.ts";

const timeSchema = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/** Members that one mesh may have. */
export const MOST_MEMBERS = 64;

const name = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[a-z0-9][a-z0-9.-]*$/, "expected up to 64 of a-z, 0-9, dot and hyphen");
const pseudonym = z.string().max(128);
const kind = z.enum(["source", "account", "device"]);
const share = z.number().min(0).max(1);
const hash = z.string().regex(/^[0-9a-f]{64}$/);

/** A member of the mesh. */
export const memberSchema = z.strictObject({
  id: name,
  operator: name,
  url: z.url({ protocol: /^https?$/ }).max(256),
  signingKey: signingKeySchema,
});

/** What one member tells the others; nothing in it has room for an address or a name. */
export const sharedAlertSchema = z
  .strictObject({
    id: idSchema,
    member: name,
    epoch: z.number().int().min(0).max(1_000_000),
    subject: z.strictObject({ kind, shared: z.string().regex(/^[A-Za-z0-9_-]{22}$/) }),
    rule: z
      .string()
      .max(64)
      .regex(/^[a-z0-9-]+$/),
    ruleHash: hash,
    score: share,
    count: z.number().min(0).max(1e9),
    from: timeSchema,
    to: timeSchema,
  })
  .refine(({ from, to }) => from <= to, "from must not lie after to");

const subjectSchema = z.strictObject({ kind, local: pseudonym, shared: pseudonym });
const pseudonyms = z.strictObject({
  source: pseudonym.optional(),
  account: pseudonym.optional(),
  device: pseudonym.optional(),
});
const evidence = z
  .array(
    z.strictObject({ rule: z.string().max(64), place: z.string().max(64), name: z.string().max(20_000) }),
  )
  .max(64);

/** An observation as it stands in a log. */
export const observationSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("settings"), at: timeSchema, settings: engineSettingsSchema }),
  z.strictObject({
    kind: z.literal("roster"),
    at: timeSchema,
    self: z.string().max(64),
    members: z.array(memberSchema).max(MOST_MEMBERS),
  }),
  z.strictObject({
    kind: z.literal("event"),
    at: timeSchema,
    event: eventSchema,
    shared: pseudonyms,
    sharedBefore: pseudonyms.optional(),
    score: share.optional(),
    evidence: evidence.optional(),
  }),
  z.strictObject({ kind: z.literal("heard"), at: timeSchema, alert: sharedAlertSchema }),
  z.strictObject({
    kind: z.literal("ruling"),
    at: timeSchema,
    ruling: z.strictObject({
      decision: idSchema,
      ruling: z.enum(["lift", "confirm"]),
      by: z.string().max(128),
      reason: z.string().max(2000),
    }),
  }),
  z.strictObject({ kind: z.literal("exempt"), at: timeSchema, subject: subjectSchema, until: timeSchema }),
]) as unknown as z.ZodType<Observation>;

/** What followed, as it stands in a log: compared as text with what follows in a replay, so its form is not asked for. */
export const followedSchema = z.strictObject({
  alerts: z.array(z.record(z.string(), z.unknown())),
  share: z.array(z.record(z.string(), z.unknown())),
  decisions: z.array(z.record(z.string(), z.unknown())),
  ended: z.array(z.string()),
}) as unknown as z.ZodType<Consequences>;
