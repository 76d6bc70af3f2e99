import type { Quantity, ReadingColumn } from "../sealing/index.ts";
import { isMeasurable, type MeasuredParameter } from "./measurable.ts";
import { type News2Observation, type News2Options, type News2Score, scoreNews2 } from "./news2.ts";

/** How urgently a batch has to travel. */
export type BatchPriority = "emergency" | "abnormal" | "regular";

/** Scoring options, and what a person has told about the patient that no wearable measures. */
export interface BatchOptions extends News2Options {
  readonly observed?: Pick<News2Observation, "consciousness" | "supplementalOxygen">;
}

/** Why a batch has its priority. */
export interface BatchAssessment {
  readonly priority: BatchPriority;
  /** Score of the last known value of every parameter in the batch. */
  readonly latest: News2Score;
  /** The worst score on the way there, and the first moment (ms since 1970 UTC) that had it; null if empty. */
  readonly worst: { readonly time: number; readonly score: News2Score } | null;
}

type Parameters = Partial<Record<MeasuredParameter, number>>;

/** Last of two sources wins at one moment: the electrical heart rate over the optical pulse rate. */
const SOURCES: readonly (readonly [Quantity, MeasuredParameter])[] = [
  ["pulseRate", "pulse"],
  ["heartRate", "pulse"],
  ["respiratoryRate", "respiratoryRate"],
  ["oxygenSaturation", "oxygenSaturation"],
  ["systolicPressure", "systolicPressure"],
  ["bodyTemperature", "temperature"],
];

interface Track {
  readonly parameter: MeasuredParameter;
  readonly column: ReadingColumn;
  next: number;
}

/**
 * Priority of a batch of readings by NEWS2: 7 points and more is an emergency, 5-6 or a single 3 is abnormal,
 * everything else regular.
 *
 * The batch is walked through moment by moment, each parameter holding its latest value (a gap keeps the value
 * before it), and the worst moment decides, so that a deterioration in the middle is not lost when the end looks
 * well again. The price is that one wrong sample can raise the priority: it costs a faster delivery, while the
 * opposite error could cost a life. Values that cannot be a measurement count as gaps.
 *
 * A wearable does not measure consciousness, nor know about oxygen: unless `options.observed` tells, they stay
 * missing and add nothing, so the points are a lower bound. The true score can be higher, never lower; a batch
 * is never called more urgent than its values prove. An empty batch is regular.
 *
 * @param columns times ascending in each column, as everywhere
 * @throws MedcloudletError `NEWS2_NOT_APPLICABLE` for a patient whom NEWS2 does not fit
 */
export function priorityOf(columns: readonly ReadingColumn[], options: BatchOptions = {}): BatchPriority {
  return assessBatch(columns, options).priority;
}

/**
 * As `priorityOf`, with the scores behind it.
 * @param from moments before this (ms since 1970 UTC) tell what was known then, and cannot be the worst
 * @throws MedcloudletError `NEWS2_NOT_APPLICABLE`
 */
export function assessBatch(
  columns: readonly ReadingColumn[],
  options: BatchOptions = {},
  from = Number.NEGATIVE_INFINITY,
): BatchAssessment {
  const score = (parameters: Parameters) => scoreNews2({ ...parameters, ...options.observed }, options);
  const tracks = tracksOf(columns);
  const parameters: Parameters = {};
  let latest = score(parameters);
  let worst: BatchAssessment["worst"] = null;
  for (let time = nextTime(tracks); time !== Number.POSITIVE_INFINITY; time = nextTime(tracks)) {
    if (applyMoment(tracks, time, parameters)) {
      latest = score(parameters);
    }
    if (time >= from && (worst === null || isWorse(latest, worst.score))) {
      worst = { time, score: latest };
    }
  }
  return { priority: priorityOfScore(worst?.score ?? latest), latest, worst };
}

/** Priority that the points of one score call for; an incomplete score counts with its lower bound. */
export function priorityOfScore(score: News2Score): BatchPriority {
  if (score.lowerBound >= 7) {
    return "emergency";
  }
  return score.lowerBound >= 5 || score.redFlag ? "abnormal" : "regular";
}

function tracksOf(columns: readonly ReadingColumn[]): Track[] {
  return SOURCES.flatMap(([quantity, parameter]) =>
    columns
      .filter((column) => column.quantity === quantity)
      .map((column) => ({ parameter, column, next: 0 })),
  );
}

function nextTime(tracks: readonly Track[]): number {
  let earliest = Number.POSITIVE_INFINITY;
  for (const { column, next } of tracks) {
    const time = column.times[next];
    if (time !== undefined && time < earliest) {
      earliest = time;
    }
  }
  return earliest;
}

/** Take over every value of this moment; true when one of them differs from what was known. */
function applyMoment(tracks: readonly Track[], time: number, parameters: Parameters): boolean {
  let changed = false;
  for (const track of tracks) {
    if (track.column.times[track.next] !== time) {
      continue;
    }
    const value = track.column.values[track.next] ?? null;
    track.next += 1;
    if (value === null || !isMeasurable(track.parameter, value)) {
      continue;
    }
    changed ||= parameters[track.parameter] !== value;
    parameters[track.parameter] = value;
  }
  return changed;
}

function isWorse(score: News2Score, than: News2Score): boolean {
  const rank = { regular: 0, abnormal: 1, emergency: 2 };
  const difference = rank[priorityOfScore(score)] - rank[priorityOfScore(than)];
  return difference > 0 || (difference === 0 && score.lowerBound > than.lowerBound);
}
