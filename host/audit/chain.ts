import { sha256 } from "@noble/hashes/sha2.js";
import { z } from "zod";
import { concatBytes, fromHex, MedcloudletError, toHex, utf8 } from "../base/index.ts";
import { digestSchema, idSchema } from "../sealing/index.ts";
import { canonicalJson } from "./canonical.ts";

const ENTRY_LABEL = utf8("medcloudlet audit entry v1");
const LOG_LABEL = utf8("medcloudlet audit log v1");

const MAX_DETAILS = 16;
/** The longest that somebody can say is why they break glass (`reasonSchema`): it must fit, for it is done by then. */
const MAX_DETAIL_LENGTH = 500;

/** Lower-case words joined by hyphens; several joined by dots name an action. */
const ACTION = /^[a-z][a-z0-9]*(-[a-z0-9]+)*(\.[a-z][a-z0-9]*(-[a-z0-9]+)*)*$/;

const wellFormed = (value: string) => !/\p{Surrogate}/u.test(value);
const detailNameSchema = z
  .string()
  .regex(/^[a-z][A-Za-z0-9]{0,31}$/)
  // The store refuses names that JavaScript gives to every object.
  .refine((name) => !(name in Object.prototype), "this name is reserved");
const detailSchema = z.union([
  z.string().max(MAX_DETAIL_LENGTH).refine(wellFormed, "not well-formed Unicode"),
  z.number(),
]);

const eventShape = {
  /** What was done or tried, such as `consent.give`, `ticket.read` or `login`. */
  action: z.string().max(64).regex(ACTION),
  /** Who: the id of an account or device; null for strangers and for the service itself. */
  actor: idSchema.nullable(),
  /** As what: `patient`, `doctor`, `device`, `service`, …; null for strangers. */
  actorRole: z
    .string()
    .max(32)
    .regex(/^[a-z]+(-[a-z]+)*$/)
    .nullable(),
  /** The patient concerned, who may read this entry; null when it concerns none. */
  owner: idSchema.nullable(),
  /** The id of what it was done to: a consent, a stream, an epoch, an account. */
  object: idSchema.nullable(),
  outcome: z.enum(["success", "refused"]),
  /** Why it was refused: an error's code; null on success. */
  code: z
    .string()
    .max(64)
    .regex(/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/)
    .nullable(),
  requestId: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/)
    .nullable(),
  /** A few short words more. Never a secret, a name or a reading: the log is kept for ever and read by others. */
  details: z
    .record(detailNameSchema, detailSchema)
    .refine((details) => Object.keys(details).length <= MAX_DETAILS, `at most ${MAX_DETAILS} details`),
};

const hasCodeIfRefused = (event: { outcome: string; code: string | null }) =>
  (event.outcome === "refused") === (event.code !== null);
const CODE_RULE = "a refusal has a code and a success has none";

const EVENT = z.strictObject(eventShape).refine(hasCodeIfRefused, CODE_RULE);
const ENTRY = z
  .strictObject({
    ...eventShape,
    /** Counts up from 1 without a gap. */
    sequence: z.number().int().positive(),
    /** What the KDC's clock said, in milliseconds. Order is the chain's: a clock may be set back. */
    at: z.number().int().nonnegative(),
    previous: digestSchema,
    hash: digestSchema,
  })
  .refine(hasCodeIfRefused, CODE_RULE);

/** Something that happened and that the log shall keep. */
export type AuditEvent = z.infer<typeof EVENT>;
/** An event in its place in the chain. */
export type AuditEntry = z.infer<typeof ENTRY>;
/** The end of a chain: the sequence number and hash of its last entry; sequence 0 before the first. */
export interface ChainEnd {
  readonly sequence: number;
  readonly hash: string;
}

/**
 * Checks an event before it is written for ever.
 * @throws MedcloudletError `AUDIT_EVENT_INVALID` (500: the caller is our own code)
 */
export function parseEvent(event: unknown): AuditEvent {
  const parsed = EVENT.safeParse(event);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new MedcloudletError(
      "AUDIT_EVENT_INVALID",
      `An audit event is not of the agreed form: ${issue?.path.join(".") || "event"}: ${issue?.message}.`,
      { cause: parsed.error },
    );
  }
  return parsed.data;
}

/** An entry from outside, by its form alone; `null` when it has another. `entryHash` says whether it is whole. */
export function parseEntry(entry: unknown): AuditEntry | null {
  const parsed = ENTRY.safeParse(entry);
  return parsed.success ? parsed.data : null;
}

/** Where the chain of a log begins: bound to the log's id, so that no entry of another log fits. */
export function chainStart(log: string): ChainEnd {
  return { sequence: 0, hash: toHex(sha256(concatBytes(LOG_LABEL, fromHex(log)))) };
}

/** SHA-256("medcloudlet audit entry v1" | previous, 32 bytes | RFC 8785 JSON of all but previous and hash), in hex. */
export function entryHash(entry: Omit<AuditEntry, "hash">): string {
  const { previous, hash: _, ...rest } = entry as AuditEntry;
  return toHex(sha256(concatBytes(ENTRY_LABEL, fromHex(previous), utf8(canonicalJson(rest)))));
}

/** The entry that an event becomes behind `end`. `at` is in milliseconds. */
export function chainEntry(end: ChainEnd, event: AuditEvent, at: number): AuditEntry {
  const unhashed = { ...event, sequence: end.sequence + 1, at, previous: end.hash };
  return { ...unhashed, hash: entryHash(unhashed) };
}
