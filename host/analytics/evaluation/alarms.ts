import { bootstrapClusters, type Interval, quantile } from "../../statistics/index.ts";
import { featuresAt } from "./features.ts";
import {
  EVENT_POINTS,
  HORIZON_MS,
  isTraining,
  limitsCrossed,
  type Patient,
  SINGLE_LIMITS,
} from "./forecast.ts";
import { type LogisticModel, predict } from "./logistic.ts";
import type { Moment } from "./stay.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const FIRST_MS = 4 * HOUR;
/** As in the life of an alert: it ends when the readings have been well for so long. */
const WELL_MS = 30 * 60_000;

/** What an alarm did in one stay. */
interface Course {
  /** Moments at which it began to sound. */
  readonly starts: readonly number[];
  /** Moments at which it was sounding, starts among them. */
  readonly active: readonly number[];
}

/** An alarm: its course over the moments of a stay. */
export interface Alarm {
  readonly name: string;
  readonly course: (patient: Patient) => Course;
}

/** How an alarm did. */
export interface AlarmResult {
  readonly name: string;
  /** Starts in a day of one patient. */
  readonly perDay: Interval;
  /** Share of the charted moments at which it sounds: an alarm that never stops starts seldom. */
  readonly sounding: Interval;
  /** Share of events before which it sounded, within the horizon. */
  readonly warned: Interval;
  /** Share of starts after which an event came within the horizon. */
  readonly useful: Interval;
  /** Minutes from its first sounding within the horizon to the event, of events that were warned of. */
  readonly leadMinutes: { readonly median: Interval; readonly lower: number; readonly upper: number };
}

/** Sounds while `isBad` holds, and starts anew each time that it begins to. */
function edges(
  name: string,
  isBad: (moment: Moment, patient: Patient, i: number) => boolean,
  wellMs = 0,
): Alarm {
  return {
    name,
    course(patient) {
      const starts: number[] = [];
      const active: number[] = [];
      let badAt: number | null = null;
      let wellSince: number | null = null;
      for (const [i, moment] of patient.moments.entries()) {
        if (isBad(moment, patient, i)) {
          if (badAt === null) {
            starts.push(moment.time);
          }
          active.push(moment.time);
          badAt = moment.time;
          wellSince = null;
          continue;
        }
        wellSince ??= moment.time;
        if (moment.time - wellSince >= wellMs) {
          badAt = null;
        }
      }
      return { starts, active };
    },
  };
}

/** Every parameter on its own, as monitors have it: a value beyond a limit sounds, whatever the others do. */
function singleLimits(): Alarm {
  const each = Object.entries(SINGLE_LIMITS).map(([name, [least, most]]) =>
    edges(name, ({ known }) => {
      const value = known[name as keyof typeof SINGLE_LIMITS];
      return value !== undefined && (value < least || value > most);
    }),
  );
  return {
    name: "single limits",
    course(patient) {
      return {
        starts: each.flatMap((alarm) => alarm.course(patient).starts),
        active: patient.moments.filter((moment) => limitsCrossed(moment) > 0).map(({ time }) => time),
      };
    },
  };
}

/** First moments of the event, six hours or more after the one before; not within the first four hours. */
export function onsetsOf({ moments }: Patient): number[] {
  const onsets: number[] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const { time, score } of moments) {
    if (score.lowerBound < EVENT_POINTS) {
      continue;
    }
    if (time - last > HORIZON_MS && time >= FIRST_MS) {
      onsets.push(time);
    }
    last = time;
  }
  return onsets;
}

interface Tally {
  readonly days: number;
  readonly starts: number;
  readonly active: number;
  readonly moments: number;
  readonly useful: number;
  readonly onsets: number;
  readonly leads: readonly number[];
}

function tallyOf(patient: Patient, alarm: Alarm): Tally {
  const { starts, active } = alarm.course(patient);
  const onsets = onsetsOf(patient);
  const [first, last] = [patient.moments[0]?.time ?? 0, patient.moments.at(-1)?.time ?? 0];
  const leads = onsets.flatMap((onset) => {
    const before = active.filter((time) => time < onset && time >= onset - HORIZON_MS);
    return before.length === 0 ? [] : [onset - Math.min(...before)];
  });
  return {
    days: (last - first) / DAY,
    starts: starts.length,
    active: active.length,
    moments: patient.moments.length,
    useful: starts.filter((time) => onsets.some((onset) => onset > time && onset <= time + HORIZON_MS))
      .length,
    onsets: onsets.length,
    leads,
  };
}

function sumOf(tallies: readonly Tally[], of: (tally: Tally) => number): number {
  return tallies.reduce((sum, tally) => sum + of(tally), 0);
}

