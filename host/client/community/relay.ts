import { z } from "zod";
import { bareUrl, MedcloudletError } from "../../base/index.ts";
import { idSchema, type SigningKey } from "../../sealing/index.ts";
import { createCall } from "../calls.ts";
import type { HttpClient, HttpRequest } from "../http.ts";

const statementSchema = z.string().max(16_384);
const timeSchema = z.number();
const nextSchema = z.string().nullable();

const MEMBER = z.object({
  pseudonym: idSchema,
  credential: statementSchema,
  earlier: z.array(statementSchema),
  memberKey: statementSchema,
  suspendedUntil: timeSchema.nullable(),
});
/** A member as the relay tells of them; statements still to be verified. */
export type UnverifiedMember = z.infer<typeof MEMBER>;

const RUN = z.object({
  run: idSchema,
  from: idSchema,
  to: idSchema,
  request: statementSchema,
  reply: statementSchema.nullable(),
  confirmation: statementSchema.nullable(),
  expiresAt: timeSchema,
});
/** A comparison as the relay keeps it. */
export type RelayedRun = z.infer<typeof RUN>;

const SENT = z.object({
  statement: statementSchema,
  receipt: statementSchema,
  sealed: z.string().nullable(),
});
const EXCHANGE = z.object({
  exchange: idSchema,
  kind: z.enum(["question", "opening"]),
  asker: idSchema,
  answerer: idSchema,
  state: z.enum(["waiting", "answered", "declined"]),
  question: SENT,
  answer: SENT.nullable(),
  held: z.boolean(),
  removed: z.array(z.enum(["question", "answer"])),
  expiresAt: timeSchema,
});
/** An exchange as the relay keeps it; nothing in it is believed before its signatures are checked. */
export type RelayedExchange = z.infer<typeof EXCHANGE>;

const DECIDED = z.object({ statement: statementSchema, note: z.string().nullable() });
const ITEM = z.discriminatedUnion("type", [
  z.object({ at: timeSchema, type: z.literal("similarity"), run: RUN }),
  z.object({ at: timeSchema, type: z.literal("agreement"), statement: statementSchema }),
  z.object({ at: timeSchema, type: z.literal("exchange"), exchange: EXCHANGE }),
  z.object({
    at: timeSchema,
    type: z.literal("moderation"),
    report: idSchema,
    exchange: idSchema,
    message: z.enum(["question", "answer"]),
    role: z.enum(["reporter", "sender"]),
    decisions: z.array(DECIDED),
    appeal: z.unknown(),
  }),
]);
export type InboxItem = z.infer<typeof ITEM>;

const REPORT = z.object({
  report: idSchema,
  exchange: idSchema,
  message: z.enum(["question", "answer"]),
  statement: statementSchema,
  sealed: z.string().nullable(),
  decisions: z.array(DECIDED),
  appeal: z.object({ statement: statementSchema, sealed: z.string().nullable() }).nullable(),
});
export type RelayedReport = z.infer<typeof REPORT>;
const SHOWN_REPORT = REPORT.extend({ reporter: MEMBER, sender: MEMBER });
export type ShownReport = z.infer<typeof SHOWN_REPORT>;

const STATEMENT = z.object({ statement: statementSchema });
const COMMUNITIES = z.object({ communities: z.array(statementSchema), next: nextSchema });
const MEMBERS = z.object({ members: z.array(MEMBER), next: nextSchema });
const INBOX = z.object({ items: z.array(ITEM), next: z.string(), more: z.boolean() });
const AGREEMENTS = z.object({ agreements: z.array(statementSchema), next: nextSchema });
const RATINGS = z.object({
  ratings: z.array(
    z.object({
      statement: statementSchema,
      receipt: z.object({ byAsker: statementSchema, byAnswerer: statementSchema }),
    }),
  ),
  next: nextSchema,
});
/** Somebody's word with its receipt, unverified. */
export type RelayedRating = z.infer<typeof RATINGS>["ratings"][number];
const STANDINGS = z.object({
  standings: z.array(z.object({ pseudonym: idSchema, standing: z.number().min(0).max(1) })),
  next: nextSchema,
});
const REPORTS = z.object({ reports: z.array(REPORT), next: nextSchema });
const ANYTHING = z.unknown();

/** How staff shows who they are: a ticket and the key it is bound to. */
export interface StaffCredentials {
  readonly key: SigningKey;
  readonly ticket: string;
}

/** Pages of a list, of fifty elements or more each: a relay that goes on for ever fills no memory. */
const MOST_PAGES = 2000;

type Sealed = readonly { readonly moderator: string; readonly sealed: string }[];

/** The relay's answers are other people's words: a list that does not lead on ends the work. */
const endless = () =>
  new MedcloudletError(
    "SERVICE_RESPONSE",
    "The cloudlet's list does not come to an end: tell its operator, or join at another cloudlet.",
    { status: 502 },
  );

