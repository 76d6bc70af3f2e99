import { z } from "zod";
import {
  ALERT_EVENT,
  ALERT_LEVELS,
  ALERT_POLICY,
  type Alert,
  type AlertCommand,
  type AlertEvent,
  type AlertLevel,
  type AlertPolicy,
  type AlertWish,
  advanceAlert,
  replayAlert,
} from "../../../analytics/index.ts";
import { type Clock, MedcloudletError, randomBytes, toHex } from "../../../base/index.ts";

/** What an alert is about. */
export interface AlertAbout {
  readonly streamId: string;
  readonly patient: string;
  /** What was looked for: one open alert at most for each stream and kind. */
  readonly kind: string;
}

/** An alert as it stands, with its history and where in the readings it belongs. */
export interface PageAlert extends AlertAbout {
  readonly id: string;
  readonly alert: Alert;
  readonly events: readonly AlertEvent[];
  /** For how long an alert of its level may be silent, ms. */
  readonly longestSnooze: number;
  /** Times of the readings (ms) that raised it or made it graver. */
  readonly marks: readonly { readonly time: number; readonly level: AlertLevel }[];
}

/** The alerts of one person on this machine. */
export interface AlertJournal {
  /**
   * Takes in what the readings of a stream show.
   * @param time of the readings, ms
   * @returns the alert and what was added to it; null where there is nothing to tell
   */
  observe(
    about: AlertAbout,
    finding: { readonly level: AlertLevel | null; readonly reason: string },
    time: number,
  ): { readonly alert: PageAlert; readonly added: readonly AlertEvent[] } | null;
  /** Lets happen what fell due. True when anything did. */
  tick(): boolean;
  /** The open ones first, those that call before the others, the gravest of each first; then those that are over. */
  list(): PageAlert[];
  /** @throws MedcloudletError `ALERT_NOT_FOUND` (404), and what `decideAlert` refuses with */
  apply(id: string, wish: AlertWish): PageAlert;
  /** Readings of a stream up to this time (ms) were taken in already. */
  seenUntil(streamId: string): number;
  noteSeen(streamId: string, time: number): void;
  /** To be kept, for `createAlertJournal` to go on with. */
  text(): string;
}

/** More than these are not kept: of what is over, the oldest go. */
const MOST_ALERTS = 200;
const MOST_EVENTS = 60;
const MOST_MARKS = 20;
const MOST_STREAMS = 500;

const KEPT = z.strictObject({
  alerts: z.array(
    z.strictObject({
      id: z.string(),
      streamId: z.string(),
      patient: z.string(),
      kind: z.string(),
      events: z.array(ALERT_EVENT).min(1),
      marks: z.array(z.strictObject({ time: z.number(), level: z.enum(ALERT_LEVELS) })),
    }),
  ),
  seen: z.array(z.tuple([z.string(), z.number()])),
});
type Kept = z.infer<typeof KEPT>["alerts"][number];

const CALLS: Readonly<Record<Alert["status"], number>> = {
  escalated: 0,
  raised: 0,
  acknowledged: 1,
  snoozed: 1,
  resolved: 2,
};

const alertOf = ({ events }: Pick<Kept, "events">): Alert => replayAlert(events) as Alert;

/** Without pairs of "well" and "again" from long ago, which change nothing of how the alert stands now. */
function shortened(events: readonly AlertEvent[]): AlertEvent[] {
  const kept = [...events];
  for (let i = 1; i + 2 < kept.length && kept.length > MOST_EVENTS; ) {
    if (kept[i]?.type === "eased" && kept[i + 1]?.type === "returned") {
      kept.splice(i, 2);
    } else {
      i++;
    }
  }
  return kept;
}

function read(text: string | null): z.infer<typeof KEPT> {
  const nothing = { alerts: [], seen: [] };
  if (text === null) {
    return nothing;
  }
  try {
    return KEPT.safeParse(JSON.parse(text)).data ?? nothing;
  } catch {
    // What another version kept, or half of it: alerts begin anew.
    return nothing;
  }
}

