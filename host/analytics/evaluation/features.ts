import { median } from "../../statistics/index.ts";
import { type Sample, trendOf } from "../trend.ts";
import type { Moment, StayParameter } from "./stay.ts";

const HOUR = 3_600_000;
const BACK_MS = 6 * HOUR;
const BASELINE_MS = 24 * HOUR;

/** Names of the features, in their order. */
export const FEATURES = [
  "points now",
  "most points in 6 h",
  "mean points in 6 h",
  "most points so far",
  "pulse points",
  "pressure points",
  "temperature points",
  "respiration points",
  "consciousness points",
  "pulse",
  "pressure",
  "pressure below 110",
  "pulse above 90",
  "temperature away from 37",
  "coma scale",
  "trend of pulse",
  "trend of pressure",
  "trend of points",
  "pulse against its median",
  "pressure against its median",
  "parameters known",
  "values in 6 h",
] as const;

/** Used where a parameter is not known; how many are is a feature of its own. */
const USUAL: Readonly<Record<"pulse" | "systolicPressure" | "temperature" | "coma", number>> = {
  pulse: 85,
  systolicPressure: 120,
  temperature: 37,
  coma: 13,
};

/**
 * What is known at moment `i` of a stay, as numbers: the score and where it comes from, trends (Theil-Sen over six hours)
 * and departures from the patient's own median. Looks at the moments up to `i` and at none after it.
 */
export function featuresAt(moments: readonly Moment[], i: number): number[] {
  const now = moments[i] as Moment;
  const recent = moments.slice(0, i + 1).filter(({ time }) => time > now.time - BACK_MS);
  const past = moments.slice(0, i + 1).filter(({ time }) => time > now.time - BASELINE_MS);
  const points = recent.map(({ score }) => score.lowerBound);
  const value = (name: keyof typeof USUAL): number => now.known[name] ?? USUAL[name];
  const pointsOf = (name: keyof Moment["score"]["parameters"]): number => now.score.parameters[name] ?? 0;
  const away = (name: "pulse" | "systolicPressure"): number => {
    const known = series(past, name).map(({ value: one }) => one);
    return known.length < 4 || now.known[name] === undefined ? 0 : value(name) - median(known);
  };
  return [
    now.score.lowerBound,
    Math.max(...points),
    points.reduce((sum, one) => sum + one, 0) / points.length,
    Math.max(...moments.slice(0, i + 1).map(({ score }) => score.lowerBound)),
    pointsOf("pulse"),
    pointsOf("systolicPressure"),
    pointsOf("temperature"),
    pointsOf("respiratoryRate"),
    pointsOf("consciousness"),
    value("pulse"),
    value("systolicPressure"),
    Math.max(0, 110 - value("systolicPressure")),
    Math.max(0, value("pulse") - 90),
    Math.abs(value("temperature") - 37),
    value("coma"),
    slope(series(recent, "pulse")),
    slope(series(recent, "systolicPressure")),
    slope(recent.map(({ time, score }) => ({ time, value: score.lowerBound }))),
    away("pulse"),
    away("systolicPressure"),
    7 - now.score.missing.length,
    recent.length,
  ];
}

function series(moments: readonly Moment[], name: StayParameter): Sample[] {
  return moments.flatMap(({ time, known }) =>
    known[name] === undefined ? [] : [{ time, value: known[name] }],
  );
}

/** Change in an hour; 0 while too little is known. */
function slope(samples: readonly Sample[]): number {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || samples.length < 4 || last.time - first.time < HOUR) {
    return 0;
  }
  return trendOf(samples).perHour;
}