/** The community routes of a cloudlet. Only a proof goes with them: nothing that the KDC knows an account by. */
export function createRelay(options: { readonly http: HttpClient; readonly cloudletUrl: string }) {
  const base = `${bareUrl(options.cloudletUrl)}/v1/communities`;

  const call = createCall({ http: options.http, base, service: "The cloudlet" });

  /** Every element of a paged list. */
  async function all<P extends { readonly next: string | null }, T>(
    schema: z.ZodType<P>,
    path: string,
    itemsOf: (page: P) => readonly T[],
    credentials?: HttpRequest["credentials"],
  ): Promise<T[]> {
    const items: T[] = [];
    let after = "";
    for (let pages = 0; pages < MOST_PAGES; pages++) {
      const query = after === "" ? "" : `${path.includes("?") ? "&" : "?"}after=${encodeURIComponent(after)}`;
      const page = await call(schema, "GET", path + query, { credentials });
      items.push(...itemsOf(page));
      if (page.next === null) {
        return items;
      }
      if (page.next === after) {
        break;
      }
      after = page.next;
    }
    throw endless();
  }

  return {
    /** Founds, or revises: by an operator's ticket. */
    found: async (statement: string, staff: StaffCredentials): Promise<void> => {
      await call(ANYTHING, "POST", "", { credentials: staff, json: { statement } });
    },
    communities: (): Promise<string[]> => all(COMMUNITIES, "", ({ communities }) => communities),
    community: async (id: string): Promise<string> => (await call(STATEMENT, "GET", `/${id}`)).statement,

    /** What a member does, with the key of their credential. */
    as(community: string, key: SigningKey) {
      const at = `/${community}`;
      const proof = { key };
      const post = <T>(schema: z.ZodType<T>, path: string, json?: unknown) =>
        call(schema, "POST", at + path, { credentials: proof, json });
      const get = <T>(schema: z.ZodType<T>, path: string) =>
        call(schema, "GET", at + path, { credentials: proof });
      return {
        join: (credential: string, memberKey: string): Promise<UnverifiedMember> =>
          post(MEMBER, "/members", { credential, memberKey }),
        members: (): Promise<UnverifiedMember[]> =>
          all(MEMBERS, `${at}/members`, ({ members }) => members, proof),
        member: async (pseudonym: string): Promise<UnverifiedMember | null> =>
          (await get(MEMBERS, `/members?pseudonym=${pseudonym}`)).members[0] ?? null,
        inbox: (after: string | null): Promise<z.infer<typeof INBOX>> =>
          get(INBOX, after === null ? "/inbox" : `/inbox?after=${encodeURIComponent(after)}`),
        compare: (statement: string): Promise<RelayedRun> => post(RUN, "/similarity", { statement }),
        run: (run: string): Promise<RelayedRun> => get(RUN, `/similarity/${run}`),
        agree: async (statement: string): Promise<void> => {
          await post(ANYTHING, "/agreements", { statement });
        },
        agreements: (): Promise<string[]> =>
          all(AGREEMENTS, `${at}/agreements`, ({ agreements }) => agreements, proof),
        ask: (question: { statement: string; sealed: string; receipt: string }): Promise<RelayedExchange> =>
          post(EXCHANGE, "/questions", question),
        open: (opening: { statement: string; receipt: string }): Promise<RelayedExchange> =>
          post(EXCHANGE, "/openings", opening),
        exchange: (id: string): Promise<RelayedExchange> => get(EXCHANGE, `/exchanges/${id}`),
        answer: (
          id: string,
          answer: { statement: string; sealed: string; receipt: string },
        ): Promise<RelayedExchange> => post(EXCHANGE, `/exchanges/${id}/answer`, answer),
        decline: (id: string): Promise<RelayedExchange> => post(EXCHANGE, `/exchanges/${id}/decline`),
        received: async (id: string): Promise<void> => {
          await post(ANYTHING, `/exchanges/${id}/received`);
        },
        rate: async (id: string, statement: string): Promise<void> => {
          await post(ANYTHING, `/exchanges/${id}/rating`, { statement });
        },
        ratingsOf: (pseudonym: string): Promise<RelayedRating[]> =>
          all(RATINGS, `${at}/members/${pseudonym}/ratings`, ({ ratings }) => ratings, proof),
        standings: (): Promise<{ pseudonym: string; standing: number }[]> =>
          all(STANDINGS, `${at}/standings`, ({ standings }) => standings, proof),
        report: async (statement: string, sealed: Sealed): Promise<void> => {
          await post(ANYTHING, "/reports", { statement, sealed });
        },
        appeal: async (report: string, statement: string, sealed: Sealed): Promise<void> => {
          await post(ANYTHING, `/reports/${report}/appeal`, { statement, sealed });
        },
      };
    },

    /** What a moderator does, by a ticket. */
    moderating(community: string, staff: StaffCredentials) {
      const at = `/${community}/reports`;
      return {
        reports: (): Promise<RelayedReport[]> => all(REPORTS, at, ({ reports }) => reports, staff),
        report: (id: string): Promise<ShownReport> =>
          call(SHOWN_REPORT, "GET", `${at}/${id}`, { credentials: staff }),
        decide: (id: string, statement: string, note?: string): Promise<RelayedReport> =>
          call(REPORT, "POST", `${at}/${id}/decisions`, {
            credentials: staff,
            json: { statement, ...(note === undefined ? {} : { note }) },
          }),
      };
    },
  };
}
/** A cloudlet's community routes. */
export type Relay = ReturnType<typeof createRelay>;
/** The same as one member. */
export type MemberRelay = ReturnType<Relay["as"]>;
