import type { Quantity, ReadingColumn } from "../../sealing/index.ts";
import { bootstrapClusters, type Interval, rankArea } from "../../statistics/index.ts";
import { gateSignal } from "../signal-quality.ts";
import { createWatch, type WatchKind } from "../watch.ts";
import { SINGLE_LIMITS } from "./forecast.ts";

/** Numerics of a bedside monitor, one value a second. */
export interface Recording {
  readonly patient: string;
  readonly columns: readonly ReadingColumn[];
}

/** What the gate made of one quantity. */
export interface QualityResult {
  readonly quantity: Quantity;
  readonly samples: number;
  /** Shares of the samples. */
  readonly believed: number;
  readonly missing: number;
  readonly range: number;
  readonly jump: number;
  readonly flat: number;
}

/** How the gate and the watch did on a monitor's numerics. */
export interface MonitorResult {
  readonly patients: number;
  readonly hours: number;
  readonly quality: readonly QualityResult[];
  /**
   * Does the optical pulse of a half minute tell by itself that it disagrees with the electrical heart rate by more than
   * 5 beats for 3 seconds or more? Areas under the curve of its lack of quality (what the gate sees) and of its mean
   * step from second to second; `windows` that could be judged, `bad` ones among them.
   */
  readonly disagreement: {
    readonly windows: number;
    readonly bad: number;
    readonly byQuality: Interval;
    readonly byStep: Interval;
  };
  /** Starts of alarms in a patient's hour. */
  readonly alarmsPerHour: {
    readonly singleLimits: Interval;
    readonly singleLimitsGated: Interval;
    readonly watch: Interval;
  };
}

const WORN: Readonly<Record<string, Quantity>> = {
  HR: "heartRate",
  PULSE: "pulseRate",
  RESP: "respiratoryRate",
  SpO2: "oxygenSaturation",
};
const WINDOW = 30;
const DISAGREE_BY = 5;
const DISAGREE_FOR = 3;
const LIMITS: readonly (readonly [Quantity, keyof typeof SINGLE_LIMITS])[] = [
  ["heartRate", "pulse"],
  ["respiratoryRate", "respiratoryRate"],
  ["oxygenSaturation", "oxygenSaturation"],
];

/**
 * Recordings of BIDMC (Pimentel et al., IEEE TBME 64(8), 2017): a head line, then `rec,t_s,HR,PULSE,RESP,SpO2` at 1 Hz;
 * empty or NaN where nothing was measured.
 */
export function readRecordings(rows: Iterable<readonly string[]>, head: readonly string[]): Recording[] {
  const recordings = new Map<string, Map<Quantity, { times: number[]; values: (number | null)[] }>>();
  for (const row of rows) {
    const patient = row[0] ?? "";
    const columns = recordings.get(patient) ?? new Map();
    recordings.set(patient, columns);
    for (const [i, name] of head.entries()) {
      const quantity = WORN[name];
      if (quantity === undefined) {
        continue;
      }
      const column = columns.get(quantity) ?? { times: [], values: [] };
      columns.set(quantity, column);
      const text = row[i] ?? "";
      const value = Number(text);
      column.times.push(Number(row[1]) * 1000);
      column.values.push(text === "" || Number.isNaN(value) ? null : value);
    }
  }
  return [...recordings].map(([patient, columns]) => ({
    patient,
    columns: [...columns].map(([quantity, { times, values }]) => ({ quantity, times, values })),
  }));
}

/** Judges gate and watch on recordings, with 95 % intervals over patients. */
export function judgeMonitor(recordings: readonly Recording[], rounds: number): MonitorResult {
  const gated = recordings.map(({ columns }) => columns.map((column) => gateSignal(column)));
  const quality = Object.values(WORN).map((quantity): QualityResult => {
    const all = gated.flat().filter(({ column }) => column.quantity === quantity);
    const expected = all.reduce((sum, one) => sum + one.expected, 0);
    const share = (of: (one: (typeof all)[number]) => number) =>
      all.reduce((sum, one) => sum + of(one), 0) / expected;
    return {
      quantity,
      samples: expected,
      believed: share((one) => one.quality * one.expected),
      missing: share(({ faults }) => faults.missing),
      range: share(({ faults }) => faults.range),
      jump: share(({ faults }) => faults.jump),
      flat: share(({ faults }) => faults.flat),
    };
  });
  const windows = recordings.map(({ columns }) => disagreements(columns));
  const patients = recordings.map(({ columns }, i) => ({
    hours: (columns[0]?.times.length ?? 0) / 3600,
    raw: crossings(columns),
    gated: crossings((gated[i] ?? []).map(({ column }) => column)),
    watch: watchStarts(columns),
  }));
  const perHour = (of: (patient: (typeof patients)[number]) => number) =>
    bootstrapClusters(
      patients,
      (drawn) =>
        drawn.reduce((sum, one) => sum + of(one), 0) / drawn.reduce((sum, { hours }) => sum + hours, 0),
      { rounds },
    );
  return {
    patients: recordings.length,
    hours: patients.reduce((sum, { hours }) => sum + hours, 0),
    quality,
    disagreement: {
      windows: windows.flat().length,
      bad: windows.flat().filter(({ bad }) => bad).length,
      byQuality: areaOver(windows, ({ lack }) => lack, rounds),
      byStep: areaOver(windows, ({ step }) => step, rounds),
    },
    alarmsPerHour: {
      singleLimits: perHour(({ raw }) => raw),
      singleLimitsGated: perHour(({ gated: after }) => after),
      watch: perHour(({ watch }) => watch),
    },
  };
}

