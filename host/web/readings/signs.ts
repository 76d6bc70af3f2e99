import type { Quantity } from "../../sealing/index.ts";
import { TEXTS } from "../texts/index.ts";
import type { PatientRow } from "../worker/streams.ts";
import { PANELS } from "./panel.ts";

/** A value that is so much older than the newest is not one of now, and says its age. */
const LAGGING_MS = 5 * 60_000;
/** One that is older than this beside the newest says nothing about now: as in NEWS2 here (analytics/latest-vitals.ts). */
const VALID_MS = 60 * 60_000;

/** One vital sign as it is shown. */
export interface Sign {
  readonly label: string;
  readonly short: string;
  readonly unit: string;
  /** "–" where there is none. */
  readonly value: string;
  /** When it was measured, ms; null where it was not. */
  readonly time: number | null;
  /** Measured well before the newest of the others. */
  readonly lagging: boolean;
  /** Outside of the range that is usual, and recent enough to say so. */
  readonly unusual: boolean;
}

const SHORT: Readonly<Record<string, string>> = {
  "heart-rate": TEXTS.vitals.short.heartRate,
  "oxygen-saturation": TEXTS.vitals.short.oxygenSaturation,
  "respiratory-rate": TEXTS.vitals.short.respiratoryRate,
  "blood-pressure": TEXTS.vitals.short.bloodPressure,
  temperature: TEXTS.vitals.short.bodyTemperature,
};

/** The newest values, in the order of the charts. */
export function signsOf(vitals: PatientRow["vitals"]): Sign[] {
  const newest = Math.max(...Object.values(vitals).map(({ time }) => time));
  /** A pulse stands for a heart rate that was not measured. */
  const latest = (quantity: Quantity) =>
    vitals[quantity] ?? (quantity === "heartRate" ? vitals.pulseRate : undefined);
  return PANELS.map(({ id, label, unit, lines, band, digits }) => {
    const measured = lines.map(({ quantity }) => latest(quantity));
    const first = measured[0];
    const times = measured.flatMap((one) => (one === undefined ? [] : [one.time]));
    const time = first === undefined ? null : Math.min(...times);
    // As it is shown: what reads 90 is not said to be above 90.
    const shown = Number(first?.value.toFixed(digits));
    return {
      ...{ label, short: SHORT[id] ?? label, unit, time },
      value: first === undefined ? "–" : measured.map((one) => one?.value.toFixed(digits) ?? "–").join("/"),
      lagging: time !== null && newest - time > LAGGING_MS,
      unusual: time !== null && newest - time <= VALID_MS && (shown < band[0] || shown > band[1]),
    };
  });
}
