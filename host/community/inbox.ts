import { type Clock, toBase64Url } from "../base/index.ts";
import type { Agreements } from "./agreements.ts";
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

  async function view(record: ExchangeRecord): Promise<ExchangeView> {
    const { community, exchange, kind, asker, answerer } = record;
    const [inForce, removed] = await Promise.all([
      kind === "opening" || agreements.inForce(community, asker, answerer),
      reports.removedOf(community, exchange),
    ]);
    return viewOfExchange(record, { inForce, removed });
  }

  return {
    view,
    async read(community, member, { after, limit }) {
      const args = [community, member, after, limit + 1] as const;
      const [similarity, agreed, exchanged, moderated] = await Promise.all([
        runs.newFor(...args),
        agreements.newFor(...args),
        exchanges.newFor(...args),
        reports.newFor(...args),
      ]);
      const all: { readonly stamp: number; readonly item: () => Promise<InboxItem> | InboxItem }[] = [];
      const add = <T>(
        found: readonly [number, T][],
        item: (one: T, at: number) => ReturnType<(typeof all)[0]["item"]>,
      ) => {
        for (const [stamp, one] of found) {
          all.push({ stamp, item: () => item(one, Math.floor(stamp / 1000)) });
        }
      };
      add(similarity, (run, at) => ({ at, type: "similarity", run: viewOfRun(run) }));
      add(agreed, ({ statement }, at) => ({ at, type: "agreement", statement }));
      add(exchanged, async (record, at) => ({ at, type: "exchange", exchange: await view(record) }));
      add(moderated, (record, at) => ({ at, type: "moderation", ...viewOfModeration(record, member) }));
      all.sort((one, other) => one.stamp - other.stamp);

      const taken = all.slice(0, limit);
      const items: InboxItem[] = [];
      for (const { item } of taken) {
        items.push(await item());
      }
      const more = all.length > limit;
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
