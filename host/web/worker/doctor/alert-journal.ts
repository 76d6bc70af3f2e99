import {
  ALERT_LEVELS,
  ALERT_POLICY,
  type Alert,
  type AlertEvent,
  type AlertLevel,
  type AlertPolicy,
  type AlertWish,
  decideAlert,
} from "../../../analytics/index.ts";
import { type Clock, MedcloudletError } from "../../../base/index.ts";
import { type AlertNote, LONGEST_REASON, readAlertNote } from "./alert-note.ts";
import {
  type AlertStep,
  alertsOf,
  boundSteps,
  joinSteps,
  shortenSteps,
  type TimedAlert,
} from "./alert-timeline.ts";

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

/** The alerts of one person on this machine, whichever tabs watch. */
export interface AlertJournal {
  /**
   * Takes in what the readings of a stream show.
   * @param time of the readings, ms
   * @returns false where there is nothing to tell
   */
  observe(
    about: AlertAbout,
    finding: { readonly level: AlertLevel | null; readonly reason: string },
    time: number,
  ): boolean;
  /** Lets happen what fell due. True when anything did. */
  tick(): boolean;
  /** The open ones first, those that call before the others, the gravest of each first; then those that are over. */
  list(): PageAlert[];
  /**
   * @param saw how grave the alert was on the screen of who wishes; as it stands where that is not known
   * @throws MedcloudletError `ALERT_NOT_FOUND` (404), and what `decideAlert` refuses with
   */
  apply(id: string, wish: AlertWish, saw?: AlertLevel): PageAlert;
  /** Readings of a stream up to this time (ms) were taken in already. */
  seenUntil(streamId: string): number;
  noteSeen(streamId: string, time: number): void;
  /** To be kept, for `createAlertJournal` to go on with, and for other tabs. */
  text(): string;
  /** What was done here since it was last asked for, for other tabs; null for nothing. */
  news(): string | null;
  /** Takes in what another tab gave as `text` or `news`. True when anything was new. */
  join(text: string): boolean;
}

/** More than these are not kept: of what is over, the oldest go. */
const MOST_ALERTS = 200;
const MOST_STEPS = 60;
const MOST_MARKS = 20;
const MOST_STREAMS = 500;

interface Timeline {
  readonly about: AlertAbout;
  steps: readonly AlertStep[];
}

const CALLS: Readonly<Record<Alert["status"], number>> = {
  escalated: 0,
  raised: 0,
  acknowledged: 1,
  snoozed: 1,
  resolved: 2,
};

