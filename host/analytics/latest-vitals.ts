import type { Quantity, ReadingColumn } from "../sealing/index.ts";
import { type News2Score, scoreNews2 } from "./news2.ts";

/** Last known value of each quantity and when it was measured (ms since 1970 UTC). */
export type Vitals = Partial<Record<Quantity, { readonly value: number; readonly time: number }>>;

/** A value older than this beside the newest is no longer a vital sign of now. */
const VALID_MS = 60 * 60_000;

/** Takes the newest values of a batch over. */
export function updateVitals(vitals: Vitals, columns: readonly ReadingColumn[]): void {
  for (const { quantity, times, values } of columns) {
    const i = values.findLastIndex((value) => value !== null);
    const [time, value] = [times[i], values[i]];
    if (
      time !== undefined &&
      value !== undefined &&
      value !== null &&
      time >= (vitals[quantity]?.time ?? 0)
    ) {
      vitals[quantity] = { value, time };
    }
  }
}

/** The values that are good at the time of the newest: what is an hour older counts as not measured. */
export function currentVitals(vitals: Vitals): Partial<Record<Quantity, number>> {
  const newest = Math.max(...Object.values(vitals).map(({ time }) => time));
  return Object.fromEntries(
    Object.entries(vitals).flatMap(([quantity, { value, time }]) =>
      newest - time <= VALID_MS ? [[quantity, value]] : [],
    ),
  );
}

/**
 * NEWS2 of the last known values, as far as they belong to one hour; consciousness and oxygen are not measured and
 * count as missing.
 */
export function scoreOf(vitals: Vitals): News2Score {
  const { respiratoryRate, oxygenSaturation, systolicPressure, heartRate, pulseRate, bodyTemperature } =
    currentVitals(vitals);
  const pulse = heartRate ?? pulseRate;
  return scoreNews2({
    ...(respiratoryRate === undefined ? {} : { respiratoryRate }),
    ...(oxygenSaturation === undefined ? {} : { oxygenSaturation }),
    ...(systolicPressure === undefined ? {} : { systolicPressure }),
    ...(pulse === undefined ? {} : { pulse }),
    ...(bodyTemperature === undefined ? {} : { temperature: bodyTemperature }),
  });
}
