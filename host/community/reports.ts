import {
  type Bytes,
  type Clock,
  fromBase64Url,
  isMedcloudletError,
  MedcloudletError,
} from "../base/index.ts";
import { verifyStatement } from "../sealing/index.ts";
import type { Store } from "../store/index.ts";
import { TRUST_EPOCH_MS } from "../trust/index.ts";
import { assertFresh, DAY_MS, LONGEST_MS, readSealed, unknown } from "./common.ts";
import type { ExchangeRecord } from "./exchange-records.ts";
import type { Member } from "./members.ts";
import { APPEAL, type Community, MODERATION, type Moderation, REPORT } from "./statements.ts";

/** Reports are kept this long, or until the end of a suspension where that is later. */
const REPORT_MS = 180 * DAY_MS;
const DECISIONS_MOST = 32;
/** Reports that one member may make in an epoch: moderators are people. */
const REPORTS_A_MEMBER = 50;

/** Something sealed to one moderator. */
export interface SealedTo {
  readonly moderator: string;
  readonly sealed: Bytes;
}

/** A moderator's signed decision, with a note that only the member can open. */
export interface DecisionRecord {
  readonly statement: string;
  readonly action: Moderation["action"];
  readonly note: Bytes | null;
}

/** A report with everything that was done about it: one document, so that every decision is one write. */
export interface ReportRecord {
  readonly _id: string;
  readonly community: string;
  readonly report: string;
  readonly exchange: string;
  readonly message: "question" | "answer";
  readonly reporter: string;
  /** Who wrote the message. */
  readonly sender: string;
  readonly statement: string;
  readonly sealed: readonly SealedTo[];
  readonly decisions: readonly DecisionRecord[];
  readonly removed: boolean;
  /** End of the sender's suspension by this report; 0 without one. */
  readonly suspendedUntil: number;
  readonly appeal: { readonly statement: string; readonly sealed: readonly SealedTo[] } | null;
  readonly createdAt: number;
  readonly goesAt: number;
  /** Goes up with each change, so that none is lost. */
  readonly version: number;
  readonly forReporter: number;
  readonly forSender: number;
}

/** Sealed texts as they come in. */
export type SentSealed = readonly { readonly moderator: string; readonly sealed: string }[];

