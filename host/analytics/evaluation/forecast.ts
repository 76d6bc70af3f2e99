import { bootstrapClusters, type Interval, rankArea } from "../../statistics/index.ts";
import { featuresAt } from "./features.ts";
import { fitLogistic, type LogisticModel, predict } from "./logistic.ts";
import { type Moment, momentsOf, type Stay } from "./stay.ts";

const HOUR = 3_600_000;
/** How far ahead an event counts. */
export const HORIZON_MS = 6 * HOUR;
/** The event: a NEWS2 of so many points. */
export const EVENT_POINTS = 7;
const FIRST_MS = 4 * HOUR;

/** A patient with all moments of the stay. */
export interface Patient {
  readonly id: string;
  readonly moments: readonly Moment[];
}

/** One question that can be asked of a stay: does the event come within the horizon? */
export interface Case {
  readonly moment: Moment;
  readonly features: readonly number[];
  readonly event: boolean;
}

/** Adults with their moments. NEWS2 is not for children, and an unknown age is no adult's. */
export function patientsOf(stays: readonly Stay[]): Patient[] {
  return stays
    .filter(({ ageYears }) => ageYears !== null && ageYears >= 16)
    .map((stay) => ({ id: stay.patient, moments: momentsOf(stay) }));
}

/** FNV-1a: which half a patient is in depends on nothing but the id. */
export function isTraining({ id }: Pick<Patient, "id">): boolean {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) {
    hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  }
  return ((hash ^ (hash >>> 15)) & 1) === 1;
}

/**
 * The cases of a stay: the last charted moment of each hour, from the fourth on, at which the score is below the event and
 * after which the chart goes on. At the event itself there is nothing to foresee.
 */
export function casesOf({ moments }: Patient): Case[] {
  const cases: Case[] = [];
  for (const [i, moment] of moments.entries()) {
    const next = moments[i + 1];
    const lastOfHour = next !== undefined && Math.floor(next.time / HOUR) > Math.floor(moment.time / HOUR);
    if (!lastOfHour || moment.time < FIRST_MS || moment.score.lowerBound >= EVENT_POINTS) {
      continue;
    }
    const ahead = moments.slice(i + 1).filter(({ time }) => time <= moment.time + HORIZON_MS);
    if (ahead.length > 0) {
      const event = ahead.some(({ score }) => score.lowerBound >= EVENT_POINTS);
      cases.push({ moment, features: featuresAt(moments, i), event });
    }
  }
  return cases;
}

/** Limits of ordinary monitor alarms: one value beyond one of them alarms. */
export const SINGLE_LIMITS = {
  pulse: [50, 120],
  systolicPressure: [90, 180],
  respiratoryRate: [8, 30],
  oxygenSaturation: [90, 101],
  temperature: [35, 39],
} as const;

/** How many parameters are beyond their limits. */
export function limitsCrossed({ known }: Moment): number {
  return Object.entries(SINGLE_LIMITS).filter(([name, [least, most]]) => {
    const value = known[name as keyof typeof SINGLE_LIMITS];
    return value !== undefined && (value < least || value > most);
  }).length;
}

/** A way to foresee, as a number that is higher where the event is likelier. */
export interface Forecaster {
  readonly name: string;
  readonly score: (one: Case) => number;
}

/** Area under the curve of one forecaster, with its 95 % interval over patients. */
export interface ForecastResult {
  readonly name: string;
  readonly area: Interval;
  /** Difference to raw NEWS2, patient by patient; null for NEWS2 itself. */
  readonly difference: Interval | null;
}

/** What came out, and from how much. */
export interface Forecast {
  readonly training: { readonly patients: number; readonly cases: number; readonly events: number };
  readonly test: { readonly patients: number; readonly cases: number; readonly events: number };
  readonly results: readonly ForecastResult[];
  /** Scores with truth of the test cases, for curves. */
  readonly judged: Readonly<Record<string, readonly { readonly score: number; readonly event: boolean }[]>>;
  readonly model: LogisticModel;
}

/**
 * Fits on one half of the patients and judges on the other: AUROC of single limits, raw NEWS2 and the fitted model.
 * @param rounds rounds of the bootstrap
 */
export function forecast(patients: readonly Patient[], rounds: number): Forecast {
  const all = patients
    .map((patient) => ({ patient, cases: casesOf(patient) }))
    .filter(({ cases }) => cases.length > 0);
  const training = all.filter(({ patient }) => isTraining(patient)).map(({ cases }) => cases);
  const test = all.filter(({ patient }) => !isTraining(patient)).map(({ cases }) => cases);
  const learnt = training.flat();
  const model = fitLogistic(
    learnt.map(({ features }) => features),
    learnt.map(({ event }) => event),
  );
  const news2: Forecaster = { name: "NEWS2 now", score: ({ moment }) => moment.score.lowerBound };
  const forecasters: Forecaster[] = [
    { name: "single limits", score: ({ moment }) => limitsCrossed(moment) },
    news2,
    { name: "NEWS2 with trends", score: ({ features }) => predict(model, features) },
  ];
  const areaOf = (clusters: readonly (readonly Case[])[], { score }: Forecaster): number =>
    rankArea(
      clusters.flat().map((one) => ({ score: score(one), event: one.event })),
      ({ event }) => event,
    );
  /** Each case is scored once: the bootstrap draws patients, not models. */
  const scored = (forecaster: Forecaster): Forecaster => {
    const known = new Map(test.flat().map((one) => [one, forecaster.score(one)]));
    return { ...forecaster, score: (one) => known.get(one) ?? Number.NaN };
  };
  const ready = forecasters.map(scored);
  const base = ready[forecasters.indexOf(news2)] as Forecaster;
  const results = ready.map((forecaster) => ({
    name: forecaster.name,
    area: bootstrapClusters(test, (drawn) => areaOf(drawn, forecaster), { rounds }),
    difference:
      forecaster === base
        ? null
        : bootstrapClusters(test, (drawn) => areaOf(drawn, forecaster) - areaOf(drawn, base), { rounds }),
  }));
  const size = (half: readonly (readonly Case[])[]) => ({
    patients: half.length,
    cases: half.flat().length,
    events: half.flat().filter(({ event }) => event).length,
  });
  return {
    training: size(training),
    test: size(test),
    results,
    judged: Object.fromEntries(
      ready.map(({ name, score }) => [
        name,
        test.flat().map((one) => ({ score: score(one), event: one.event })),
      ]),
    ),
    model,
  };
}
