import type { Quantity, ReadingColumn } from "../sealing/index.ts";
import { median } from "../statistics/index.ts";

/** What a believable signal of one quantity looks like. */
export interface SignalLimits {
  /** Beyond these a living patient is less likely than a fault of the sensor. */
  readonly least: number;
  readonly most: number;
  /** Expected time between samples, ms. */
  readonly everyMs: number;
  /** A sample further than this from the median of its neighbours is an artefact, unless they vary as much. */
  readonly jump: number;
  /** The same value for longer than this is a sensor that hangs; infinite where constancy is usual. */
  readonly flatMs: number;
}

const MINUTE = 60_000;

/** Adults, wearable and bedside numerics. Ours, wide on purpose; no clinical norm. */
const SIGNAL_LIMITS: Readonly<Partial<Record<Quantity, SignalLimits>>> = {
  heartRate: { least: 20, most: 250, everyMs: 1000, jump: 20, flatMs: 10 * MINUTE },
  pulseRate: { least: 20, most: 250, everyMs: 1000, jump: 20, flatMs: 10 * MINUTE },
  respiratoryRate: { least: 3, most: 70, everyMs: 1000, jump: 8, flatMs: 15 * MINUTE },
  oxygenSaturation: { least: 50, most: 100, everyMs: 1000, jump: 5, flatMs: Number.POSITIVE_INFINITY },
  bodyTemperature: { least: 30, most: 43, everyMs: MINUTE, jump: 0.7, flatMs: Number.POSITIVE_INFINITY },
  systolicPressure: {
    least: 40,
    most: 280,
    everyMs: 30 * MINUTE,
    jump: Number.POSITIVE_INFINITY,
    flatMs: Number.POSITIVE_INFINITY,
  },
  diastolicPressure: {
    least: 20,
    most: 180,
    everyMs: 30 * MINUTE,
    jump: Number.POSITIVE_INFINITY,
    flatMs: Number.POSITIVE_INFINITY,
  },
};

/** Why samples were not believed, or not there. */
export interface SignalFaults {
  readonly missing: number;
  readonly range: number;
  readonly jump: number;
  readonly flat: number;
}

/** A column as far as it can be believed. */
export interface GatedSignal {
  /** The same column with what is not believed as gaps. */
  readonly column: ReadingColumn;
  /** Samples that one could expect in the window. */
  readonly expected: number;
  readonly faults: SignalFaults;
  /** Signal quality index, 0 to 1: believed samples by expected ones. */
  readonly quality: number;
}

/** From here on a window is good enough for baselines and trends. */
export const USABLE_QUALITY = 0.5;

const NEIGHBOURS = 4;
const CONSISTENCY = 1.4826;

/**
 * Signal quality gate of one column in a window. In order: samples outside of the physiological range; runs of one and
 * the same value for longer than `flatMs`; jumps, by Hampel's identifier: |x - m| > max(jump, 3 * 1.4826 MAD) with the
 * median m and the MAD of the four samples on either side (Hampel 1974; Pearson, IEEE TCST 10(1), 2002). What remains,
 * divided by what was to be expected of the sensor, is the quality.
 *
 * It decides what baselines and trends learn from. It never keeps a value from NEWS2 or from the priority of a batch:
 * a stopped heart looks like a flat line, and a gate must not be what silences it.
 *
 * A quantity without limits passes as it is, with quality 1.
 *
 * @param window both ends in ms since 1970 UTC; where left out, the column's own times
 */
export function gateSignal(
  column: ReadingColumn,
  window?: { readonly from: number; readonly to: number },
  limits: SignalLimits | undefined = SIGNAL_LIMITS[column.quantity],
): GatedSignal {
  const none = { missing: 0, range: 0, jump: 0, flat: 0 };
  if (limits === undefined) {
    return { column, expected: column.values.length, faults: none, quality: 1 };
  }
  const { times } = column;
  const values: (number | null)[] = [...column.values];
  const range = drop(values, (value) => value < limits.least || value > limits.most);
  const hanging = flatRuns(values, times, limits.flatMs);
  const flat = drop(values, (_, i) => hanging.has(i));
  // Judged against what is left after range and flat lines, and all at once: one artefact must not excuse the next.
  const jumps = new Set(
    values.flatMap((value, i) => (value !== null && isJump(values, i, limits.jump) ? [i] : [])),
  );
  const jump = drop(values, (_, i) => jumps.has(i));

  const [from, to] = [window?.from ?? times[0] ?? 0, window?.to ?? times.at(-1) ?? 0];
  const due = window === undefined ? times.length : Math.floor((to - from) / limits.everyMs);
  const expected = Math.max(1, due, column.values.filter((value) => value !== null).length);
  const good = values.filter((value) => value !== null).length;
  return {
    column: { ...column, values },
    expected,
    faults: { missing: expected - good - range - flat - jump, range, jump, flat },
    quality: good / expected,
  };
}

/** Turns what `isBad` says into gaps and counts them. */
function drop(values: (number | null)[], isBad: (value: number, i: number) => boolean): number {
  let dropped = 0;
  for (const [i, value] of values.entries()) {
    if (value !== null && isBad(value, i)) {
      values[i] = null;
      dropped++;
    }
  }
  return dropped;
}

function flatRuns(values: readonly (number | null)[], times: readonly number[], flatMs: number): Set<number> {
  const flat = new Set<number>();
  if (flatMs === Number.POSITIVE_INFINITY) {
    return flat;
  }
  let run: number[] = [];
  const close = (): void => {
    const [first, last] = [times[run[0] ?? 0] ?? 0, times[run.at(-1) ?? 0] ?? 0];
    if (last - first > flatMs) {
      for (const i of run) {
        flat.add(i);
      }
    }
    run = [];
  };
  for (const [i, value] of values.entries()) {
    if (value === null) {
      continue;
    }
    if (run.length > 0 && values[run[0] as number] !== value) {
      close();
    }
    run.push(i);
  }
  close();
  return flat;
}

function isJump(values: readonly (number | null)[], i: number, jump: number): boolean {
  const near: number[] = [];
  for (const step of [-1, 1]) {
    for (let j = i + step, found = 0; found < NEIGHBOURS && j >= 0 && j < values.length; j += step) {
      const value = values[j];
      if (typeof value === "number") {
        near.push(value);
        found++;
      }
    }
  }
  if (near.length < 3) {
    return false;
  }
  const middle = median(near);
  const spread = CONSISTENCY * median(near.map((value) => Math.abs(value - middle)));
  return Math.abs((values[i] as number) - middle) > Math.max(jump, 3 * spread);
}
