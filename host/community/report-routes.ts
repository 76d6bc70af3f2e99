import { z } from "zod";
import { toBase64Url } from "../base/index.ts";
import type { Routes } from "../identity/index.ts";
import { idSchema, unverifiedPayload } from "../sealing/index.ts";
import { communityParams, sealedSchema, statementSchema, unknown } from "./common.ts";
import type { Communities } from "./communities.ts";
import { nextOf, pageQuery } from "./community-routes.ts";
import { MODERATORS_MOST } from "./envelope.ts";
import type { Exchanges } from "./exchanges.ts";
import { type CallLimit, createMemberRoutes, isBy, notYours } from "./member-route.ts";
import type { Members } from "./members.ts";
import type { ReportRecord, Reports, SealedTo } from "./reports.ts";
import { APPEAL, MODERATION, type Moderation, REPORT, type Report } from "./statements.ts";

const sealedToModerators = z
  .array(z.strictObject({ moderator: idSchema, sealed: sealedSchema }))
  .min(1)
  .max(MODERATORS_MOST);
const sealedStatement = z.strictObject({ statement: statementSchema, sealed: sealedToModerators });
const reportParams = communityParams.extend({ report: idSchema });
const noReport = () => unknown("report", "REPORT_UNKNOWN");

/** Reports by members, and what moderators do about them. A moderator reaches nothing that was not reported. */
export function addReportRoutes(
  routes: Routes,
  rooms: {
    readonly communities: Communities;
    readonly members: Members;
    readonly exchanges: Exchanges;
    readonly reports: Reports;
    readonly limit: CallLimit;
  },
): void {
  const { communities, members, exchanges, reports, limit } = rooms;
  const member = createMemberRoutes(routes, { members, limit });

  member({
    method: "post",
    path: "/communities/:community/reports",
    action: "report.file",
    params: communityParams,
    body: sealedStatement,
    sends: true,
    concerns({ body, member }) {
      const { community, reporter } = unverifiedPayload<Report>(REPORT, body.statement);
      return community === member.community.community && reporter === member.pseudonym;
    },
    refusal: notYours,
    async handle({ params: { community }, body: { statement, sealed }, member }) {
      const signed = unverifiedPayload<Report>(REPORT, statement);
      const exchange = await exchanges.of(community, signed.exchange);
      if (exchange === null) {
        throw unknown("message", "MESSAGE_UNKNOWN");
      }
      const { report, known } = await reports.file(member, exchange, statement, sealed);
      return { status: known ? 200 : 201, json: { report: report.report } };
    },
  });

  member({
    method: "post",
    path: "/communities/:community/reports/:report/appeal",
    action: "report.appeal",
    params: reportParams,
    body: sealedStatement,
    async concerns({ params: { community, report }, body, member }) {
      const record = await reports.of(community, report);
      // Who was not acted upon has heard of no report.
      const concerned = record?.sender === member.pseudonym && record.forSender > 0;
      const named = unverifiedPayload(APPEAL, body.statement).report === report;
      return concerned && named && isBy(APPEAL, body.statement, member);
    },
    refusal: noReport,
    async handle({ params: { community, report }, body: { statement, sealed }, member }) {
      const record = await mustGet(community, report);
      const { known } = await reports.appeal(member, record, statement, sealed);
      return { status: known ? 200 : 201, json: { report } };
    },
  });

  async function mustGet(community: string, report: string): Promise<ReportRecord> {
    const record = await reports.of(community, report);
    if (record === null) {
      throw noReport();
    }
    return record;
  }

  /** The community names its moderators; the role alone opens nothing. */
  async function relationOf(community: string, staff: string): Promise<"own" | "other"> {
    const { moderators } = (await communities.get(community)).community;
    return moderators.some(({ id }) => id === staff) ? "own" : "other";
  }

  routes.ticket("moderate", {
    method: "get",
    path: "/communities/:community/reports",
    action: "report.list",
    params: communityParams,
    query: pageQuery.extend({ limit: z.coerce.number().int().min(1).max(50).default(20) }),
    relation: ({ params, grant }) => relationOf(params.community, grant.staff),
    refusal: noReport,
    async handle({ params: { community }, query, grant }) {
      const found = await reports.page(community, query);
      return {
        status: 200,
        json: {
          reports: found.map((record) => viewOfReport(record, grant.staff)),
          next: nextOf(found, query.limit, ({ report }) => report),
        },
      };
    },
  });

  routes.ticket("moderate", {
    method: "get",
    path: "/communities/:community/reports/:report",
    action: "report.show",
    params: reportParams,
    relation: ({ params, grant }) => relationOf(params.community, grant.staff),
    refusal: noReport,
    async handle({ params: { community, report }, grant }) {
      const record = await mustGet(community, report);
      const [reporter, sender] = await Promise.all([
        members.viewOf(community, record.reporter),
        members.viewOf(community, record.sender),
      ]);
      return { status: 200, json: { ...viewOfReport(record, grant.staff), reporter, sender } };
    },
  });

  routes.ticket("moderate", {
    method: "post",
    path: "/communities/:community/reports/:report/decisions",
    action: "report.decide",
    params: reportParams,
    body: z.strictObject({ statement: statementSchema, note: sealedSchema.optional() }),
    relation: ({ params, grant }) => relationOf(params.community, grant.staff),
    refusal: noReport,
    async handle({ params, body, grant }) {
      const { community } = await communities.get(params.community);
      const record = await mustGet(params.community, params.report);
      const { report, known } = await reports.decide(community, grant.staff, record, body);
      const { action } = unverifiedPayload<Moderation>(MODERATION, body.statement);
      if (action === "remove") {
        // The decision alone keeps it from being passed on; a crash before this leaves bytes that nobody gets.
        const exchange = await exchanges.of(params.community, report.exchange);
        if (exchange !== null) {
          await exchanges.empty(exchange, report.message);
        }
      }
      return { status: known ? 200 : 201, json: viewOfReport(report, grant.staff) };
    },
  });
}

/** As docs/PROTOCOL.md says: with what is sealed to this moderator. */
function viewOfReport(record: ReportRecord, moderator: string) {
  const { report, exchange, message, statement, sealed, decisions, appeal } = record;
  const mine = (list: readonly SealedTo[]) => {
    const envelope = list.find((one) => one.moderator === moderator);
    return envelope === undefined ? null : toBase64Url(envelope.sealed);
  };
  return {
    report,
    exchange,
    message,
    statement,
    sealed: mine(sealed),
    decisions: decisions.map((decision) => ({
      statement: decision.statement,
      note: decision.note === null ? null : toBase64Url(decision.note),
    })),
    appeal: appeal === null ? null : { statement: appeal.statement, sealed: mine(appeal.sealed) },
  };
}
