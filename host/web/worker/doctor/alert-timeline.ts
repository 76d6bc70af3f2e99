import {
  type Alert,
  type AlertCommand,
  type AlertEvent,
  type AlertLevel,
  type AlertPolicy,
  decideAlert,
  evolveAlert,
  isGraver,
} from "../../../analytics/index.ts";
import { isMedcloudletError } from "../../../base/index.ts";

/** Where a step stands among those of all tabs: by time, then by what its tab had heard of. */
interface Moment {
  /** Ms; never before what the tab that made it knew of the alert. */
  readonly at: number;
  /** One more than the highest number that its tab had heard of in this timeline. */
  readonly step: number;
  /** The alert that it was meant for, or that it began. */
  readonly alert: string;
}

/** Something that a tab saw in readings, or that a person did there. */
export type AlertStep =
  | (Moment & {
      readonly type: "observe";
      readonly level: AlertLevel | null;
      readonly reason: string;
      /** Of the readings, ms. */
      readonly time: number;
    })
  | (Moment & {
      readonly type: "acknowledge" | "snooze" | "resolve";
      readonly by: string;
      /** How grave the alert was on the screen that the person looked at. */
      readonly saw: AlertLevel;
      /** When a snooze ends, ms; 0 for the others. */
      readonly until: number;
      readonly reason: string;
    });

/** An alert as the steps of all tabs add up to it. */
export interface TimedAlert {
  readonly id: string;
  readonly alert: Alert;
  readonly events: readonly AlertEvent[];
  readonly marks: readonly { readonly time: number; readonly level: AlertLevel }[];
  /** The steps that it rests on. */
  readonly steps: readonly AlertStep[];
  /** Those of them that saw what was known already. */
  readonly idle: readonly AlertStep[];
  /** The alerts that are this one: what is meant for any of them goes to it. */
  readonly names: readonly string[];
  /** Time of the newest readings in it, ms. */
  readonly newest: number;
}

/** A step may be dated ahead of the clock by so much, ms: clocks are put right a little all the time. */
const AHEAD_MS = 5_000;

