import type { IdsAlert, IdsAppeal, IdsDecision, IdsExemption, IdsNews } from "../../../client/index.ts";
import type { AlertGroup, MinuteCount, ServiceId } from "./watch-questions.ts";

/** What is remembered of each service at most: the rest is there when it is asked for. */
const MOST_ALERTS = 1000;
const MOST_DECISIONS = 300;
const MOST_APPEALS = 100;
/** Of one suspect so many alerts are shown one by one. */
const NEWEST_SHOWN = 8;
const MINUTE_MS = 60_000;
const MINUTES = 60;

/** What one service told so far. */
export interface Told {
  alerts(): readonly IdsAlert[];
  decisions(): readonly IdsDecision[];
  appeals(): readonly IdsAppeal[];
  exemptions(): readonly IdsExemption[];
  /** Takes in lists; what was known already is overwritten, for a ruling may have changed it. */
  take(lists: {
    readonly alerts: readonly IdsAlert[];
    readonly decisions: readonly IdsDecision[];
    readonly appeals: readonly IdsAppeal[];
    readonly exemptions: readonly IdsExemption[];
  }): void;
  /** Takes in what came live. */
  hear(news: IdsNews, now: number): void;
  replace(decision: IdsDecision): void;
}

type Kept = { readonly id: string; readonly at: number };

/** Keeps the newest so many, by id. */
function createNewest<T extends Kept>(most: number) {
  let kept = new Map<string, T>();
  const sorted = () => [...kept.values()].sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
  return {
    add(items: readonly T[]) {
      for (const item of items) {
        kept.set(item.id, item);
      }
      if (kept.size > most) {
        kept = new Map(
          sorted()
            .slice(0, most)
            .map((item) => [item.id, item]),
        );
      }
    },
    get: (id: string) => kept.get(id),
    list: sorted,
  };
}

export function createTold(): Told {
  const alerts = createNewest<IdsAlert>(MOST_ALERTS);
  const decisions = createNewest<IdsDecision>(MOST_DECISIONS);
  const appeals = createNewest<IdsAppeal>(MOST_APPEALS);
  let exemptions: readonly IdsExemption[] = [];
  return {
    alerts: alerts.list,
    decisions: decisions.list,
    appeals: appeals.list,
    exemptions: () => exemptions,
    take(lists) {
      alerts.add(lists.alerts);
      decisions.add(lists.decisions);
      appeals.add(lists.appeals);
      exemptions = lists.exemptions;
    },
    hear(news, now) {
      switch (news.event) {
        case "alert":
          alerts.add([news.alert]);
          break;
        case "decision":
          decisions.add([{ ...news.decision, endedAt: null, ruling: null }]);
          break;
        case "ended": {
          const ended = decisions.get(news.decision);
          if (ended !== undefined && ended.endedAt === null) {
            decisions.add([{ ...ended, endedAt: now }]);
          }
          break;
        }
        case "appeal":
          appeals.add([news.appeal]);
          break;
        case "fault":
          break;
      }
    },
    replace: (decision) => decisions.add([decision]),
  };
}

/** Alerts of one service by their suspect, whoever was last seen first. @param alerts newest first */
export function groupAlerts(service: ServiceId, alerts: readonly IdsAlert[]): AlertGroup[] {
  const bySuspect = new Map<string, IdsAlert[]>();
  for (const alert of alerts) {
    const key = `${service} ${alert.subject.kind} ${alert.subject.local}`;
    const group = bySuspect.get(key);
    if (group === undefined) {
      bySuspect.set(key, [alert]);
    } else {
      group.push(alert);
    }
  }
  return [...bySuspect].map(([key, group]) => {
    const [newest] = group as [IdsAlert];
    return {
      key,
      service,
      kind: newest.subject.kind,
      local: newest.subject.local,
      rules: [...new Set(group.map(({ rule }) => rule))],
      about: newest.about,
      score: Math.max(...group.map(({ score }) => score)),
      alerts: group.length,
      events: group.reduce((sum, { count }) => sum + count, 0),
      firstAt: Math.min(...group.map(({ from, at }) => Math.min(from, at))),
      lastAt: newest.at,
      newest: group.slice(0, NEWEST_SHOWN),
    };
  });
}

/** How much there was in each minute of the hour before `until`, the oldest minute first. */
export function countMinutes(
  alerts: readonly IdsAlert[],
  decisions: readonly IdsDecision[],
  until: number,
): MinuteCount[] {
  const minutes = Array.from({ length: MINUTES }, () => ({ alerts: 0, events: 0, decisions: 0 }));
  const minuteOf = (at: number) => minutes[MINUTES - 1 - Math.floor((until - at) / MINUTE_MS)];
  for (const { at, count } of alerts) {
    const minute = minuteOf(Math.min(at, until));
    if (minute !== undefined) {
      minute.alerts++;
      minute.events += count;
    }
  }
  for (const { at } of decisions) {
    const minute = minuteOf(Math.min(at, until));
    if (minute !== undefined) {
      minute.decisions++;
    }
  }
  return minutes;
}
