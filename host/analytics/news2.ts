import { MedcloudletError } from "../base/index.ts";
import { isMeasurable, type MeasuredParameter, measurableRange } from "./measurable.ts";

/** Level of consciousness on the ACVPU scale; `confusion` is *new* confusion, not a patient's usual state. */
export type Consciousness = "alert" | "confusion" | "voice" | "pain" | "unresponsive";

/** The seven parameters of the chart, in the chart's order. */
export const NEWS2_PARAMETERS = [
  "respiratoryRate",
  "oxygenSaturation",
  "supplementalOxygen",
  "systolicPressure",
  "pulse",
  "consciousness",
  "temperature",
] as const;

/** Name of one parameter of the chart. */
export type News2Parameter = (typeof NEWS2_PARAMETERS)[number];

/**
 * One set of observations. A parameter that is absent, `undefined` or `null` was not measured; it is never read
 * as normal.
 */
export interface News2Observation {
  /** Breaths per minute. */
  readonly respiratoryRate?: number | null | undefined;
  /** SpO2 in %. */
  readonly oxygenSaturation?: number | null | undefined;
  /** True when the patient breathes any supplemental oxygen, false on air. */
  readonly supplementalOxygen?: boolean | null | undefined;
  /** mmHg. */
  readonly systolicPressure?: number | null | undefined;
  /** Beats per minute. */
  readonly pulse?: number | null | undefined;
  readonly consciousness?: Consciousness | null | undefined;
  /** Body temperature in degrees Celsius. */
  readonly temperature?: number | null | undefined;
}

/** How to score, and for whom. */
export interface News2Options {
  /**
   * SpO2 scale. 2 is for confirmed hypercapnic respiratory failure with a prescribed target of 88-92 % only, by
   * the decision of a qualified clinician; everybody else has 1, the default.
   */
  readonly spo2Scale?: 1 | 2;
  /** What is known of the patient. Where it is left out, the caller vouches that NEWS2 applies. */
  readonly eligibility?: News2Eligibility;
}

/** NEWS2 is not valid under 16 years and in pregnancy. */
export interface News2Eligibility {
  readonly ageYears?: number;
  readonly pregnant?: boolean;
}

/**
 * The clinical response that the guideline's thresholds ask for: total 0-4 `low`, a single 3 within them
 * `lowMedium`, 5-6 `medium` (urgent), 7 and more `high` (emergency).
 */
export type News2Urgency = "low" | "lowMedium" | "medium" | "high";

interface News2Common {
  /** Points of every parameter, `null` where it could not be scored. */
  readonly parameters: Readonly<Record<News2Parameter, number | null>>;
  /** The parameters without points, in the chart's order. */
  readonly missing: readonly News2Parameter[];
  /** Sum of the points that are known: the score itself if complete, else a bound that it cannot fall below. */
  readonly lowerBound: number;
  /** Urgency that the known points already force; a complete set may ask for more, never for less. */
  readonly urgencyAtLeast: News2Urgency;
  /** True when one known parameter scores 3. On an incomplete set `false` does not rule one out. */
  readonly redFlag: boolean;
}

/** The score. `total` and `urgency` exist only for a complete set. */
export type News2Score =
  | (News2Common & { readonly complete: true; readonly total: number; readonly urgency: News2Urgency })
  | (News2Common & { readonly complete: false; readonly total: null; readonly urgency: null });

/** Ascending bands: the points of the first row whose upper edge the value does not exceed. */
type Bands = readonly (readonly [upTo: number, points: number])[];

const RESPIRATORY_RATE: Bands = [
  [8, 3],
  [11, 1],
  [20, 0],
  [24, 2],
  [Infinity, 3],
];
const OXYGEN_SATURATION_SCALE_1: Bands = [
  [91, 3],
  [93, 2],
  [95, 1],
  [Infinity, 0],
];
const OXYGEN_SATURATION_SCALE_2_AIR: Bands = [
  [83, 3],
  [85, 2],
  [87, 1],
  [Infinity, 0],
];
const OXYGEN_SATURATION_SCALE_2_OXYGEN: Bands = [
  [83, 3],
  [85, 2],
  [87, 1],
  [92, 0],
  [94, 1],
  [96, 2],
  [Infinity, 3],
];
const SYSTOLIC_PRESSURE: Bands = [
  [90, 3],
  [100, 2],
  [110, 1],
  [219, 0],
  [Infinity, 3],
];
const PULSE: Bands = [
  [40, 3],
  [50, 1],
  [90, 0],
  [110, 1],
  [130, 2],
  [Infinity, 3],
];
/** In tenths of a degree, so that no edge depends on binary fractions. */
const TEMPERATURE_TENTHS: Bands = [
  [350, 3],
  [360, 1],
  [380, 0],
  [390, 1],
  [Infinity, 2],
];
const CONSCIOUSNESS: ReadonlyMap<Consciousness, number> = new Map([
  ["alert", 0],
  ["confusion", 3],
  ["voice", 3],
  ["pain", 3],
  ["unresponsive", 3],
]);
/** On scale 2 a saturation above the target range means nothing until it is known what the patient breathes. */
const SCALE_2_TARGET_END = 92;

