import { z } from "zod";
import { toBase64Url } from "../base/index.ts";
import type { Routes } from "../identity/index.ts";
import { idSchema, unverifiedPayload } from "../sealing/index.ts";
import type { Enrolments } from "../trust/index.ts";
import { CREDENTIAL, type Credential, type Ratings } from "../trust/index.ts";
import { communityParams, longStatementSchema, statementSchema } from "./common.ts";
import type { Communities } from "./communities.ts";
import type { Inbox } from "./inbox.ts";
import { type CallLimit, createMemberRoutes, notYours } from "./member-route.ts";
import type { Members } from "./members.ts";
import type { Standings } from "./standings.ts";

const limitSchema = z.coerce.number().int().min(1).max(100).default(50);
export const pageQuery = z.strictObject({ after: idSchema.optional(), limit: limitSchema });
/** Where the id to go on from has several parts. */
export const longPageQuery = z.strictObject({
  after: z
    .string()
    .regex(/^[0-9a-f:]{1,200}$/, "expected `next` of the page before")
    .optional(),
  limit: limitSchema,
});

/** Founding, joining, and what members see of the community. */
export function addCommunityRoutes(
  routes: Routes,
  rooms: {
    readonly communities: Communities;
    readonly members: Members;
    readonly enrolments: Enrolments;
    readonly ratings: Ratings;
    readonly standings: Standings;
    readonly inbox: Inbox;
    readonly limit: CallLimit;
  },
): void {
  const { communities, members, enrolments, ratings, standings, inbox, limit } = rooms;
  const member = createMemberRoutes(routes, { members, limit });

  routes.ticket("operate", {
    method: "post",
    path: "/communities",
    action: "community.found",
    body: z.strictObject({ statement: longStatementSchema }),
    async handle({ body: { statement } }) {
      const { community, known } = await communities.publish(statement);
      const { community: id, version } = community;
      return { status: known || version > 1 ? 200 : 201, json: { community: id, version } };
    },
  });

  routes.open({
    method: "get",
    path: "/communities",
    action: "community.list",
    query: pageQuery,
    async handle({ query }) {
      const found = await communities.page(query);
      return {
        status: 200,
        json: {
          communities: found.map(({ statement }) => statement),
          next: nextOf(found, query.limit, ({ _id }) => _id),
        },
      };
    },
  });

  routes.open({
    method: "get",
    path: "/communities/:community",
    action: "community.show",
    params: communityParams,
    async handle({ params }) {
      const { statement } = await communities.get(params.community);
      return { status: 200, json: { statement } };
    },
  });

  routes.proof({
    method: "post",
    path: "/communities/:community/members",
    action: "community.join",
    params: communityParams,
    body: z.strictObject({ credential: statementSchema, memberKey: statementSchema }),
    async relation({ params, key, body }) {
      await limit.consume(key.thumbprint);
      const { community, signingKey } = unverifiedPayload<Credential>(CREDENTIAL, body.credential);
      return community === params.community && signingKey === toBase64Url(key.publicKey) ? "own" : "other";
    },
    refusal: notYours,
    async handle({ params, key, body }) {
      const { community } = await communities.get(params.community);
      const { enrolment, change } = await members.join(community, key.publicKey, body);
      if (change !== "none") {
        standings.enrolled(enrolment);
      }
      const [view] = await members.views(params.community, [enrolment]);
      return { status: change === "new" ? 201 : 200, json: view };
    },
  });

  member({
    method: "get",
    path: "/communities/:community/members",
    action: "community.members",
    params: communityParams,
    query: pageQuery.extend({ pseudonym: idSchema.optional() }),
    async handle({ params: { community }, query: { pseudonym, ...query }, member: me }) {
      if (pseudonym !== undefined) {
        const one = await members.viewOf(community, pseudonym);
        return { status: 200, json: { members: one === null ? [] : [one], next: null } };
      }
      const found = await enrolments.page(community, { ...query, valid: true });
      return {
        status: 200,
        json: {
          members: await members.views(
            community,
            found.filter((enrolment) => members.admitted(me.community, enrolment)),
          ),
          next: nextOf(found, query.limit, (enrolment) => enrolment.pseudonym),
        },
      };
    },
  });

  member({
    method: "get",
    path: "/communities/:community/inbox",
    action: "community.inbox",
    params: communityParams,
    query: z.strictObject({
      after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
      limit: z.coerce.number().int().min(1).max(50).default(20),
    }),
    async handle({ params: { community }, query, member: { pseudonym } }) {
      return { status: 200, json: await inbox.read(community, pseudonym, query) };
    },
  });

  member({
    method: "get",
    path: "/communities/:community/standings",
    action: "community.standings",
    params: communityParams,
    query: z.strictObject({
      after: idSchema.optional(),
      limit: z.coerce.number().int().min(1).max(1_000).default(1_000),
    }),
    async handle({ params: { community }, query: { after, limit: most } }) {
      const { standings: found, errorBound } = await standings.page(community, { after, limit: most });
      const next = nextOf(found, most, ({ pseudonym }) => pseudonym);
      return { status: 200, json: { standings: found, errorBound, next } };
    },
  });

  member({
    method: "get",
    path: "/communities/:community/members/:pseudonym/ratings",
    action: "rating.list",
    params: communityParams.extend({ pseudonym: idSchema }),
    query: longPageQuery,
    async handle({ params: { community, pseudonym }, query }) {
      const found = await ratings.statementsAbout(community, pseudonym, query);
      return {
        status: 200,
        json: {
          ratings: found.map(({ statement, receipt }) => ({ statement, receipt })),
          next: nextOf(found, query.limit, ({ _id }) => _id),
        },
      };
    },
  });
}

/** Where the next page begins; null when this was the last. */
export function nextOf<T>(page: readonly T[], limit: number, idOf: (item: T) => string): string | null {
  const last = page.at(-1);
  return last === undefined || page.length < limit ? null : idOf(last);
}
