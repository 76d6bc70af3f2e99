import { sha256 } from "@noble/hashes/sha2.js";
import { z } from "zod";
import { type Bytes, concatBytes, fromBase64Url, toHex, utf8 } from "../base/index.ts";
import {
  bytesSchema,
  digestSchema,
  idSchema,
  type StatementKind,
  signingKeySchema,
  unverifiedPayload,
  verifyStatement,
} from "../sealing/index.ts";
import { MODERATORS_MOST } from "./envelope.ts";

const timeSchema = z.number().int().nonnegative();
const receivingKeySchema = bytesSchema(962);

/** Text in one line, trimmed, without control or formatting characters. */
const lineSchema = (least: number, most: number) =>
  z
    .string()
    .min(least)
    .max(most)
    .regex(/^\S(.*\S)?$/u, "expected one line without spaces around it")
    .refine((text) => !/[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u.test(text), "expected no control characters");

/** Ids in a list, each once. */
const distinct = (list: readonly { readonly id: string }[]) =>
  new Set(list.map(({ id }) => id)).size === list.length;

/**
 * What a community is: which hospitals admit members, who moderates, what newcomers may be asked. Signed by the
 * founder's key, which its operator makes for this community alone. The community's id is made from that key
 * ({@link communityIdOf}), so that a relay which swaps the document gives another community than the one in the member's
 * credential. A revision has the next version; a client keeps the newest it saw and takes no older one.
 */
export const COMMUNITY = {
  typ: "medcloudlet-community",
  schema: z
    .strictObject({
      community: idSchema,
      /** Counts up from 1. */
      version: z.number().int().positive(),
      title: lineSchema(3, 80),
      /** The key that this and every revision are signed with. */
      founder: signingKeySchema,
      /** Hospitals that admit members: doctors whose keys the operator compared. */
      issuers: z
        .array(z.strictObject({ id: idSchema, signingKey: signingKeySchema }))
        .min(1)
        .max(32),
      /** Accounts with the role moderator, and what reports are sealed to. */
      moderators: z
        .array(
          z.strictObject({ id: idSchema, signingKey: signingKeySchema, receivingKey: receivingKeySchema }),
        )
        .min(1)
        .max(MODERATORS_MOST),
      /** Asked by their index in an opening, so that nothing of the asker's is shared. Revisions may only add to them. */
      openingQuestions: z.array(lineSchema(10, 300)).min(1).max(64),
      at: timeSchema,
    })
    .refine(({ issuers }) => distinct(issuers), "an issuer comes twice")
    .refine(({ moderators }) => distinct(moderators), "a moderator comes twice"),
};
export type Community = z.infer<typeof COMMUNITY.schema>;

/** The first 16 bytes of SHA-256("medcloudlet community v1" | founder's signing key), in hex. */
export function communityIdOf(founder: Bytes): string {
  return toHex(sha256(concatBytes(utf8("medcloudlet community v1"), founder)).subarray(0, 16));
}

/** "Seal to this key what is for me." Signed by the credential's key. */
export const MEMBER_KEY = {
  typ: "medcloudlet-member-key",
  schema: z.strictObject({
    community: idSchema,
    pseudonym: idSchema,
    suite: z.literal(1),
    receivingKey: receivingKeySchema,
    at: timeSchema,
  }),
};
export type MemberKey = z.infer<typeof MEMBER_KEY.schema>;

/** One message of private similarity. Signed by the sender's credential key, so that the relay can play nobody. */
export const SIMILARITY_MESSAGE = {
  typ: "medcloudlet-similarity-message",
  schema: z
    .strictObject({
      community: idSchema,
      run: idSchema,
      from: idSchema,
      to: idSchema,
      kind: z.enum(["request", "reply", "confirmation"]),
      /** The bytes of `host/trust`, similarity-messages. */
      message: bytesSchema(1, 3_095),
      at: timeSchema,
    })
    .refine(({ from, to }) => from !== to, "nobody compares with themselves"),
};
export type SimilarityStatement = z.infer<typeof SIMILARITY_MESSAGE.schema>;

/** "I agree to exchange with them until then", or with `agreed` false: no longer. Signed by `from`'s credential key. */
export const AGREEMENT = {
  typ: "medcloudlet-agreement",
  schema: z
    .strictObject({
      community: idSchema,
      from: idSchema,
      to: idSchema,
      agreed: z.boolean(),
      /** End of the agreement; of a withdrawal its own time. */
      until: timeSchema,
      /** Of two statements the later counts. */
      at: timeSchema,
    })
    .refine(({ from, to }) => from !== to, "nobody agrees with themselves")
    .refine(
      ({ agreed, until, at }) => (agreed ? until > at : until === at),
      "an agreement ends after it was signed, and a withdrawal has the same until as at",
    ),
};
export type Agreement = z.infer<typeof AGREEMENT.schema>;

/**
 * "These sealed bytes are from me to them." Signed by the sender's credential key. `commitment` is the franking
 * commitment: whoever shows plaintext and franking key shows what the sender wrote (Grubbs, Lu and Ristenpart, CRYPTO
 * 2017), and nobody can show anything else, for HMAC-SHA-256 under a key of 32 bytes is collision resistant.
 */
export const COMMUNITY_MESSAGE = {
  typ: "medcloudlet-community-message",
  schema: z
    .strictObject({
      community: idSchema,
      exchange: idSchema,
      from: idSchema,
      to: idSchema,
      kind: z.enum(["question", "answer"]),
      /** SHA-256 of the sealed bytes, hex. */
      sealed: digestSchema,
      /** HMAC-SHA-256 of the plaintext's body under the franking key inside it. */
      commitment: bytesSchema(32),
      at: timeSchema,
    })
    .refine(({ from, to }) => from !== to, "nobody writes to themselves"),
};
export type CommunityMessage = z.infer<typeof COMMUNITY_MESSAGE.schema>;

/** A question from the community's own list, by its index: it holds no word of the asker's. */
export const OPENING = {
  typ: "medcloudlet-opening-question",
  schema: z
    .strictObject({
      community: idSchema,
      exchange: idSchema,
      from: idSchema,
      to: idSchema,
      /** Index into `openingQuestions`, which only ever grow, so that it means the same in every version. */
      question: z.number().int().nonnegative(),
      at: timeSchema,
    })
    .refine(({ from, to }) => from !== to, "nobody writes to themselves"),
};
export type Opening = z.infer<typeof OPENING.schema>;

const sealedToModerators = z
  .array(z.strictObject({ moderator: idSchema, sealed: digestSchema }))
  .min(1)
  .max(MODERATORS_MOST)
  .refine(
    (list) => new Set(list.map(({ moderator }) => moderator)).size === list.length,
    "a moderator comes twice",
  );

/** "Look at this message that was sent to me." Signed by the receiver's credential key. */
export const REPORT = {
  typ: "medcloudlet-report",
  schema: z.strictObject({
    community: idSchema,
    report: idSchema,
    exchange: idSchema,
    message: z.enum(["question", "answer"]),
    reporter: idSchema,
    /** SHA-256 of what is sealed to each moderator: body, franking key, the sender's statement. */
    sealed: sealedToModerators,
    at: timeSchema,
  }),
};
export type Report = z.infer<typeof REPORT.schema>;

/** Why a moderator acted. A code, since the relay reads it; words go into the sealed note. */
export const MODERATION_REASONS = [
  "harmful-advice",
  "abuse",
  "false-information",
  "identity-revealed",
  "advertising",
  "not-verified",
  "no-violation",
  "appeal-granted",
  "other",
] as const;

/** What a moderator did. Signed by the moderator's account key, which the community document names. */
export const MODERATION = {
  typ: "medcloudlet-moderation",
  schema: z
    .strictObject({
      community: idSchema,
      report: idSchema,
      moderator: idSchema,
      /** Who wrote the reported message. */
      member: idSchema,
      action: z.enum(["dismiss", "warn", "remove", "suspend", "lift"]),
      /** End of a suspension; null for everything else. */
      until: timeSchema.nullable(),
      reason: z.enum(MODERATION_REASONS),
      /** SHA-256 of a note sealed to the member; null without one. */
      note: digestSchema.nullable(),
      at: timeSchema,
    })
    .refine(
      ({ action, until, at }) => (action === "suspend" ? until !== null && until > at : until === null),
      "a suspension needs an end, and nothing else has one",
    ),
};
export type Moderation = z.infer<typeof MODERATION.schema>;

/** "Look again." Signed by the credential key of the member who was acted upon. */
export const APPEAL = {
  typ: "medcloudlet-appeal",
  schema: z.strictObject({
    community: idSchema,
    report: idSchema,
    from: idSchema,
    sealed: sealedToModerators,
    at: timeSchema,
  }),
};
export type Appeal = z.infer<typeof APPEAL.schema>;

/**
 * Checks a community document: signed by the founder it names, whose key makes the id.
 * @throws MedcloudletError `STATEMENT_INVALID` (400)
 */
export async function verifyCommunity(statement: string): Promise<Community> {
  const kind: StatementKind<Community> = {
    typ: COMMUNITY.typ,
    schema: COMMUNITY.schema.refine(
      ({ community, founder }) => communityIdOf(fromBase64Url(founder)) === community,
      "the id does not belong to the founder's key",
    ),
  };
  const { founder } = unverifiedPayload(kind, statement);
  return verifyStatement(kind, statement, fromBase64Url(founder));
}

/**
 * What a receipt's `question` must be: SHA-256 of the asker's statement (COMMUNITY_MESSAGE or OPENING) as it stands, in
 * hex. Through it the receipt belongs to one sealed message and one commitment.
 */
export function statementDigest(statement: string): string {
  return toHex(sha256(utf8(statement)));
}