/** All but its moment, which `boundSteps` may have changed in one tab. */
const identityOf = ({ at: _, ...step }: AlertStep): string =>
  JSON.stringify(Object.entries(step).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Steps of several tabs together: each once, at its earliest moment, in the one order that all tabs give them. */
export function joinSteps(...lists: readonly (readonly AlertStep[])[]): AlertStep[] {
  const all = new Map<string, AlertStep>();
  for (const step of lists.flat()) {
    const name = identityOf(step);
    const known = all.get(name);
    all.set(name, known === undefined || step.at < known.at ? step : known);
  }
  return [...all]
    .sort(([nameA, a], [nameB, b]) => a.at - b.at || a.step - b.step || (nameA < nameB ? -1 : 1))
    .map(([, step]) => step);
}

/**
 * Puts what is dated ahead to now. A clock that was ahead and is right again must not keep what it dated from falling
 * due. A snooze of then is refused by that, so that the alert calls.
 * @param now ms
 */
export function boundSteps(steps: readonly AlertStep[], now: number): readonly AlertStep[] {
  const latest = now + AHEAD_MS;
  return (steps.at(-1)?.at ?? 0) <= latest
    ? steps
    : joinSteps(steps.map((step) => (step.at > latest ? { ...step, at: now } : step)));
}

/** Several alerts in turn may have begun with one name: who acts on one of them means the one that is open. */
const nameOf = (id: string): string => id.replace(/~+$/, "");

function commandOf(step: AlertStep, at: number): AlertCommand {
  switch (step.type) {
    case "observe":
      return { type: "observe", at, level: step.level, reason: step.reason };
    case "acknowledge":
      return { type: "acknowledge", at, by: step.by };
    case "snooze":
      return { type: "snooze", at, by: step.by, until: step.until };
    case "resolve":
      return { type: "resolve", at, by: step.by, reason: step.reason };
  }
}

/**
 * The alerts of one stream and kind, as the steps of all tabs add up to them: the same for the same steps, whatever
 * order they were heard in. So tabs that tell each other everything show the same, none is in charge, and what one of
 * them did is there when it is gone.
 *
 * - Two tabs that raise an alert for the same thing at once raise one: the earlier has it, and what was meant for the
 *   other goes to it.
 * - Who acts answers for what was on the screen. Where another tab knew of something graver by then, an acknowledgement
 *   stands and the alert is escalated again at once; a snooze or a resolution has no effect, so that it goes on calling.
 * - What another tab saw after an alert was resolved elsewhere begins a new one.
 *
 * @param steps as `joinSteps` gives them
 * @param now ms; what falls due until then happens
 */
export function alertsOf(steps: readonly AlertStep[], now: number, policy: AlertPolicy): TimedAlert[] {
  const found: TimedAlert[] = [];
  /** Up to which readings, and to which level, the last alert that is over was answered. */
  let answered: { readonly time: number; readonly level: AlertLevel } | null = null;
  const taken = new Set<string>();
  let open: {
    readonly id: string;
    readonly names: Set<string>;
    alert: Alert | null;
    events: AlertEvent[];
    marks: { time: number; level: AlertLevel }[];
    steps: AlertStep[];
    idle: AlertStep[];
  } | null = null;

  const add = (events: readonly AlertEvent[]): void => {
    if (open !== null) {
      open.events.push(...events);
      open.alert = events.reduce<Alert | null>(evolveAlert, open.alert);
    }
  };
  const close = (): void => {
    if (open?.alert != null) {
      const { alert, names, ...rest } = open;
      const newest = Math.max(...open.steps.map((step) => (step.type === "observe" ? step.time : 0)));
      found.push({ ...rest, alert, names: [...names], newest });
      // Readings dated ahead answer for nothing that comes after the alert was over.
      answered = { time: Math.min(newest, alert.changedAt), level: alert.level };
    }
    open = null;
  };
  /** Lets what is due before `at` happen; an alert that is over by then is closed. */
  const pass = (at: number): void => {
    if (open?.alert != null) {
      add(decideAlert(open.alert, { type: "tick", at }, policy));
      if (open.alert.status === "resolved") {
        close();
      }
    }
  };

  /** A tab that comes later, or is slow, looks at readings that somebody has answered meanwhile. */
  const isOldNews = (time: number, level: AlertLevel): boolean =>
    answered !== null && time <= answered.time && !isGraver(level, answered.level);

  for (const step of steps) {
    pass(step.at);
    if (step.type === "observe") {
      if (open === null) {
        if (step.level === null || isOldNews(step.time, step.level)) {
          continue;
        }
        let id = step.alert;
        while (taken.has(id)) {
          id += "~";
        }
        taken.add(id);
        open = { id, names: new Set(), alert: null, events: [], marks: [], steps: [], idle: [] };
      }
      open.names.add(nameOf(step.alert));
      open.steps.push(step);
      const events = decideAlert(open.alert, commandOf(step, step.at), policy);
      add(events);
      if (events.length === 0) {
        open.idle.push(step);
      }
      if (step.level !== null && events.some(({ type }) => type === "raised" || type === "worsened")) {
        open.marks.push({ time: step.time, level: step.level });
      }
      continue;
    }
    if (open?.alert == null || !open.names.has(nameOf(step.alert))) {
      continue;
    }
    open.steps.push(step);
    const unseen = isGraver(open.alert.level, step.saw);
    if (unseen && step.type !== "acknowledge") {
      continue;
    }
    try {
      add(decideAlert(open.alert, commandOf(step, step.at), policy));
    } catch (error) {
      // Another tab was faster, and by that it does not fit any more.
      if (!isMedcloudletError(error)) {
        throw error;
      }
    }
    if (unseen && open.alert.status === "acknowledged") {
      const tier = Math.min(open.alert.tier + 1, policy.highestTier);
      add([{ type: "escalated", at: open.alert.changedAt, tier, cause: "worse" }]);
    }
    if (open.alert.status === "resolved") {
      close();
    }
  }
  pass(now);
  close();
  return found;
}

/**
 * The same alerts from fewer steps: without what saw nothing new, and without pairs of "well" and "again" from long ago.
 * A step stays wherever an alert would stand otherwise without it, now or by what may still be heard.
 * @param most as many may stay for each alert
 * @param now ms
 */
export function shortenSteps(
  steps: readonly AlertStep[],
  most: number,
  now: number,
  policy: AlertPolicy,
): readonly AlertStep[] {
  if (steps.length <= most) {
    return steps;
  }
  const before = alertsOf(steps, now, policy);
  if (before.every((timed) => timed.steps.length <= most)) {
    return steps;
  }
  const standing = (alerts: readonly TimedAlert[]): string =>
    JSON.stringify(
      alerts.map(({ id, alert, marks, names, newest }) => {
        return [id, { ...alert, changedAt: 0 }, marks, [...names].sort(), newest];
      }),
    );
  const wanted = standing(before);
  let kept = steps;
  const isSameWithout = (gone: readonly AlertStep[]): boolean => {
    const fewer = kept.filter((step) => !gone.includes(step));
    const same = standing(alertsOf(fewer, now, policy)) === wanted;
    kept = same ? fewer : kept;
    return same;
  };
  for (const { steps: own, idle } of before) {
    let count = own.length;
    for (const step of idle) {
      if (count > most && isSameWithout([step])) {
        count--;
      }
    }
    const telling = own.filter((step) => !idle.includes(step));
    for (let i = 0; i + 1 < telling.length && count > most; ) {
      const [well, again] = telling.slice(i, i + 2) as [AlertStep, AlertStep];
      const isPair = well.type === "observe" && well.level === null && again.type === "observe";
      if (isPair && isSameWithout([well, again])) {
        telling.splice(i, 2);
        count -= 2;
      } else {
        i++;
      }
    }
  }
  return kept;
}
