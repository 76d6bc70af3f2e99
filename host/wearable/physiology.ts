import { createRandom, MedcloudletError } from "../base/index.ts";
import { QUANTITIES, type Quantity, type ReadingColumn } from "../sealing/index.ts";
import { createActivity } from "./activity.ts";
import { createBody } from "./body.ts";
import { type Episode, episodeAt } from "./episode.ts";
import {
  DEFAULT_INTERVALS,
  HEALTHY_ADULT,
  type PhysiologyProfile,
  type SamplingIntervals,
} from "./profile.ts";
import { createSensors } from "./sensors.ts";

/** What to simulate. */
export interface PhysiologyOptions {
  /** An integer from 0 to 2^53 - 1. The same options give the same samples, however they are batched. */
  readonly seed: number;
  /** Moment of the first sample, ms since 1970 UTC. */
  readonly startTime: number;
  /** Deviations from `HEALTHY_ADULT`. */
  readonly profile?: Partial<PhysiologyProfile>;
  readonly episode?: Episode;
  /** Deviations from `DEFAULT_INTERVALS`. */
  readonly intervals?: Partial<SamplingIntervals>;
}

/** A simulated person wearing sensors. */
export interface Physiology {
  /**
   * The next `seconds` of samples. A quantity of which no sample was due (the cuff, mostly) has no column.
   * @throws MedcloudletError `WEARABLE_SIMULATION` unless `seconds` is a positive integer
   */
  nextBatch(seconds: number): ReadingColumn[];
  /** Moment of the next sample, ms since 1970 UTC. */
  now(): number;
}

type Column = { quantity: Quantity; times: number[]; values: (number | null)[] };
type Columns = Map<Quantity, Column>;

const STREAM = { activity: 1, body: 2, sensors: 3, cuff: 4 } as const;
const HOUR_MS = 3_600_000;
/** Even in a compressed episode a cuff needs this long to measure. */
const CUFF_SECONDS = 30;

/**
 * A seeded simulator of believable vital signs, for demonstrations and tests, not for clinical conclusions.
 * Inside it runs second by second: activity moves the body, the episode shifts it, the sensors read it.
 * Samples lie at `startTime` plus whole multiples of each quantity's interval; steps are those since the sample
 * before, so that their first sample comes one interval after the start.
 *
 * @throws MedcloudletError `WEARABLE_SIMULATION` for a seed, time, interval or episode that cannot be
 */
export function createPhysiology(options: PhysiologyOptions): Physiology {
  const profile: PhysiologyProfile = { ...HEALTHY_ADULT, ...options.profile };
  const intervals: SamplingIntervals = { ...DEFAULT_INTERVALS, ...options.intervals };
  const { seed, startTime, episode } = options;
  checkOptions(options, intervals);

  const cuffRandom = createRandom(seed, STREAM.cuff);
  const cuffPause = (haste: number) => {
    const pause = cuffRandom.between(intervals.cuffShortest, intervals.cuffLongest) / haste;
    return Math.max(Math.min(CUFF_SECONDS, intervals.cuffShortest), Math.round(pause));
  };
  const moveActivity = createActivity(createRandom(seed, STREAM.activity), profile, localHour(startTime));
  const moveBody = createBody(seed, STREAM.body, profile);
  const readSensors = createSensors(seed, STREAM.sensors);
  let second = 0;
  let steps = 0;
  let cuffDue = 0;
  let hastened = false;

  function localHour(time: number): number {
    const hours = (time + profile.utcOffsetMinutes * 60_000) / HOUR_MS;
    return ((hours % 24) + 24) % 24;
  }

  function tick(columns: Columns): void {
    const time = startTime + second * 1000;
    const hour = localHour(time);
    const course = episodeAt(episode, second);
    const activity = moveActivity(hour, course.severity);
    const sensed = readSensors(moveBody(hour, activity, course), activity);

    for (const quantity of ["heartRate", "pulseRate", "respiratoryRate", "oxygenSaturation"] as const) {
      if (second % intervals[quantity] === 0) {
        append(columns, quantity, time, sensed[quantity]);
      }
    }
    if (second % intervals.bodyTemperature === 0) {
      append(columns, "bodyTemperature", time, sensed.bodyTemperature);
    }
    if (second > 0 && second % intervals.steps === 0) {
      append(columns, "steps", time, steps);
      steps = 0;
    }
    steps += activity.steps;
    if (course.haste > 1 && !hastened) {
      hastened = true;
      cuffDue = Math.min(cuffDue, second + cuffPause(course.haste));
    }
    if (second >= cuffDue) {
      append(columns, "systolicPressure", time, sensed.systolicPressure);
      append(columns, "diastolicPressure", time, sensed.diastolicPressure);
      cuffDue = second + cuffPause(course.haste);
    }
    second += 1;
  }

  return {
    nextBatch(seconds) {
      requirePositiveInteger("seconds", seconds);
      const columns: Columns = new Map();
      for (let i = 0; i < seconds; i++) {
        tick(columns);
      }
      return (Object.keys(QUANTITIES) as Quantity[]).flatMap((quantity) => columns.get(quantity) ?? []);
    },
    now: () => startTime + second * 1000,
  };
}

function append(columns: Columns, quantity: Quantity, time: number, value: number | null): void {
  let column = columns.get(quantity);
  if (column === undefined) {
    column = { quantity, times: [], values: [] };
    columns.set(quantity, column);
  }
  column.times.push(time);
  column.values.push(value);
}

function checkOptions({ seed, startTime, episode }: PhysiologyOptions, intervals: SamplingIntervals): void {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw refused("seed must be an integer from 0 to 2^53 - 1.");
  }
  if (!Number.isSafeInteger(startTime)) {
    throw refused("startTime must be whole milliseconds since 1970 UTC.");
  }
  for (const [name, seconds] of Object.entries(intervals)) {
    requirePositiveInteger(`intervals.${name}`, seconds);
  }
  if (intervals.cuffLongest < intervals.cuffShortest) {
    throw refused("intervals.cuffLongest must not be less than intervals.cuffShortest.");
  }
  const { onsetSeconds = 0, durationSeconds = 1, timeFactor = 1 } = episode ?? {};
  if (!(onsetSeconds >= 0 && durationSeconds > 0 && timeFactor >= 1)) {
    throw refused("An episode needs onsetSeconds >= 0, durationSeconds > 0 and timeFactor >= 1.");
  }
}

function requirePositiveInteger(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw refused(`${name} must be a positive integer of seconds.`);
  }
}

function refused(message: string): MedcloudletError {
  return new MedcloudletError("WEARABLE_SIMULATION", message, { status: 400 });
}
