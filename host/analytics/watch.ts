import { QUANTITIES, type Quantity, type ReadingColumn } from "../sealing/index.ts";
import { median } from "../statistics/index.ts";
import type { AlertLevel } from "./alerts/events.ts";
import { type Baseline, type BaselineOptions, createBaseline } from "./baseline.ts";
import { CUSUM_START, type CusumState, stepCusum } from "./cusum.ts";
import { type LastMeasured, noteMeasured, silencesAt } from "./missing-data.ts";
import type { News2Observation, News2Score } from "./news2.ts";
import { scoreNews2 } from "./news2.ts";
import type { BatchOptions } from "./priority.ts";
import { gateSignal, USABLE_QUALITY } from "./signal-quality.ts";
import { type Sample, trendOf } from "./trend.ts";
import { createTriage } from "./triage.ts";

/** What a watch looks for: the score, a departure from what is usual, where a trend leads, a signal that went away. */
export const WATCH_KINDS = ["news2", "deviation", "trend", "silence"] as const;
export type WatchKind = (typeof WATCH_KINDS)[number];

/** What the readings show of one kind; `level` null where they show that it is well. */
export interface Finding {
  readonly kind: WatchKind;
  readonly level: AlertLevel | null;
  readonly reason: string;
}

export interface WatchOptions extends BatchOptions {
  /** How long a value counts for the score, ms. Default one hour. */
  readonly holdMs?: number;
  readonly baseline?: BaselineOptions;
  /**
   * CUSUM decision interval, in standard deviations. Default 8, with an allowance of 1. Minutes of one body are not
   * independent, so the run length of the tables does not hold here; see docs/ANALYTICS.md for what was measured.
   */
  readonly threshold?: number;
  /** How much of the past a trend is laid through, ms. Default four hours. */
  readonly trendMs?: number;
}

/** Watches the opened readings of one stream, on the reader's side. */
export interface Watch {
  /** What a batch shows. Batches come in the order of time. A kind that is not mentioned is as it was. */
  observe(columns: readonly ReadingColumn[]): Finding[];
  /** Takes a batch in as `observe` does and says nothing of it: the past, for which trends need not be laid. */
  learn(columns: readonly ReadingColumn[]): void;
  /** What the silence shows by now (ms since 1970 UTC); to be asked by the clock. */
  silence(now: number): Finding;
}

interface Watched {
  /** Least spread of its baseline, in its unit: what monitors and bodies vary by anyway. */
  readonly spread: number;
  readonly parameter: keyof News2Observation;
  /** A saturation that rises is no reason to call anybody. */
  readonly onlyLow?: true;
}

/** Shifts of two deviations are looked for: a day has smaller ones of its own. */
const ALLOWANCE = 1;

const WATCHED: Readonly<Partial<Record<Quantity, Watched>>> = {
  heartRate: { spread: 6, parameter: "pulse" },
  respiratoryRate: { spread: 2, parameter: "respiratoryRate" },
  oxygenSaturation: { spread: 1.5, parameter: "oxygenSaturation", onlyLow: true },
  systolicPressure: { spread: 8, parameter: "systolicPressure" },
  bodyTemperature: { spread: 0.4, parameter: "temperature" },
};

/** A trend is told where, if it went on for so long, the score would be this much worse and ask for a doctor. */
const AHEAD_MS = 2 * 3_600_000;
const AHEAD_POINTS = 2;
const AHEAD_SCORE = 5;
const TREND_LEAST = 8;
const TREND_LEAST_MS = 3_600_000;
const TREND_EVERY_MS = 5 * 60_000;

/** Level that the points of a score call for; an incomplete score counts with its lower bound. */
function levelOfScore(score: News2Score): AlertLevel | null {
  if (score.lowerBound >= 7) {
    return "emergency";
  }
  if (score.lowerBound >= 5) {
    return "urgent";
  }
  return score.redFlag ? "attention" : null;
}

/**
 * Watches one patient. The score sees every measurable value, as on the device. Baselines (median and MAD), CUSUM and
 * Theil-Sen trends see what the signal quality gate lets through, one median a batch, so that motion and loose sensors
 * do not teach them; what the gate drops counts as silent.
 */
