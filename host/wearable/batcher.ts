import { QUANTITIES, type Quantity, type ReadingColumn } from "../sealing/index.ts";

/** Readings of one person over a stretch of time. */
export interface VitalsBatch {
  readonly patient: string;
  readonly columns: ReadingColumn[];
}

/** Collects samples into batches. Every call returns the batches that it completed. */
export interface Batcher {
  /** Samples of one moment; times of one patient must not go backwards. */
  add(patient: string, time: number, samples: readonly Sample[]): VitalsBatch[];
  /** Everything still open, in the order in which the patients were last seen. */
  finish(): VitalsBatch[];
}

/** One value, or a gap. */
export interface Sample {
  readonly quantity: Quantity;
  readonly value: number | null;
}

type Column = { quantity: Quantity; times: number[]; values: (number | null)[] };
type OpenBatch = { readonly firstTime: number; readonly columns: Map<Quantity, Column> };

/** Persons with an unfinished batch at a time. Beyond it the one not seen for longest is handed out early. */
const MOST_OPEN_BATCHES = 64;

/**
 * A batch spans less than `batchSeconds` from its first sample, and holds at most `batchSamples` samples (values
 * and gaps) of any one quantity.
 */
export function createBatcher(batchSeconds: number, batchSamples: number): Batcher {
  const open = new Map<string, OpenBatch>();

  function isFull({ firstTime, columns }: OpenBatch, time: number, samples: readonly Sample[]): boolean {
    if (time - firstTime >= batchSeconds * 1000) {
      return true;
    }
    return samples.some(({ quantity }) => (columns.get(quantity)?.times.length ?? 0) >= batchSamples);
  }

  return {
    add(patient, time, samples) {
      const done: VitalsBatch[] = [];
      let batch = open.get(patient);
      open.delete(patient);
      if (batch !== undefined && isFull(batch, time, samples)) {
        done.push(closed(patient, batch));
        batch = undefined;
      }
      batch ??= { firstTime: time, columns: new Map() };
      for (const sample of samples) {
        append(batch.columns, time, sample);
      }
      open.set(patient, batch);
      const [oldest] = open;
      if (open.size > MOST_OPEN_BATCHES && oldest !== undefined) {
        open.delete(oldest[0]);
        done.push(closed(...oldest));
      }
      return done;
    },
    finish() {
      const rest = [...open].map(([patient, batch]) => closed(patient, batch));
      open.clear();
      return rest;
    },
  };
}

function append(columns: Map<Quantity, Column>, time: number, { quantity, value }: Sample): void {
  let column = columns.get(quantity);
  if (column === undefined) {
    column = { quantity, times: [], values: [] };
    columns.set(quantity, column);
  }
  column.times.push(time);
  column.values.push(value);
}

function closed(patient: string, { columns }: OpenBatch): VitalsBatch {
  const quantities = Object.keys(QUANTITIES) as Quantity[];
  return { patient, columns: quantities.flatMap((quantity) => columns.get(quantity) ?? []) };
}
