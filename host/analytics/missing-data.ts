import type { Quantity, ReadingColumn } from "../sealing/index.ts";

/** When each quantity was last measured, ms since 1970 UTC. */
export type LastMeasured = Readonly<Partial<Record<Quantity, number>>>;

/** A quantity that has been silent for too long. */
export interface Silence {
  readonly quantity: Quantity;
  readonly sinceMs: number;
  readonly silentMs: number;
}

/** How long each quantity may be silent: a sensor that is worn five minutes, what a cuff measures an hour and a half. */
const SILENCE_LIMITS: Readonly<Partial<Record<Quantity, number>>> = {
  heartRate: 5 * 60_000,
  pulseRate: 5 * 60_000,
  respiratoryRate: 5 * 60_000,
  oxygenSaturation: 5 * 60_000,
  bodyTemperature: 30 * 60_000,
  systolicPressure: 90 * 60_000,
  diastolicPressure: 90 * 60_000,
};

/** Takes over when something was really measured; a gap is no measurement, and an older batch takes nothing back. */
export function noteMeasured(last: LastMeasured, columns: readonly ReadingColumn[]): LastMeasured {
  const next: Partial<Record<Quantity, number>> = { ...last };
  for (const { quantity, times, values } of columns) {
    const time = times[values.findLastIndex((value) => value !== null)];
    if (time !== undefined && time > (next[quantity] ?? Number.NEGATIVE_INFINITY)) {
      next[quantity] = time;
    }
  }
  return next;
}

/**
 * The quantities that were measured once and have been silent for longer than their limit, the longest silence first.
 * What was never measured is not missed. Ask by the clock, not only when readings come: no readings come when it
 * matters.
 */
export function silencesAt(
  last: LastMeasured,
  now: number,
  limits: Readonly<Partial<Record<Quantity, number>>> = SILENCE_LIMITS,
): Silence[] {
  return (Object.entries(last) as [Quantity, number][])
    .filter(([quantity, time]) => now - time > (limits[quantity] ?? Number.POSITIVE_INFINITY))
    .map(([quantity, time]) => ({ quantity, sinceMs: time, silentMs: now - time }))
    .sort((a, b) => b.silentMs - a.silentMs);
}