/**
 * National Early Warning Score 2 of one set of observations.
 *
 * Whole-number parameters are rounded to the nearest integer first and the temperature to 0.1 degrees, as they
 * are charted (halves go up). A missing parameter makes the set incomplete: `total` is then `null` and
 * `lowerBound` holds the points that are known. On scale 2 a saturation of 93 % and more cannot be scored while
 * `supplementalOxygen` is missing, and is then missing too.
 *
 * Source: Royal College of Physicians, National Early Warning Score (NEWS) 2, London 2017, charts 1 to 4.
 *
 * @throws MedcloudletError `NEWS2_NOT_APPLICABLE` under 16 years or in pregnancy;
 *   `NEWS2_VALUE` where a value cannot be a measurement (not finite, or out of the measurable range)
 */
export function scoreNews2(observation: News2Observation, options: News2Options = {}): News2Score {
  requireEligible(options.eligibility ?? {});
  const parameters: Record<News2Parameter, number | null> = {
    respiratoryRate: bandPoints(RESPIRATORY_RATE, whole("respiratoryRate", observation.respiratoryRate)),
    oxygenSaturation: saturationPoints(observation, options.spo2Scale ?? 1),
    supplementalOxygen: oxygenPoints(observation.supplementalOxygen),
    systolicPressure: bandPoints(SYSTOLIC_PRESSURE, whole("systolicPressure", observation.systolicPressure)),
    pulse: bandPoints(PULSE, whole("pulse", observation.pulse)),
    consciousness: consciousnessPoints(observation.consciousness),
    temperature: bandPoints(TEMPERATURE_TENTHS, tenths("temperature", observation.temperature)),
  };
  const missing = NEWS2_PARAMETERS.filter((name) => parameters[name] === null);
  const known = NEWS2_PARAMETERS.map((name) => parameters[name] ?? 0);
  const lowerBound = known.reduce((sum, points) => sum + points, 0);
  const redFlag = known.includes(3);
  const urgency = urgencyOf(lowerBound, redFlag);
  const common = { parameters, missing, lowerBound, urgencyAtLeast: urgency, redFlag };
  if (missing.length > 0) {
    return { ...common, complete: false, total: null, urgency: null };
  }
  return { ...common, complete: true, total: lowerBound, urgency };
}

function urgencyOf(points: number, redFlag: boolean): News2Urgency {
  if (points >= 7) {
    return "high";
  }
  if (points >= 5) {
    return "medium";
  }
  return redFlag ? "lowMedium" : "low";
}

function requireEligible({ ageYears, pregnant }: News2Eligibility): void {
  if (ageYears !== undefined && !(ageYears >= 0)) {
    throw new MedcloudletError("NEWS2_VALUE", "ageYears must be a number of years, zero or more.", {
      status: 422,
    });
  }
  if (ageYears !== undefined && ageYears < 16) {
    throw new MedcloudletError(
      "NEWS2_NOT_APPLICABLE",
      "NEWS2 is not valid under 16 years; use a paediatric early warning score.",
      { status: 422 },
    );
  }
  if (pregnant === true) {
    throw new MedcloudletError(
      "NEWS2_NOT_APPLICABLE",
      "NEWS2 is not valid in pregnancy; use an obstetric early warning score.",
      { status: 422 },
    );
  }
}

function saturationPoints(observation: News2Observation, scale: 1 | 2): number | null {
  const saturation = whole("oxygenSaturation", observation.oxygenSaturation);
  if (scale === 1) {
    return bandPoints(OXYGEN_SATURATION_SCALE_1, saturation);
  }
  if (observation.supplementalOxygen === true) {
    return bandPoints(OXYGEN_SATURATION_SCALE_2_OXYGEN, saturation);
  }
  const breathesUnknown = (observation.supplementalOxygen ?? null) === null;
  if (breathesUnknown && saturation !== null && saturation > SCALE_2_TARGET_END) {
    return null;
  }
  return bandPoints(OXYGEN_SATURATION_SCALE_2_AIR, saturation);
}

function oxygenPoints(supplementalOxygen: boolean | null | undefined): number | null {
  if (supplementalOxygen === null || supplementalOxygen === undefined) {
    return null;
  }
  return supplementalOxygen ? 2 : 0;
}

function consciousnessPoints(consciousness: Consciousness | null | undefined): number | null {
  if (consciousness === null || consciousness === undefined) {
    return null;
  }
  const points = CONSCIOUSNESS.get(consciousness);
  if (points === undefined) {
    throw new MedcloudletError(
      "NEWS2_VALUE",
      `consciousness must be one of ${[...CONSCIOUSNESS.keys()].join(", ")}.`,
      { status: 422, details: { parameter: "consciousness" } },
    );
  }
  return points;
}

function bandPoints(bands: Bands, value: number | null): number | null {
  if (value === null) {
    return null;
  }
  for (const [upTo, points] of bands) {
    if (value <= upTo) {
      return points;
    }
  }
  return null;
}

function whole(name: MeasuredParameter, value: number | null | undefined): number | null {
  const measured = checked(name, value);
  return measured === null ? null : Math.round(measured);
}

function tenths(name: MeasuredParameter, value: number | null | undefined): number | null {
  const measured = checked(name, value);
  // toFixed first: 38.05 * 10 is 380.49999999999994 in binary, and 38.05 is charted as 38.1.
  return measured === null ? null : Math.round(Number((measured * 10).toFixed(6)));
}

function checked(name: MeasuredParameter, value: number | null | undefined): number | null {
  if (value === null || value === undefined) {
    return null;
  }
  if (!isMeasurable(name, value)) {
    const { least, most, unit } = measurableRange(name);
    throw new MedcloudletError(
      "NEWS2_VALUE",
      `${name} is outside ${least} to ${most} ${unit} and cannot be a measurement: check its unit, or leave it out if it was not measured.`,
      { status: 422, details: { parameter: name } },
    );
  }
  return value;
}
