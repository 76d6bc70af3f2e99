import { z } from "zod";
import { isMedcloudletError, MedcloudletError } from "../base/index.ts";
import type { Routes } from "../identity/index.ts";
import { idSchema, unverifiedPayload } from "../sealing/index.ts";
import { FEEDBACK, type Feedback, type Ratings } from "../trust/index.ts";
import type { Agreements } from "./agreements.ts";
import { communityParams, sealedSchema, statementSchema, unknown } from "./common.ts";
import { longPageQuery, nextOf } from "./community-routes.ts";
import type { ExchangeRecord } from "./exchange-records.ts";
import type { Exchanges } from "./exchanges.ts";
import type { Inbox } from "./inbox.ts";
import { type CallLimit, createMemberRoutes, isBy, notYours } from "./member-route.ts";
import type { Member, Members } from "./members.ts";
import { type SimilarityRuns, viewOfRun } from "./similarity-runs.ts";
import type { Standings } from "./standings.ts";
import { AGREEMENT, COMMUNITY_MESSAGE, OPENING, SIMILARITY_MESSAGE } from "./statements.ts";

const aStatement = z.strictObject({ statement: statementSchema });
const opening = z.strictObject({ statement: statementSchema, receipt: statementSchema });
const message = opening.extend({ sealed: sealedSchema });
const runParams = communityParams.extend({ run: idSchema });
const exchangeParams = communityParams.extend({ exchange: idSchema });
const noExchange = () => unknown("exchange", "EXCHANGE_UNKNOWN");