function soundingOf(tallies: readonly Tally[]): number {
  return sumOf(tallies, ({ active }) => active) / sumOf(tallies, ({ moments }) => moments);
}

/** Alerts in a patient's day, events warned of, and how long before, with 95 % intervals over patients. */
export function judgeAlarm(patients: readonly Patient[], alarm: Alarm, rounds: number): AlarmResult {
  const tallies = patients.map((patient) => tallyOf(patient, alarm));
  const interval = (measure: (drawn: readonly Tally[]) => number) =>
    bootstrapClusters(tallies, measure, { rounds });
  const minutes = (drawn: readonly Tally[]) =>
    drawn.flatMap(({ leads }) => leads.map((lead) => lead / 60_000));
  return {
    name: alarm.name,
    perDay: interval((drawn) => sumOf(drawn, ({ starts }) => starts) / sumOf(drawn, ({ days }) => days)),
    sounding: interval(soundingOf),
    warned: interval(
      (drawn) => sumOf(drawn, ({ leads }) => leads.length) / sumOf(drawn, ({ onsets }) => onsets),
    ),
    useful: interval((drawn) => sumOf(drawn, ({ useful }) => useful) / sumOf(drawn, ({ starts }) => starts)),
    leadMinutes: {
      median: interval((drawn) => quantile(minutes(drawn), 0.5)),
      lower: quantile(minutes(tallies), 0.25),
      upper: quantile(minutes(tallies), 0.75),
    },
  };
}

/** One point of the trade between calling often and calling in time. */
export interface TradePoint {
  readonly threshold: number;
  readonly perDay: number;
  readonly sounding: number;
  readonly warned: number;
}

/** The same alarm at several thresholds. */
function tradeOf(
  patients: readonly Patient[],
  alarmAt: (threshold: number) => Alarm,
  thresholds: readonly number[],
): TradePoint[] {
  return thresholds.map((threshold) => {
    const tallies = patients.map((patient) => tallyOf(patient, alarmAt(threshold)));
    return {
      threshold,
      perDay: sumOf(tallies, ({ starts }) => starts) / sumOf(tallies, ({ days }) => days),
      sounding: soundingOf(tallies),
      warned: sumOf(tallies, ({ leads }) => leads.length) / sumOf(tallies, ({ onsets }) => onsets),
    };
  });
}

/** What the alarms are compared by. */
export interface AlarmComparison {
  readonly patients: number;
  readonly days: number;
  readonly events: number;
  readonly results: readonly AlarmResult[];
  readonly trade: Readonly<Record<string, readonly TradePoint[]>>;
}

/**
 * Compares alarms on the test half. The fitted model's threshold is chosen on the training half, so that there it warns
 * of as large a share of events as NEWS2 from 5 points on.
 */
export function compareAlarms(
  patients: readonly Patient[],
  model: LogisticModel,
  rounds: number,
): AlarmComparison {
  const test = patients.filter((patient) => !isTraining(patient));
  const training = patients.filter(isTraining);
  const chances = new Map(
    patients.map((patient) => [
      patient.id,
      patient.moments.map((_, i) => predict(model, featuresAt(patient.moments, i))),
    ]),
  );
  const raw = (points: number) => edges(`NEWS2 from ${points} on`, ({ score }) => score.lowerBound >= points);
  const lived = (points: number) =>
    edges(`NEWS2 from ${points} on, as alerts`, ({ score }) => score.lowerBound >= points, WELL_MS);
  const fitted = (chance: number, name = "NEWS2 with trends, as alerts") =>
    edges(name, (_, { id }, i) => (chances.get(id)?.[i] ?? 0) >= chance, WELL_MS);
  const thresholds = Array.from({ length: 40 }, (_, i) => (i + 1) / 50);
  const wanted = tradeOf(training, raw, [5])[0]?.warned ?? 1;
  const chosen = [...tradeOf(training, fitted, thresholds)].reverse().find(({ warned }) => warned >= wanted);
  const alarms = [singleLimits(), raw(5), lived(5), fitted(chosen?.threshold ?? 0.02)];
  return {
    patients: test.length,
    days: sumOf(
      test.map((patient) => tallyOf(patient, raw(5))),
      ({ days }) => days,
    ),
    events: test.flatMap(onsetsOf).length,
    results: alarms.map((alarm) => judgeAlarm(test, alarm, rounds)),
    trade: {
      "NEWS2, threshold 2 to 6": tradeOf(test, lived, [2, 3, 4, 5, 6]),
      "NEWS2 with trends": tradeOf(test, fitted, thresholds),
    },
  };
}
