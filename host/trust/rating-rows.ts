import { MedcloudletError } from "../base/index.ts";

/** Ratings as three columns: `raters[k]` rates `targets[k]` with `values[k]`, good counts up and bad counts down. */
export interface RatingColumns {
  readonly raters: Uint32Array;
  readonly targets: Uint32Array;
  /** sat - unsat of the pair; several entries of one pair add up. */
  readonly values: Float32Array | Float64Array;
}

/** One rater's ratings, by target. The arrays are views: read, never write. */
export interface RatingRow {
  readonly targets: Uint32Array;
  /** s_ij, negative where bad outcomes prevail. */
  readonly values: Float64Array;
}

/** A sparse matrix of ratings, one row a rater. */
export interface RatingRows {
  readonly patients: number;
  /** Stored pairs. */
  readonly pairs: number;
  row(rater: number): RatingRow;
  /** Adds to s_ij. Only this row is copied; the next {@link pack} puts it back into place. */
  add(rater: number, target: number, value: number): void;
  /** Folds changed rows back into the compressed arrays. */
  pack(): void;
}

interface Compressed {
  readonly starts: Uint32Array;
  readonly targets: Uint32Array;
  readonly values: Float64Array;
}

/**
 * Compressed sparse rows in typed arrays: 12 bytes a pair and 4 a patient, built with two counting sorts in O(n + m).
 * Ratings of oneself are left out.
 * @throws MedcloudletError `TRUST_RATINGS_INVALID` for columns of unequal length, an index out of range or a value that
 *   is not finite
 */
export function createRatingRows(patients: number, ratings: RatingColumns): RatingRows {
  assertColumns(patients, ratings);
  let packed = compress(patients, ratings);
  const changed = new Map<number, RatingRow>();

  const packedRow = (rater: number): RatingRow => {
    const from = packed.starts[rater] as number;
    const to = packed.starts[rater + 1] as number;
    return { targets: packed.targets.subarray(from, to), values: packed.values.subarray(from, to) };
  };
  const row = (rater: number): RatingRow => changed.get(rater) ?? packedRow(rater);

  return {
    patients,
    get pairs() {
      let pairs = packed.targets.length;
      for (const [rater, { targets }] of changed) {
        pairs += targets.length - packedRow(rater).targets.length;
      }
      return pairs;
    },
    row,
    add(rater, target, value) {
      assertColumns(patients, {
        raters: Uint32Array.of(rater),
        targets: Uint32Array.of(target),
        values: Float64Array.of(value),
      });
      if (rater !== target) {
        changed.set(rater, withAdded(row(rater), target, value));
      }
    },
    pack() {
      if (changed.size > 0) {
        packed = repack(patients, row);
        changed.clear();
      }
    },
  };
}

function withAdded({ targets, values }: RatingRow, target: number, value: number): RatingRow {
  const at = targets.indexOf(target);
  if (at !== -1) {
    const sums = values.slice();
    sums[at] = (sums[at] as number) + value;
    return { targets, values: sums };
  }
  const longer = {
    targets: new Uint32Array(targets.length + 1),
    values: new Float64Array(values.length + 1),
  };
  longer.targets.set(targets);
  longer.values.set(values);
  longer.targets[targets.length] = target;
  longer.values[values.length] = value;
  return longer;
}

/** Sorts by target, then stably by rater, so that equal pairs lie side by side; then adds those up. */
function compress(patients: number, { raters, targets, values }: RatingColumns): Compressed {
  const byTarget = countingSort(patients, targets, null);
  const order = countingSort(patients, raters, byTarget);
  const starts = new Uint32Array(patients + 1);
  const columns = new Uint32Array(order.length);
  const sums = new Float64Array(order.length);
  let size = 0;
  let row = 0;
  for (const k of order) {
    const rater = raters[k] as number;
    const target = targets[k] as number;
    while (row < rater) {
      row += 1;
      starts[row] = size;
    }
    if (rater === target) {
      continue;
    }
    if (size > (starts[row] as number) && columns[size - 1] === target) {
      sums[size - 1] = (sums[size - 1] as number) + (values[k] as number);
    } else {
      columns[size] = target;
      sums[size] = values[k] as number;
      size += 1;
    }
  }
  starts.fill(size, row + 1);
  return { starts, targets: columns.slice(0, size), values: sums.slice(0, size) };
}

/** Positions of `keys` in ascending order of key, stable with regard to `before`. */
function countingSort(range: number, keys: Uint32Array, before: Uint32Array | null): Uint32Array {
  const next = new Uint32Array(range + 1);
  for (const key of keys) {
    next[key + 1] = (next[key + 1] as number) + 1;
  }
  for (let key = 0; key < range; key++) {
    next[key + 1] = (next[key + 1] as number) + (next[key] as number);
  }
  const order = new Uint32Array(keys.length);
  for (let i = 0; i < keys.length; i++) {
    const k = before === null ? i : (before[i] as number);
    const key = keys[k] as number;
    order[next[key] as number] = k;
    next[key] = (next[key] as number) + 1;
  }
  return order;
}

function repack(patients: number, row: (rater: number) => RatingRow): Compressed {
  const starts = new Uint32Array(patients + 1);
  for (let rater = 0; rater < patients; rater++) {
    starts[rater + 1] = (starts[rater] as number) + row(rater).targets.length;
  }
  const targets = new Uint32Array(starts[patients] as number);
  const values = new Float64Array(targets.length);
  for (let rater = 0; rater < patients; rater++) {
    const { targets: columns, values: sums } = row(rater);
    targets.set(columns, starts[rater]);
    values.set(sums, starts[rater]);
  }
  return { starts, targets, values };
}

function assertColumns(patients: number, { raters, targets, values }: RatingColumns): void {
  const fits =
    raters.length === targets.length &&
    raters.length === values.length &&
    raters.every((rater) => rater < patients) &&
    targets.every((target) => target < patients) &&
    values.every((value) => Number.isFinite(value));
  if (!fits) {
    throw new MedcloudletError(
      "TRUST_RATINGS_INVALID",
      `Ratings are three columns of equal length with indexes below ${patients} and finite values.`,
      { status: 400 },
    );
  }
}
