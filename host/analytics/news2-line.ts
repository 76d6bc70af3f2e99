import { z } from "zod";
import { MedcloudletError } from "../base/index.ts";
import {
  type Consciousness,
  type News2Observation,
  type News2Parameter,
  type News2Score,
  type News2Urgency,
  scoreNews2,
} from "./news2.ts";

/** ACVPU as a letter or a word. */
const CONSCIOUSNESS: ReadonlyMap<string, Consciousness> = new Map(
  (["alert", "confusion", "voice", "pain", "unresponsive"] as const).flatMap((level) => [
    [level, level],
    [level.charAt(0), level],
  ]),
);

const number = z.number().nullish();

const LINE = z.strictObject({
  respiratoryRate: number,
  spo2: number,
  scale: z.union([z.literal(1), z.literal(2)]).nullish(),
  oxygen: z.boolean().nullish(),
  systolic: number,
  pulse: number,
  consciousness: z
    .string()
    .transform((text) => CONSCIOUSNESS.get(text.toLowerCase()))
    .pipe(z.custom<Consciousness>((level) => level !== undefined, "one of A, C, V, P, U or their words"))
    .nullish(),
  temperature: number,
  age: number,
  pregnant: z.boolean().nullish(),
});

/** Name of a parameter in a line. */
export type News2LineParameter =
  | "respiratoryRate"
  | "spo2"
  | "oxygen"
  | "systolic"
  | "pulse"
  | "consciousness"
  | "temperature";

const NAMES: readonly (readonly [News2Parameter, News2LineParameter])[] = [
  ["respiratoryRate", "respiratoryRate"],
  ["oxygenSaturation", "spo2"],
  ["supplementalOxygen", "oxygen"],
  ["systolicPressure", "systolic"],
  ["pulse", "pulse"],
  ["consciousness", "consciousness"],
  ["temperature", "temperature"],
];

/** The steps of urgency as the guideline writes them. */
const LEVELS = {
  low: "low",
  lowMedium: "low-medium",
  medium: "medium",
  high: "high",
} as const satisfies Record<News2Urgency, string>;
export type News2Level = (typeof LEVELS)[News2Urgency];

/** What became of one line. */
export type News2LineResult =
  | {
      readonly score: number;
      readonly level: News2Level;
      readonly parts: Readonly<Record<News2LineParameter, number>>;
    }
  | {
      /** What has to be measured or told first: parameters of the chart, or `age`. */
      readonly incomplete: readonly (News2LineParameter | "age")[];
      /** The points that are known; the score cannot be less. */
      readonly atLeast: number;
    }
  | { readonly refused: string }
  | { readonly error: string; readonly code: string; readonly line: number };

/**
 * Scores one line of JSON: `{respiratoryRate, spo2, scale?, oxygen, systolic, pulse, consciousness, temperature, age,
 * pregnant?}` (units as in `News2Observation`; consciousness is ACVPU, a letter or a word). What is absent or null was
 * not measured. Whom NEWS2 does not fit is refused, whatever else is missing. Without an age nobody knows whether it
 * fits, so `age` can be what is missing. Never throws: a line that cannot be read becomes an error with its number,
 * and the error names no value.
 *
 * @param line number of the line, from 1
 */
export function scoreNews2Line(text: string, line: number): News2LineResult {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return fault(line, "NEWS2_LINE", "The line is not JSON.");
  }
  const parsed = LINE.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue?.path.join(".") ?? "";
    return fault(line, "NEWS2_LINE", `${where === "" ? "" : `${where}: `}${issue?.message ?? "wrong form"}.`);
  }
  const { age, pregnant, scale, spo2, oxygen, systolic, ...same } = parsed.data;
  const observation: News2Observation = {
    ...same,
    oxygenSaturation: spo2,
    supplementalOxygen: oxygen,
    systolicPressure: systolic,
  };
  try {
    const score = scoreNews2(observation, {
      spo2Scale: scale ?? 1,
      eligibility: { ...(age == null ? {} : { ageYears: age }), pregnant: pregnant === true },
    });
    return present(score, observation, age == null);
  } catch (error) {
    if (!(error instanceof MedcloudletError)) {
      throw error;
    }
    if (error.code === "NEWS2_NOT_APPLICABLE") {
      return { refused: error.message };
    }
    const [from, to] = NAMES.find(([name]) => name === error.details.parameter) ?? ["ageYears", "age"];
    return fault(line, error.code, error.message.replace(from, to));
  }
}

function present(score: News2Score, observation: News2Observation, ageMissing: boolean): News2LineResult {
  if (score.complete && !ageMissing) {
    const parts = Object.fromEntries(NAMES.map(([from, to]) => [to, score.parameters[from]]));
    return {
      score: score.total,
      level: LEVELS[score.urgency],
      parts: parts as Record<News2LineParameter, number>,
    };
  }
  // On scale 2 a high saturation waits for the oxygen: what is missing then is the oxygen, not the saturation.
  const absent = NAMES.filter(([from]) => (observation[from] ?? null) === null).map(([, to]) => to);
  return { incomplete: ageMissing ? [...absent, "age"] : absent, atLeast: score.lowerBound };
}

function fault(line: number, code: string, error: string): News2LineResult {
  return { error, code, line };
}