export interface Reports {
  /**
   * Takes a report by whom the message was sent to. `exchange`: the one it names, of which the reporter is a party.
   * @throws MedcloudletError `STATEMENT_INVALID`, `SEALED_SIZE_INVALID`, `SEALED_DIGEST_MISMATCH`,
   *   `REPORT_MODERATORS` (400), `MESSAGE_UNKNOWN` (404), `STATEMENT_STALE`, `REPORT_EXISTS` (409), `REPORT_LIMIT` (429)
   */
  file(
    member: Member,
    exchange: ExchangeRecord,
    statement: string,
    sealed: SentSealed,
  ): Promise<{ report: ReportRecord; known: boolean }>;
  /**
   * Takes an appeal by whom a decision concerns.
   * @throws MedcloudletError as `file`, `APPEAL_EXISTS` (409)
   */
  appeal(
    member: Member,
    report: ReportRecord,
    statement: string,
    sealed: SentSealed,
  ): Promise<{ known: boolean }>;
  /**
   * Takes a decision of a moderator whom the community names.
   * @throws MedcloudletError `STATEMENT_INVALID`, `SEALED_SIZE_INVALID`, `SEALED_DIGEST_MISMATCH`,
   *   `MODERATION_MISMATCH`, `SUSPENSION_TOO_LONG` (400), `STATEMENT_STALE`, `REPORT_CHANGED`, `DECISION_LIMIT` (409)
   */
  decide(
    community: Community,
    moderator: string,
    report: ReportRecord,
    sent: { readonly statement: string; readonly note?: string | undefined },
  ): Promise<{ report: ReportRecord; known: boolean }>;
  of(community: string, report: string): Promise<ReportRecord | null>;
  page(
    community: string,
    options: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<ReportRecord[]>;
  /** The suspension that lasts longest, or null. */
  suspension(
    community: string,
    member: string,
  ): Promise<{ readonly until: number; readonly report: string } | null>;
  /** Until when which of these are suspended. */
  suspensions(community: string, members: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Messages of these exchanges that a moderator removed, by exchange. */
  removedOf(
    community: string,
    exchanges: readonly string[],
  ): Promise<ReadonlyMap<string, readonly ("question" | "answer")[]>>;
  newFor(community: string, member: string, since: number, limit: number): Promise<[number, ReportRecord][]>;
  forget(): Promise<void>;
}

export async function createReports(options: {
  readonly store: Store;
  readonly clock: Clock;
  readonly stamp: () => number;
}): Promise<Reports> {
  const { store, clock, stamp } = options;
  const reports = await store.collection<ReportRecord>({
    name: "community_reports",
    indexes: [
      { fields: { community: 1, exchange: 1, message: 1 }, unique: true },
      { fields: { community: 1, sender: 1, suspendedUntil: 1 } },
      { fields: { community: 1, sender: 1, forSender: 1 } },
      { fields: { community: 1, reporter: 1, forReporter: 1 } },
      { fields: { goesAt: 1 } },
    ],
  });

  const of = (community: string, report: string) =>
    reports.findOne({ _id: { $eq: idOf(community, report) } });

  return {
    async file(member, exchange, statement, sealed) {
      const signed = await verifyStatement(REPORT, statement, member.key);
      const { community, report, message, reporter, at } = signed;
      const [to, from] =
        message === "question" ? [exchange.answerer, exchange.asker] : [exchange.asker, exchange.answerer];
      const written = message === "question" ? exchange.kind === "question" : exchange.answer !== null;
      if (reporter !== to || !written) {
        throw unknown("message", "MESSAGE_UNKNOWN");
      }
      const envelopes = readEnvelopes("report", member.community, signed.sealed, sealed);
      const there = await of(community, report);
      if (there?.statement === statement) {
        return { report: there, known: true };
      }
      assertFresh(at, clock);
      const now = clock.now();
      const recent = await reports.countDocuments({
        community: { $eq: community },
        reporter: { $eq: reporter },
        createdAt: { $gt: now - TRUST_EPOCH_MS },
      });
      if (recent >= REPORTS_A_MEMBER) {
        throw new MedcloudletError(
          "REPORT_LIMIT",
          `One member makes at most ${REPORTS_A_MEMBER} reports a week: wait for the next one.`,
          { status: 429 },
        );
      }
      const record: ReportRecord = {
        _id: idOf(community, report),
        community,
        report,
        exchange: exchange.exchange,
        message,
        reporter,
        sender: from,
        statement,
        sealed: envelopes,
        decisions: [],
        removed: false,
        suspendedUntil: 0,
        appeal: null,
        createdAt: now,
        goesAt: now + REPORT_MS,
        version: 1,
        forReporter: 0,
        forSender: 0,
      };
      try {
        await reports.insertOne(record);
      } catch (cause) {
        if (isMedcloudletError(cause, "STORE_DUPLICATE")) {
          throw new MedcloudletError("REPORT_EXISTS", "This message has been reported already.", {
            status: 409,
            cause,
          });
        }
        throw cause;
      }
      return { report: record, known: false };
    },

    async appeal(member, record, statement, sealed) {
      const signed = await verifyStatement(APPEAL, statement, member.key);
      const envelopes = readEnvelopes("appeal", member.community, signed.sealed, sealed);
      if (record.appeal?.statement === statement) {
        return { known: true };
      }
      assertFresh(signed.at, clock);
      const { matched } = await reports.updateOne(
        { _id: { $eq: record._id }, appeal: { $eq: null } },
        { $set: { appeal: { statement, sealed: envelopes } }, $inc: { version: 1 } },
      );
      if (matched === 0) {
        throw new MedcloudletError("APPEAL_EXISTS", "There is one appeal to a report: yours is in.", {
          status: 409,
        });
      }
      return { known: false };
    },

    async decide(community, moderator, record, { statement, note }) {
      const named = community.moderators.find(({ id }) => id === moderator);
      if (named === undefined) {
        throw unknown("report", "REPORT_UNKNOWN");
      }
      const signed = await verifyStatement(MODERATION, statement, fromBase64Url(named.signingKey));
      const fits =
        signed.moderator === moderator &&
        signed.community === record.community &&
        signed.report === record.report &&
        signed.member === record.sender &&
        (signed.note === null) === (note === undefined);
      if (!fits) {
        throw new MedcloudletError(
          "MODERATION_MISMATCH",
          "The decision is not by you, not about who wrote the reported message, or its note is missing.",
          { status: 400 },
        );
      }
      const sealedNote =
        note === undefined || signed.note === null ? null : readSealed("note", note, signed.note);
      if (record.decisions.some((decision) => decision.statement === statement)) {
        return { report: record, known: true };
      }
      assertFresh(signed.at, clock);
      const { action, until } = signed;
      if (until !== null && until > signed.at + LONGEST_MS) {
        throw new MedcloudletError(
          "SUSPENSION_TOO_LONG",
          "A suspension lasts a year at most: choose an earlier end.",
          { status: 400 },
        );
      }
      if (record.decisions.length >= DECISIONS_MOST) {
        throw new MedcloudletError("DECISION_LIMIT", `A report takes at most ${DECISIONS_MOST} decisions.`, {
          status: 409,
        });
      }
      const after = await reports.findOneAndUpdate(
        { _id: { $eq: record._id }, version: { $eq: record.version } },
        {
          $set: {
            decisions: [...record.decisions, { statement, action, note: sealedNote }],
            forReporter: stamp(),
            // Who was reported in vain need not hear of it.
            ...(action === "dismiss" ? {} : { forSender: stamp() }),
            ...(action === "remove" ? { removed: true } : {}),
            ...(action === "suspend" ? { suspendedUntil: until ?? 0 } : {}),
            ...(action === "lift" ? { suspendedUntil: 0 } : {}),
          },
          $max: { goesAt: until ?? 0 },
          $inc: { version: 1 },
        },
        { returnDocument: "after" },
      );
      if (after === null) {
        throw new MedcloudletError(
          "REPORT_CHANGED",
          "Somebody acted on this report at the same moment: look at it again.",
          { status: 409 },
        );
      }
      return { report: after, known: false };
    },

    of,

    page: (community, { after, limit }) =>
      reports.find(
        {
          community: { $eq: community },
          ...(after === undefined ? {} : { _id: { $gt: idOf(community, after) } }),
        },
        { sort: { _id: 1 }, limit },
      ),

    async suspension(community, member) {
      const [longest] = await reports.find(
        {
          community: { $eq: community },
          sender: { $eq: member },
          suspendedUntil: { $gt: clock.now() },
        },
        { sort: { suspendedUntil: -1 }, limit: 1 },
      );
      return longest === undefined ? null : { until: longest.suspendedUntil, report: longest.report };
    },

    async suspensions(community, members) {
      const found =
        members.length === 0
          ? []
          : await reports.find({
              community: { $eq: community },
              sender: { $in: [...members] },
              suspendedUntil: { $gt: clock.now() },
            });
      const ends = new Map<string, number>();
      for (const { sender, suspendedUntil } of found) {
        ends.set(sender, Math.max(suspendedUntil, ends.get(sender) ?? 0));
      }
      return ends;
    },

    async removedOf(community, exchanges) {
      const found =
        exchanges.length === 0
          ? []
          : await reports.find({
              community: { $eq: community },
              exchange: { $in: [...exchanges] },
              removed: { $eq: true },
            });
      const removed = new Map<string, ("question" | "answer")[]>();
      for (const { exchange, message } of found) {
        removed.set(exchange, [...(removed.get(exchange) ?? []), message]);
      }
      return removed;
    },

    async newFor(community, member, since, limit) {
      const [made, concerned] = await Promise.all([
        reports.find(
          { community: { $eq: community }, reporter: { $eq: member }, forReporter: { $gt: since } },
          { sort: { forReporter: 1, _id: 1 }, limit },
        ),
        reports.find(
          { community: { $eq: community }, sender: { $eq: member }, forSender: { $gt: since } },
          { sort: { forSender: 1, _id: 1 }, limit },
        ),
      ]);
      return [
        ...made.map((record): [number, ReportRecord] => [record.forReporter, record]),
        ...concerned.map((record): [number, ReportRecord] => [record.forSender, record]),
      ];
    },

    async forget() {
      await reports.deleteMany({ goesAt: { $lte: clock.now() } });
    },
  };
}

/** What is sealed, for the very moderators that the statement names, each of whom the community names. */
function readEnvelopes(
  kind: "report" | "appeal",
  { moderators }: Community,
  named: readonly { readonly moderator: string; readonly sealed: string }[],
  sent: SentSealed,
): SealedTo[] {
  const fits =
    named.length === sent.length &&
    named.every(
      ({ moderator }, index) =>
        sent[index]?.moderator === moderator && moderators.some(({ id }) => id === moderator),
    );
  if (!fits) {
    throw new MedcloudletError(
      "REPORT_MODERATORS",
      "Seal to moderators of this community, and send what is sealed in the order of the statement.",
      { status: 400 },
    );
  }
  return sent.map(({ moderator, sealed }, index) => ({
    moderator,
    sealed: readSealed(kind, sealed, named[index]?.sealed ?? ""),
  }));
}

function idOf(community: string, report: string): string {
  return `${community}:${report}`;
}