/** @param kept what `text` gave the last time; null for none */
export function createAlertJournal(options: {
  readonly clock: Clock;
  readonly kept: string | null;
  readonly policy?: AlertPolicy;
}): AlertJournal {
  const { clock, policy = ALERT_POLICY } = options;
  const before = read(options.kept);
  const alerts = new Map<string, Kept>(before.alerts.map((one) => [one.id, one]));
  const seen = new Map<string, number>(before.seen);

  const pageAlert = (kept: Kept): PageAlert => {
    const alert = alertOf(kept);
    return { ...kept, alert, longestSnooze: policy.longestSnooze[alert.level] };
  };

  const change = (kept: Kept, command: AlertCommand): AlertEvent[] => {
    const due = advanceAlert(kept.events, { type: "tick", at: command.at }, policy);
    // What fell due is kept even when the command itself is refused.
    kept.events = [...due.events];
    const { events, added } = advanceAlert(kept.events, command, policy);
    kept.events = shortened(events);
    return [...due.added, ...added];
  };

  const forgetOldest = (): void => {
    const over = [...alerts.values()]
      .map((kept) => ({ id: kept.id, ...alertOf(kept) }))
      .filter(({ status }) => status === "resolved")
      .sort((a, b) => a.changedAt - b.changedAt);
    for (const { id } of over.slice(0, Math.max(0, alerts.size - MOST_ALERTS))) {
      alerts.delete(id);
    }
  };

  const openOne = ({ streamId, kind }: AlertAbout): Kept | undefined =>
    [...alerts.values()].find(
      (one) => one.streamId === streamId && one.kind === kind && alertOf(one).status !== "resolved",
    );

  return {
    observe(about, { level, reason }, time) {
      const command: AlertCommand = { type: "observe", at: clock.now(), level, reason };
      const open = openOne(about);
      const added = open === undefined ? [] : change(open, command);
      if (open !== undefined && (alertOf(open).status !== "resolved" || level === null)) {
        if (level !== null && added.some(({ type }) => type === "worsened")) {
          open.marks = [...open.marks, { time, level }].slice(-MOST_MARKS);
        }
        return added.length === 0 ? null : { alert: pageAlert(open), added };
      }
      if (level === null) {
        return null;
      }
      const { streamId, patient, kind } = about;
      const { events } = advanceAlert([], command, policy);
      const kept: Kept = {
        ...{ id: toHex(randomBytes(8)), streamId, patient, kind },
        ...{ events: [...events], marks: [{ time, level }] },
      };
      alerts.set(kept.id, kept);
      forgetOldest();
      return { alert: pageAlert(kept), added: events };
    },
    tick() {
      const at = clock.now();
      return [...alerts.values()].filter((kept) => change(kept, { type: "tick", at }).length > 0).length > 0;
    },
    list() {
      const level = ({ alert }: PageAlert) => ALERT_LEVELS.indexOf(alert.level);
      return [...alerts.values()]
        .map(pageAlert)
        .sort(
          (a, b) =>
            CALLS[a.alert.status] - CALLS[b.alert.status] ||
            (a.alert.status === "resolved" ? 0 : level(b) - level(a) || b.alert.tier - a.alert.tier) ||
            b.alert.changedAt - a.alert.changedAt,
        );
    },
    apply(id, wish) {
      const kept = alerts.get(id);
      if (kept === undefined) {
        throw new MedcloudletError("ALERT_NOT_FOUND", "This alert is no longer kept here.", { status: 404 });
      }
      const at = clock.now();
      change(
        kept,
        wish.type === "snooze"
          ? { type: "snooze", by: wish.by, at, until: at + wish.forMs }
          : { ...wish, at },
      );
      return pageAlert(kept);
    },
    seenUntil: (streamId) => seen.get(streamId) ?? Number.NEGATIVE_INFINITY,
    noteSeen(streamId, time) {
      if (time > (seen.get(streamId) ?? Number.NEGATIVE_INFINITY)) {
        // The one that was noted last is the last of the map.
        seen.delete(streamId);
        seen.set(streamId, time);
      }
    },
    text: () =>
      JSON.stringify({
        alerts: [...alerts.values()],
        seen: [...seen].slice(-MOST_STREAMS),
      } satisfies z.infer<typeof KEPT>),
  };
}