/** What goes from member to member: comparisons, agreements, questions and answers, ratings. */
export function addExchangeRoutes(
  routes: Routes,
  rooms: {
    readonly members: Members;
    readonly runs: SimilarityRuns;
    readonly agreements: Agreements;
    readonly exchanges: Exchanges;
    readonly ratings: Ratings;
    readonly standings: Standings;
    readonly inbox: Inbox;
    readonly limit: CallLimit;
  },
): void {
  const { members, runs, agreements, exchanges, ratings, standings, inbox, limit } = rooms;
  const member = createMemberRoutes(routes, { members, limit });

  member({
    method: "post",
    path: "/communities/:community/similarity",
    action: "similarity.send",
    params: communityParams,
    body: aStatement,
    sends: true,
    concerns: ({ body, member }) => isBy(SIMILARITY_MESSAGE, body.statement, member),
    refusal: notYours,
    async handle({ body, member }) {
      const { run, known } = await runs.take(member, body.statement);
      return { status: known ? 200 : 201, json: viewOfRun(run) };
    },
  });

  member({
    method: "get",
    path: "/communities/:community/similarity/:run",
    action: "similarity.show",
    params: runParams,
    async concerns({ params: { community, run }, member: { pseudonym } }) {
      const record = await runs.of(community, run);
      return record !== null && (record.from === pseudonym || record.to === pseudonym);
    },
    refusal: () => unknown("run", "SIMILARITY_RUN_UNKNOWN"),
    async handle({ params: { community, run } }) {
      const record = await runs.of(community, run);
      if (record === null) {
        throw unknown("run", "SIMILARITY_RUN_UNKNOWN");
      }
      return { status: 200, json: viewOfRun(record) };
    },
  });

  member({
    method: "post",
    path: "/communities/:community/agreements",
    action: "agreement.sign",
    params: communityParams,
    body: aStatement,
    // A suspended member may withdraw: the room tells the two apart.
    concerns: ({ body, member }) => isBy(AGREEMENT, body.statement, member),
    refusal: notYours,
    async handle({ body: { statement }, member }) {
      const { known } = await agreements.sign(member, statement);
      return { status: known ? 200 : 201, json: { statement } };
    },
  });

  member({
    method: "get",
    path: "/communities/:community/agreements",
    action: "agreement.list",
    params: communityParams,
    query: longPageQuery,
    async handle({ params: { community }, query, member: { pseudonym } }) {
      const found = await agreements.page(community, pseudonym, query);
      return {
        status: 200,
        json: {
          agreements: found.map(({ statement }) => statement),
          next: nextOf(found, query.limit, ({ _id }) => _id),
        },
      };
    },
  });

  member({
    method: "post",
    path: "/communities/:community/questions",
    action: "question.ask",
    params: communityParams,
    body: message,
    sends: true,
    concerns: ({ body, member }) => isBy(COMMUNITY_MESSAGE, body.statement, member),
    refusal: notYours,
    async handle({ body, member }) {
      const { exchange, known } = await exchanges.ask(member, "question", body);
      return { status: known ? 200 : 201, json: await inbox.view(exchange) };
    },
  });

  member({
    method: "post",
    path: "/communities/:community/openings",
    action: "opening.ask",
    params: communityParams,
    body: opening,
    sends: true,
    concerns: ({ body, member }) => isBy(OPENING, body.statement, member),
    refusal: notYours,
    async handle({ body, member }) {
      const { exchange, known } = await exchanges.ask(member, "opening", body);
      return { status: known ? 200 : 201, json: await inbox.view(exchange) };
    },
  });

  /** Is the exchange of the path one of the member's? To all others there is none. */
  const isParty = async ({
    params: { community, exchange },
    member: { pseudonym },
  }: {
    readonly params: z.infer<typeof exchangeParams>;
    readonly member: Member;
  }) => {
    const record = await exchanges.of(community, exchange);
    return record !== null && (record.asker === pseudonym || record.answerer === pseudonym);
  };
  const mustGet = async ({
    community,
    exchange,
  }: z.infer<typeof exchangeParams>): Promise<ExchangeRecord> => {
    const record = await exchanges.of(community, exchange);
    if (record === null) {
      throw noExchange();
    }
    return record;
  };

  member({
    method: "get",
    path: "/communities/:community/exchanges/:exchange",
    action: "exchange.show",
    params: exchangeParams,
    concerns: isParty,
    refusal: noExchange,
    async handle({ params }) {
      return { status: 200, json: await inbox.view(await mustGet(params)) };
    },
  });

  member({
    method: "post",
    path: "/communities/:community/exchanges/:exchange/answer",
    action: "exchange.answer",
    params: exchangeParams,
    body: message,
    sends: true,
    concerns: isParty,
    refusal: noExchange,
    async handle({ params, body, member }) {
      const { exchange, known } = await exchanges.answer(member, params.exchange, body);
      return { status: known ? 200 : 201, json: await inbox.view(exchange) };
    },
  });

  member({
    method: "post",
    path: "/communities/:community/exchanges/:exchange/decline",
    action: "exchange.decline",
    params: exchangeParams,
    concerns: isParty,
    refusal: noExchange,
    async handle({ params, member }) {
      return {
        status: 200,
        json: await inbox.view(await exchanges.decline(member, params.exchange)),
      };
    },
  });

  member({
    method: "post",
    path: "/communities/:community/exchanges/:exchange/received",
    action: "exchange.received",
    params: exchangeParams,
    concerns: isParty,
    refusal: noExchange,
    async handle({ params, member }) {
      await exchanges.received(member, params.exchange);
      return { status: 204, empty: true };
    },
  });

  member({
    method: "post",
    path: "/communities/:community/exchanges/:exchange/rating",
    action: "rating.give",
    params: exchangeParams,
    body: aStatement,
    sends: true,
    concerns: isParty,
    refusal: noExchange,
    async handle({ params, body: { statement }, member: { pseudonym } }) {
      const { community, asker, answerer, question, answer } = await mustGet(params);
      if (answer === null) {
        throw new MedcloudletError(
          "EXCHANGE_UNANSWERED",
          "There is nothing to rate yet: an exchange counts once it was answered.",
          { status: 409 },
        );
      }
      const receipt = { byAsker: question.receipt, byAnswerer: answer.receipt };
      try {
        const input = { community, statement, receipt, asker, answerer, rater: pseudonym };
        standings.rated(await ratings.rate(input));
        return { status: 201, json: { statement } };
      } catch (error) {
        if (!isMedcloudletError(error, "VOICE_USED")) {
          throw error;
        }
        const { epoch, target } = unverifiedPayload<Feedback>(FEEDBACK, statement);
        const there = await ratings.of(community, epoch, pseudonym, target);
        if (there?.statement !== statement) {
          throw error;
        }
        return { status: 200, json: { statement } };
      }
    },
  });
}