/** @param kept what `text` gave the last time; null for none */
export function createAlertJournal(options: {
  readonly clock: Clock;
  readonly kept: string | null;
  readonly policy?: AlertPolicy;
}): AlertJournal {
  const { clock, policy = ALERT_POLICY } = options;
  const timelines = new Map<string, Timeline>();
  const seen = new Map<string, number>();
  /** Timelines that other tabs have to hear of. */
  const untold = new Set<Timeline>();
  /** How many events each alert had when it was last told of. */
  const stood = new Map<string, number>();

  const timelineOf = ({ streamId, patient, kind }: AlertAbout): Timeline => {
    const key = JSON.stringify([streamId, kind]);
    const known = timelines.get(key);
    if (known !== undefined) {
      return known;
    }
    const timeline: Timeline = { about: { streamId, patient, kind }, steps: [] };
    timelines.set(key, timeline);
    return timeline;
  };
  const standing = (timeline: Timeline): TimedAlert[] => {
    const now = clock.now();
    timeline.steps = boundSteps(timeline.steps, now);
    return alertsOf(timeline.steps, now, policy);
  };
  const everything = () =>
    [...timelines.values()].flatMap((timeline) => standing(timeline).map((timed) => ({ timeline, timed })));
  const pageAlert = ({ about }: Timeline, { id, alert, events, marks }: TimedAlert): PageAlert => ({
    ...{ ...about, id, alert, events, marks: marks.slice(-MOST_MARKS) },
    longestSnooze: policy.longestSnooze[alert.level],
  });

  /** Whatever clock and tabs say, a step comes after all that is known of its timeline. */
  const nextMoment = ({ steps }: Timeline, after: number) => ({
    at: Math.max(clock.now(), after, steps.at(-1)?.at ?? 0),
    step: Math.max(0, ...steps.map(({ step }) => step)) + 1,
  });
  const noteStands = ({ id, events }: TimedAlert): void => {
    stood.set(id, events.length);
  };
  const add = (timeline: Timeline, step: AlertStep): void => {
    timeline.steps = joinSteps(timeline.steps, [step]);
    untold.add(timeline);
    tidy();
    standing(timeline).forEach(noteStands);
  };

  /** Drops an alert that is over, with what it answered: that must not begin another one. */
  const drop = (timeline: Timeline, { steps: [first] }: TimedAlert): void => {
    const alerts = standing(timeline);
    const next = alerts[alerts.findIndex(({ steps }) => steps[0] === first) + 1]?.steps[0];
    timeline.steps = next === undefined ? [] : timeline.steps.slice(timeline.steps.indexOf(next));
  };
  const tidy = (): void => {
    for (const timeline of timelines.values()) {
      const now = clock.now();
      timeline.steps = shortenSteps(boundSteps(timeline.steps, now), MOST_STEPS, now, policy);
    }
    const all = everything();
    const over = all
      .filter(({ timed }) => timed.alert.status === "resolved")
      .sort((a, b) => a.timed.alert.changedAt - b.timed.alert.changedAt);
    for (const { timeline, timed } of over.slice(0, Math.max(0, all.length - MOST_ALERTS))) {
      drop(timeline, timed);
    }
    for (const [key, timeline] of timelines) {
      if (timeline.steps.length === 0) {
        timelines.delete(key);
      }
    }
  };

  const noteSeen: AlertJournal["noteSeen"] = (streamId, time) => {
    if (time > (seen.get(streamId) ?? Number.NEGATIVE_INFINITY)) {
      // The one that was noted last is the last of the map.
      seen.delete(streamId);
      seen.set(streamId, time);
    }
  };

  const join: AlertJournal["join"] = (text) => {
    const theirs = readAlertNote(text);
    let isNew = false;
    for (const { steps, ...about } of theirs.timelines) {
      const timeline = timelineOf(about);
      const joined = joinSteps(timeline.steps, steps);
      isNew ||= joined.length > timeline.steps.length;
      timeline.steps = joined;
    }
    for (const [streamId, time] of theirs.seen) {
      noteSeen(streamId, time);
    }
    tidy();
    return isNew;
  };

  const textOf = (given: Iterable<Timeline>): string =>
    JSON.stringify({
      timelines: [...given].map(({ about, steps }) => ({ ...about, steps: [...steps] })),
      seen: [...seen].slice(-MOST_STREAMS),
    } satisfies AlertNote);

  if (options.kept !== null) {
    join(options.kept);
  }

  return {
    observe(about, { level: found, reason: why }, time) {
      const reason = why.slice(0, LONGEST_REASON);
      const timeline = timelineOf(about);
      const open = standing(timeline).find(({ alert }) => alert.status !== "resolved");
      const at = clock.now();
      const command = { type: "observe", at, level: found, reason } as const;
      if (decideAlert(open?.alert ?? null, command, policy).length === 0) {
        return false;
      }
      const isRaised = open === undefined;
      const before = timeline.steps;
      add(timeline, {
        ...{ type: "observe", level: found, reason, time },
        alert: open?.id ?? `${about.streamId}-${about.kind}-${time}`,
        ...nextMoment(timeline, open?.alert.changedAt ?? 0),
      });
      if (isRaised && standing(timeline).every(({ alert }) => alert.status === "resolved")) {
        // Readings that somebody has answered already.
        timeline.steps = before;
        return false;
      }
      return true;
    },
    tick() {
      const stands = everything();
      const changed = stands.some(({ timed: { id, events } }) => stood.get(id) !== events.length);
      stood.clear();
      for (const { timed } of stands) {
        noteStands(timed);
      }
      return changed;
    },
    list() {
      const rank = ({ alert }: PageAlert) => ALERT_LEVELS.indexOf(alert.level);
      return everything()
        .map(({ timeline, timed }) => pageAlert(timeline, timed))
        .sort(
          (a, b) =>
            CALLS[a.alert.status] - CALLS[b.alert.status] ||
            (a.alert.status === "resolved" ? 0 : rank(b) - rank(a) || b.alert.tier - a.alert.tier) ||
            b.alert.changedAt - a.alert.changedAt,
        );
    },
    apply(id, { type, by, ...wished }, saw) {
      const found = everything().find(({ timed }) => timed.id === id);
      if (found === undefined) {
        throw new MedcloudletError("ALERT_NOT_FOUND", "This alert is no longer kept here.", { status: 404 });
      }
      const { timeline, timed } = found;
      const next = nextMoment(timeline, timed.alert.changedAt);
      const until = "forMs" in wished ? next.at + wished.forMs : 0;
      const reason = "reason" in wished ? wished.reason.slice(0, LONGEST_REASON) : "";
      const added = decideAlert(timed.alert, { type, by, until, reason, at: next.at }, policy);
      if (added.length > 0) {
        add(timeline, { type, ...next, alert: id, by, saw: saw ?? timed.alert.level, until, reason });
      }
      const after = standing(timeline).find((one) => one.id === id);
      return pageAlert(timeline, after ?? timed);
    },
    seenUntil: (streamId) => seen.get(streamId) ?? Number.NEGATIVE_INFINITY,
    noteSeen,
    text: () => textOf(timelines.values()),
    news() {
      if (untold.size === 0) {
        return null;
      }
      const text = textOf(untold);
      untold.clear();
      return text;
    },
    join,
  };
}