export function createWatch(options: WatchOptions = {}): Watch {
  const { baseline: baselineOptions, threshold = 8, trendMs = 4 * 3_600_000, ...triageOptions } = options;
  const triage = createTriage(triageOptions);
  const baselines = new Map<Quantity, Baseline>();
  const sums = new Map<Quantity, CusumState>();
  const past = new Map<Quantity, Sample[]>();
  let last: LastMeasured = {};
  let trendDue = Number.NEGATIVE_INFINITY;

  const baselineOf = (quantity: Quantity, spread: number): Baseline => {
    const known = baselines.get(quantity) ?? createBaseline({ leastSpread: spread, ...baselineOptions });
    baselines.set(quantity, known);
    return known;
  };

  /** One believed value of each watched quantity of a batch. */
  const digest = (columns: readonly ReadingColumn[]): (readonly [Quantity, Watched, Sample])[] =>
    columns.flatMap((column) => {
      const watched = WATCHED[column.quantity];
      const { quality, column: gated } = gateSignal(column);
      if (quality >= USABLE_QUALITY) {
        last = noteMeasured(last, [gated]);
      }
      const i = gated.values.findLastIndex((value) => value !== null);
      const time = gated.times[i];
      if (watched === undefined || quality < USABLE_QUALITY || time === undefined) {
        return [];
      }
      const value = median(gated.values.filter((one) => one !== null));
      return [[column.quantity, watched, { time, value }] as const];
    });

  const deviations = (samples: readonly (readonly [Quantity, Watched, Sample])[]): Finding[] => {
    const departed: string[] = [];
    let usual = samples.length > 0;
    for (const [quantity, { spread, onlyLow }, { time, value }] of samples) {
      const z = baselineOf(quantity, spread).score(time, value);
      const before = baselineOf(quantity, spread).usual(time);
      if (z === null || before === null) {
        usual = false;
        continue;
      }
      const { state, alarm } = stepCusum(sums.get(quantity) ?? CUSUM_START, z, {
        threshold,
        allowance: ALLOWANCE,
      });
      sums.set(quantity, state);
      usual &&= Math.abs(z) < 1;
      if (alarm === "low" || (alarm === "high" && onlyLow !== true)) {
        departed.push(`${QUANTITIES[quantity].display} ${shown(value)}, usually ${shown(before.median)}`);
      }
    }
    if (departed.length > 0) {
      return [{ kind: "deviation", level: "attention", reason: departed.join("; ") }];
    }
    return usual ? [{ kind: "deviation", level: null, reason: "as usual" }] : [];
  };

  const remember = (samples: readonly (readonly [Quantity, Watched, Sample])[]): void => {
    for (const [quantity, , sample] of samples) {
      const kept = past.get(quantity) ?? [];
      kept.push(sample);
      past.set(
        quantity,
        kept.filter(({ time }) => time >= sample.time - trendMs),
      );
    }
  };

  const trends = (samples: readonly (readonly [Quantity, Watched, Sample])[], now: News2Score): Finding[] => {
    remember(samples);
    const newest = Math.max(...samples.map(([, , { time }]) => time));
    if (samples.length === 0 || newest < trendDue) {
      return [];
    }
    trendDue = newest + TREND_EVERY_MS;
    const leads: string[] = [];
    let points = now.lowerBound;
    for (const [quantity, { parameter }] of Object.entries(WATCHED) as [Quantity, Watched][]) {
      const projected = projection(past.get(quantity) ?? [], newest);
      const before = now.parameters[parameter];
      if (projected === null || before === null) {
        continue;
      }
      const then =
        scoreNews2({ [parameter]: within(parameter, projected.value) }, options).parameters[parameter] ?? 0;
      points += then - before;
      if (then > before) {
        leads.push(`${QUANTITIES[quantity].display} ${signed(projected.perHour)} an hour`);
      }
    }
    const leadsUp = points >= now.lowerBound + AHEAD_POINTS && points >= AHEAD_SCORE && leads.length > 0;
    return leadsUp
      ? [{ kind: "trend", level: "attention", reason: `${leads.join("; ")}: NEWS2 ${points} in two hours` }]
      : [{ kind: "trend", level: null, reason: "no trend upwards" }];
  };

  return {
    observe(columns) {
      const { worst, latest } = triage.assess(columns);
      const score = worst?.score ?? latest;
      const samples = digest(columns);
      return [
        ...(worst === null
          ? []
          : [{ kind: "news2" as const, level: levelOfScore(score), reason: scoreReason(score) }]),
        ...deviations(samples),
        ...trends(samples, latest),
      ];
    },
    learn(columns) {
      triage.assess(columns);
      const samples = digest(columns);
      deviations(samples);
      remember(samples);
    },
    silence(now) {
      const silent = silencesAt(last, now);
      return silent.length === 0
        ? { kind: "silence", level: null, reason: "signals are there" }
        : {
            kind: "silence",
            level: "attention",
            reason: silent
              .map(({ quantity, silentMs }) => {
                const minutes = Math.floor(silentMs / 60_000);
                return `${QUANTITIES[quantity].display}: nothing for ${minutes} minutes`;
              })
              .join("; "),
          };
    },
  };
}

/** Where a trend that is surely one leads; null where there is none. */
function projection(samples: readonly Sample[], now: number): { value: number; perHour: number } | null {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined || samples.length < TREND_LEAST) {
    return null;
  }
  if (last.time - first.time < TREND_LEAST_MS) {
    return null;
  }
  const trend = trendOf(samples);
  if (!(trend.low > 0 || trend.high < 0)) {
    return null;
  }
  const hours = (now + AHEAD_MS - last.time) / 3_600_000;
  return { value: trend.now + trend.perHour * hours, perHour: trend.perHour };
}

/** A straight line knows no bounds; a body does. */
function within(parameter: keyof News2Observation, value: number): number {
  const most = { oxygenSaturation: 100, temperature: 43 }[parameter as string] ?? 250;
  return Math.min(most, Math.max(parameter === "temperature" ? 30 : 0, value));
}

function scoreReason(score: News2Score): string {
  const points = Object.entries(score.parameters)
    .filter(([, value]) => value !== null && value > 0)
    .map(([name, value]) => `${name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)} ${value}`);
  return `NEWS2 ${score.complete ? "" : "≥ "}${score.lowerBound}${points.length === 0 ? "" : ` (${points.join(", ")})`}`;
}

function shown(value: number): string {
  return String(Math.round(10 * value) / 10);
}

function signed(value: number): string {
  return `${value > 0 ? "+" : ""}${shown(value)}`;
}
