import type { Quantity, ReadingColumn } from "../sealing/index.ts";
import { assessBatch, type BatchAssessment, type BatchOptions } from "./priority.ts";

/** Judges the batches of one patient one after the other. */
export interface Triage {
  /** As `assessBatch`, with the values that earlier batches left behind. Batches come in the order of time. */
  assess(columns: readonly ReadingColumn[]): BatchAssessment;
}

/** A cuff measures twice an hour; a value older than this says nothing about the patient now. */
const HOLD_MS = 60 * 60 * 1000;

/**
 * Triage on a device. A quantity that is measured rarely (blood pressure) would otherwise count in one batch and be
 * forgotten in the next: a patient in shock would seem to recover until the cuff inflates again. `holdMs` is how
 * long a value counts.
 */
export function createTriage(options: BatchOptions & { readonly holdMs?: number } = {}): Triage {
  const { holdMs = HOLD_MS, ...batchOptions } = options;
  const held = new Map<Quantity, { time: number; value: number }>();

  const keep = ({ quantity, times, values }: ReadingColumn): void => {
    const last = values.findLastIndex((value) => value !== null);
    const [time, value] = [times[last], values[last]];
    if (time !== undefined && typeof value === "number" && time >= (held.get(quantity)?.time ?? time)) {
      held.set(quantity, { time, value });
    }
  };

  return {
    assess(columns) {
      const begin = Math.min(...columns.map(({ times }) => times[0] ?? Number.POSITIVE_INFINITY));
      const carried = [...held]
        .filter(([, { time }]) => time >= begin - holdMs && time <= begin)
        .map(([quantity, { time, value }]) => ({ quantity, times: [time], values: [value] }));
      const assessment = assessBatch([...carried, ...columns], batchOptions, begin);
      for (const column of columns) {
        keep(column);
      }
      return assessment;
    },
  };
}
