import { z } from "zod";
import { toBase64Url } from "../../base/index.ts";
import { bytesSchema, idSchema } from "../../sealing/index.ts";
import type { IdentitySecrets } from "../person-keys.ts";
import { emptyTrustBook, TRUST_BOOK } from "./trust-book.ts";

const statementSchema = z.string().max(16_384);
const timeSchema = z.number().int().nonnegative();
const secretSchema = bytesSchema(32);

const CARD = z.strictObject({
  accountId: idSchema,
  handle: z.string(),
  name: z.string(),
  identity: statementSchema,
  fingerprint: z.string(),
});

/** A message that was sent or opened; what a report needs is kept with those of others alone. */
const MESSAGE = z.strictObject({
  statement: statementSchema,
  text: z.string(),
  card: CARD.nullable(),
  franked: z.strictObject({ body: z.string(), frankingKey: z.string() }).nullable(),
});
export type KeptMessage = z.infer<typeof MESSAGE>;

const EXCHANGE = z.strictObject({
  exchange: idSchema,
  kind: z.enum(["question", "opening"]),
  partner: idSchema,
  /** True where the member asked. */
  mine: z.boolean(),
  at: timeSchema,
  epoch: z.number().int().nonnegative(),
  state: z.enum(["waiting", "answered", "declined"]),
  /** Null until it could be opened: the relay holds it, or it was removed. */
  question: MESSAGE.nullable(),
  answer: MESSAGE.nullable(),
  receipt: z.strictObject({ byAsker: statementSchema, byAnswerer: statementSchema.nullable() }),
  /** One's own word on it; null until it is given. */
  good: z.boolean().nullable(),
  reported: idSchema.nullable(),
  /** Why something in it is not shown: a code, in words in the member's programs. */
  trouble: z.string().nullable(),
});
export type KeptExchange = z.infer<typeof EXCHANGE>;

const RUN = z.strictObject({
  run: idSchema,
  partner: idSchema,
  /** True where the member began it. */
  mine: z.boolean(),
  /** What the run is made from again; null once its last message is made, so that it is used once. */
  seed: secretSchema.nullable(),
  /** The partner's statement that the seed was used on; null until there is one. */
  answered: statementSchema.nullable(),
  at: timeSchema,
});
export type KeptRun = z.infer<typeof RUN>;

const AGREED = z.strictObject({
  statement: statementSchema,
  agreed: z.boolean(),
  until: timeSchema,
  at: timeSchema,
});
export type KeptAgreement = z.infer<typeof AGREED>;

/** A request that has to reach the relay, again and again until it did. */
const PENDING = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("similarity"), statement: statementSchema }),
  z.strictObject({ type: z.literal("agreement"), statement: statementSchema }),
  z.strictObject({
    type: z.literal("question"),
    exchange: idSchema,
    statement: statementSchema,
    receipt: statementSchema,
    sealed: z.string().nullable(),
  }),
  z.strictObject({
    type: z.literal("answer"),
    exchange: idSchema,
    statement: statementSchema,
    receipt: statementSchema,
    sealed: z.string(),
  }),
  z.strictObject({ type: z.literal("rating"), exchange: idSchema, statement: statementSchema }),
]);
export type Pending = z.infer<typeof PENDING>;

const ACTED = z.strictObject({
  report: idSchema,
  exchange: idSchema,
  message: z.enum(["question", "answer"]),
  role: z.enum(["reporter", "sender"]),
  action: z.enum(["dismiss", "warn", "remove", "suspend", "lift"]),
  until: timeSchema.nullable(),
  reason: z.string(),
  note: z.string().nullable(),
  at: timeSchema,
});
/** What a moderator decided on a report by or about the member. */
export type ModeratorAction = z.infer<typeof ACTED>;

/** All that a member has in one community: secrets, what came, what is known of partners. Kept locked. */
export const MEMBER_STATE = z.strictObject({
  format: z.literal("medcloudlet-member-1"),
  /** The newest version of the community's document that was seen. */
  community: statementSchema,
  signingSeed: secretSchema,
  receivingKey: secretSchema,
  admission: z
    .strictObject({
      credential: statementSchema,
      pseudonym: idSchema,
      salt: secretSchema,
      codes: z.array(z.strictObject({ code: z.string(), confirmed: z.string() })),
      attested: z.strictObject({ statement: z.string(), seed: secretSchema }).nullable().optional(),
    })
    .nullable(),
  joined: z.boolean(),
  /** How far the inbox was read. */
  cursor: z.string().nullable(),
  runs: z.record(idSchema, RUN),
  exchanges: z.record(idSchema, EXCHANGE),
  agreements: z.strictObject({ mine: z.record(idSchema, AGREED), theirs: z.record(idSchema, AGREED) }),
  /** Who partners said they are. */
  cards: z.record(idSchema, CARD),
  /** Consents at the KDC that were given to partners. */
  shares: z.record(idSchema, z.array(idSchema)),
  moderation: z.array(ACTED),
  pending: z.array(PENDING),
  book: TRUST_BOOK,
});
export type MemberState = z.infer<typeof MEMBER_STATE>;

/** Where a member's state lies; written as a whole. */
export interface MemberMemory {
  keep(state: MemberState): Promise<void>;
}

/** The state of somebody who has keys for a community and nothing else yet. */
export function newMemberState(community: string, secrets: IdentitySecrets): MemberState {
  return {
    format: "medcloudlet-member-1",
    community,
    signingSeed: toBase64Url(secrets.signingSeed),
    receivingKey: toBase64Url(secrets.receivingKey),
    admission: null,
    joined: false,
    cursor: null,
    runs: {},
    exchanges: {},
    agreements: { mine: {}, theirs: {} },
    cards: {},
    shares: {},
    moderation: [],
    pending: [],
    book: emptyTrustBook(),
  };
}
