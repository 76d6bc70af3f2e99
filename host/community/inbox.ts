import { type Clock, toBase64Url } from "../base/index.ts";
import type { Agreements, Pair } from "./agreements.ts";
import { type ExchangeRecord, type ExchangeView, viewOfExchange } from "./exchange-records.ts";
import type { Exchanges } from "./exchanges.ts";
import type { ReportRecord, Reports } from "./reports.ts";
import { type SimilarityRuns, viewOfRun } from "./similarity-runs.ts";

/** An inbox looks this far back, for writes that overtake one another. */
const OVERLAP_MS = 10_000;

/** Something that waits for a member; shapes in docs/PROTOCOL.md. */
export type InboxItem = { readonly at: number } & (
  | { readonly type: "similarity"; readonly run: ReturnType<typeof viewOfRun> }
  | { readonly type: "agreement"; readonly statement: string }
  | { readonly type: "exchange"; readonly exchange: ExchangeView }
  | ({ readonly type: "moderation" } & ReturnType<typeof viewOfModeration>)
);

export interface Inbox {
  /** What is new for a member behind a stamp: oldest first, at least once. */
  read(
    community: string,
    member: string,
    options: { readonly after: number; readonly limit: number },
  ): Promise<{ readonly items: InboxItem[]; readonly next: string; readonly more: boolean }>;
  /** An exchange as it may leave at this moment. */
  view(record: ExchangeRecord): Promise<ExchangeView>;
}

/** Nothing is written for an inbox: it is read from what there is, so that each change stays one document. */
export function createInbox(rooms: {
  readonly runs: SimilarityRuns;
  readonly agreements: Agreements;
  readonly exchanges: Exchanges;
  readonly reports: Reports;
  readonly clock: Clock;
}): Inbox {
  const { runs, agreements, exchanges, reports, clock } = rooms;

  async function views(community: string, records: readonly ExchangeRecord[]): Promise<ExchangeView[]> {
    const pairs = records
      .filter(({ kind }) => kind === "question")
      .map(({ asker, answerer }): Pair => [asker, answerer]);
    const [agreed, removed] = await Promise.all([
      agreements.inForceAmong(community, pairs),
      reports.removedOf(
        community,
        records.map(({ exchange }) => exchange),
      ),
    ]);
    return records.map((record) =>
      viewOfExchange(record, {
        inForce: record.kind === "opening" || agreed([record.asker, record.answerer]),
        removed: removed.get(record.exchange) ?? [],
      }),
    );
  }

  return {
    async view(record) {
      const [view] = await views(record.community, [record]);
      return view as ExchangeView;
    },
    async read(community, member, { after, limit }) {
      const args = [community, member, after, limit + 1] as const;
      const [similarity, agreed, exchanged, moderated] = await Promise.all([
        runs.newFor(...args),
        agreements.newFor(...args),
        exchanges.newFor(...args),
        reports.newFor(...args),
      ]);
      const found = [
        ...similarity.map(([stamp, run]) => ({ stamp, type: "similarity" as const, run })),
        ...agreed.map(([stamp, { statement }]) => ({ stamp, type: "agreement" as const, statement })),
        ...exchanged.map(([stamp, record]) => ({ stamp, type: "exchange" as const, record })),
        ...moderated.map(([stamp, record]) => ({ stamp, type: "moderation" as const, record })),
      ].sort((one, other) => one.stamp - other.stamp);

      const taken = found.slice(0, limit);
      const shown = new Map(
        (
          await views(
            community,
            taken.flatMap((one) => (one.type === "exchange" ? [one.record] : [])),
          )
        ).map((view) => [view.exchange, view]),
      );
      const items = taken.map((one): InboxItem => {
        const at = Math.floor(one.stamp / 1000);
        if (one.type === "similarity") {
          return { at, type: one.type, run: viewOfRun(one.run) };
        }
        if (one.type === "agreement") {
          return { at, type: one.type, statement: one.statement };
        }
        return one.type === "exchange"
          ? { at, type: one.type, exchange: shown.get(one.record.exchange) as ExchangeView }
          : { at, type: one.type, ...viewOfModeration(one.record, member) };
      });
      const more = found.length > limit;
      const last = taken.at(-1)?.stamp ?? after;
      const next = more ? last : Math.min(last, Math.max(0, (clock.now() - OVERLAP_MS) * 1000));
      return { items, next: String(next), more };
    },
  };
}

/** What was decided about a report, to one of the two it concerns. */
function viewOfModeration(record: ReportRecord, member: string) {
  const { report, exchange, message, reporter, decisions, appeal } = record;
  const role = member === reporter ? ("reporter" as const) : ("sender" as const);
  const told = role === "reporter" ? decisions : decisions.filter(({ action }) => action !== "dismiss");
  return {
    report,
    exchange,
    message,
    role,
    decisions: told.map(({ statement, note }) => ({
      statement,
      // Sealed to the sender, and nobody else's business.
      note: role === "reporter" || note === null ? null : toBase64Url(note),
    })),
    appeal: role === "reporter" ? null : (appeal?.statement ?? null),
  };
}