interface Window {
  /** What the quality lacks to 1. */
  readonly lack: number;
  /** Mean step from value to value. */
  readonly step: number;
  readonly bad: boolean;
}

function areaOver(
  windows: readonly (readonly Window[])[],
  of: (window: Window) => number,
  rounds: number,
): Interval {
  const scored = windows.map((patient) => patient.map((window) => ({ score: of(window), bad: window.bad })));
  return bootstrapClusters(scored, (drawn) => rankArea(drawn.flat(), ({ bad }) => bad), { rounds });
}

/** Half minutes in which heart rate and pulse can be compared. */
function disagreements(columns: readonly ReadingColumn[]): Window[] {
  const heart = columns.find(({ quantity }) => quantity === "heartRate");
  const pulse = columns.find(({ quantity }) => quantity === "pulseRate");
  if (heart === undefined || pulse === undefined) {
    return [];
  }
  const windows: Window[] = [];
  for (let from = 0; from + WINDOW <= pulse.values.length; from += WINDOW) {
    const [a, b] = [heart.values.slice(from, from + WINDOW), pulse.values.slice(from, from + WINDOW)];
    const pairs = a.flatMap((value, i) =>
      value === null || b[i] == null ? [] : [[value, b[i] as number] as const],
    );
    if (pairs.length < WINDOW / 2) {
      continue;
    }
    const column = { quantity: pulse.quantity, times: pulse.times.slice(from, from + WINDOW), values: b };
    const values = b.filter((value) => value !== null);
    const steps = values.slice(1).map((value, i) => Math.abs(value - (values[i] as number)));
    windows.push({
      lack: 1 - gateSignal(column).quality,
      step: steps.reduce((sum, one) => sum + one, 0) / steps.length,
      bad: pairs.filter(([one, other]) => Math.abs(one - other) > DISAGREE_BY).length >= DISAGREE_FOR,
    });
  }
  return windows;
}

/** How often a value goes beyond its limit, each parameter on its own. */
function crossings(columns: readonly ReadingColumn[]): number {
  let count = 0;
  for (const [quantity, parameter] of LIMITS) {
    const [least, most] = SINGLE_LIMITS[parameter];
    let beyond = false;
    for (const value of columns.find((column) => column.quantity === quantity)?.values ?? []) {
      if (value !== null) {
        const now = value < least || value > most;
        count += now && !beyond ? 1 : 0;
        beyond = now;
      }
    }
  }
  return count;
}

/** How often the watch finds something urgent or graver that it did not find the minute before. */
function watchStarts(columns: readonly ReadingColumn[]): number {
  const watch = createWatch();
  const sounding = new Set<WatchKind>();
  let count = 0;
  const last = Math.max(...columns.map(({ times }) => times.at(-1) ?? 0));
  for (let from = 0; from <= last; from += 60_000) {
    const minute = columns.map((column) => {
      const inside = column.times.flatMap((time, i) => (time >= from && time < from + 60_000 ? [i] : []));
      return {
        quantity: column.quantity,
        times: inside.map((i) => column.times[i] as number),
        values: inside.map((i) => column.values[i] as number | null),
      };
    });
    for (const { kind, level } of watch.observe(minute)) {
      const loud = level === "urgent" || level === "emergency";
      count += loud && !sounding.has(kind) ? 1 : 0;
      if (loud) {
        sounding.add(kind);
      } else {
        sounding.delete(kind);
      }
    }
  }
  return count;
}
