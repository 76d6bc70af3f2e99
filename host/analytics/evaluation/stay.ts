import { isMeasurable, type MeasuredParameter } from "../measurable.ts";
import { type News2Observation, type News2Score, scoreNews2 } from "../news2.ts";
import type { Sample } from "../trend.ts";

/** A parameter of a charted stay. */
export type StayParameter = MeasuredParameter | "coma";

/** One charted value of a stay. */
export interface Charted {
  readonly parameter: StayParameter;
  /** ms since admission. */
  readonly time: number;
  readonly value: number;
}

/** A stay in intensive care, as charted. */
export interface Stay {
  readonly patient: string;
  readonly ageYears: number | null;
  readonly charted: readonly Charted[];
}

/** What was known at one charted moment, and nothing later. */
export interface Moment {
  readonly time: number;
  readonly score: News2Score;
  /** Latest value of each parameter that is not too old. */
  readonly known: Readonly<Partial<Record<StayParameter, number>>>;
}

const HOUR = 3_600_000;
/** Charts of intensive care are hourly to four-hourly. */
const HOLD_MS = 4 * HOUR;
/** Glasgow Coma Scale of somebody who is awake and clear. */
const ALERT_COMA_SCALE = 15;

const PARAMETERS: Readonly<Record<string, StayParameter>> = {
  HR: "pulse",
  RespRate: "respiratoryRate",
  SaO2: "oxygenSaturation",
  SysABP: "systolicPressure",
  NISysABP: "systolicPressure",
  Temp: "temperature",
  GCS: "coma",
};

/**
 * Stays of the PhysioNet/CinC Challenge 2012 (Silva et al., Computing in Cardiology 39, 2012): lines of
 * `RecordID,hh:mm,Parameter,Value`. Parameters that NEWS2 does not know, and values that cannot be measurements (0 for a
 * pressure, -17.8 for a temperature), are left out; a systolic pressure of 0 to 20 is a line that was flushed.
 *
 * @param ages years by RecordID
 */
export function readStays(rows: Iterable<readonly string[]>, ages: ReadonlyMap<string, number>): Stay[] {
  const stays = new Map<string, Charted[]>();
  for (const [patient = "", clock = "", name = "", text = ""] of rows) {
    const parameter = PARAMETERS[name];
    const [hours, minutes] = clock.split(":").map(Number);
    const value = Number(text);
    if (parameter === undefined || text === "" || hours === undefined || minutes === undefined) {
      continue;
    }
    const possible =
      parameter === "coma"
        ? value >= 3 && value <= 15
        : isMeasurable(parameter, value) && value > LEAST[parameter];
    if (possible) {
      const charted = stays.get(patient) ?? [];
      charted.push({ parameter, time: (60 * hours + minutes) * 60_000, value });
      stays.set(patient, charted);
    }
  }
  return [...stays].map(([patient, charted]) => ({
    patient,
    ageYears: ages.get(patient) ?? null,
    charted: charted.sort((a, b) => a.time - b.time),
  }));
}

/** In a living patient's chart these are faults, whatever NEWS2 would make of them. */
const LEAST: Readonly<Record<MeasuredParameter, number>> = {
  respiratoryRate: 0,
  oxygenSaturation: 20,
  systolicPressure: 20,
  pulse: 0,
  temperature: 25,
};

/** The moments of a stay at which something was charted, each with the score of what was known then. */
export function momentsOf({ charted }: Stay): Moment[] {
  const latest = new Map<StayParameter, Sample>();
  const moments: Moment[] = [];
  for (const [i, { parameter, time, value }] of charted.entries()) {
    latest.set(parameter, { time, value });
    if (charted[i + 1]?.time === time) {
      continue;
    }
    const known = Object.fromEntries(
      [...latest].flatMap(([name, sample]) => (time - sample.time <= HOLD_MS ? [[name, sample.value]] : [])),
    ) as Partial<Record<StayParameter, number>>;
    moments.push({ time, known, score: scoreNews2(observationOf(known)) });
  }
  return moments;
}

/** A coma scale below 15 counts as "not alert"; in sedated patients it says nothing of illness, and is kept all the same. */
function observationOf({ coma, ...measured }: Partial<Record<StayParameter, number>>): News2Observation {
  return {
    ...measured,
    ...(coma === undefined
      ? {}
      : { consciousness: coma >= ALERT_COMA_SCALE ? ("alert" as const) : ("confusion" as const) }),
  };
}
