/**
 * Batcher's bitonic sorting network on SORT_LENGTH signed 32-bit integers. Which places are compared depends
 * on the length alone; the values are secret and only meet min, max and bitselect.
 *
 * Memory is read as ROWS vectors of four columns, and the sequence runs down column 0, then 1, 2 and 3. So
 * the four columns are sorted side by side without looking into vectors, and only two merges need to: that of
 * columns 0 with 1 and 2 with 3, and that of both halves. A merge first compares the places of one run with
 * those of the other from its end; all comparisons then point the same way.
 */
import { SORT, SORT_LENGTH, SORTED } from "./arena";

/** Bytes of a row, and of all rows. */
const ROW: usize = 16;
const ALL: usize = 4 * SORT_LENGTH;

@inline
function low(x: v128, y: v128): v128 {
  return i32x4.min_s(x, y);
}

@inline
function high(x: v128, y: v128): v128 {
  return i32x4.max_s(x, y);
}

/** Sorts every four rows. */
function sortFours(): void {
  for (let at = SORT; at < SORT + ALL; at += 4 * ROW) {
    const x0 = v128.load(at);
    const x1 = v128.load(at, 16);
    const x2 = v128.load(at, 32);
    const x3 = v128.load(at, 48);
    const low01 = low(x0, x1);
    const high01 = high(x0, x1);
    const low23 = low(x2, x3);
    const high23 = high(x2, x3);
    const inner = high(low01, low23);
    const outer = low(high01, high23);
    v128.store(at, low(low01, low23));
    v128.store(at, low(inner, outer), 16);
    v128.store(at, high(inner, outer), 32);
    v128.store(at, high(high01, high23), 48);
  }
}

/**
 * The first step of a merge of runs of `run` bytes: compares each row with its mirror image in the next run.
 */
function compareMirrored(run: usize): void {
  for (let start = SORT; start < SORT + ALL; start += 2 * run) {
    let b = start + 2 * run;
    for (let a = start; a < start + run; a += ROW) {
      b -= ROW;
      const x = v128.load(a);
      const y = v128.load(b);
      v128.store(a, low(x, y));
      v128.store(b, high(x, y));
    }
  }
}

/** One step: compares rows at distance `stride`. */
function compareRows(stride: usize): void {
  for (let start = SORT; start < SORT + ALL; start += 2 * stride) {
    for (let a = start; a < start + stride; a += ROW) {
      const x = v128.load(a);
      const y = v128.load(a + stride);
      v128.store(a, low(x, y));
      v128.store(a + stride, high(x, y));
    }
  }
}

/** Two steps at once, at distance 2 stride and then stride: half the loads and stores. */
function compareRowsTwice(stride: usize): void {
  for (let start = SORT; start < SORT + ALL; start += 4 * stride) {
    for (let a = start; a < start + stride; a += ROW) {
      const x0 = v128.load(a);
      const x1 = v128.load(a + stride);
      const x2 = v128.load(a + 2 * stride);
      const x3 = v128.load(a + 3 * stride);
      const low02 = low(x0, x2);
      const low13 = low(x1, x3);
      const high02 = high(x0, x2);
      const high13 = high(x1, x3);
      v128.store(a, low(low02, low13));
      v128.store(a + stride, high(low02, low13));
      v128.store(a + 2 * stride, low(high02, high13));
      v128.store(a + 3 * stride, high(high02, high13));
    }
  }
}

/** The steps of a merge from distance `stride` down to one row. */
function compareDown(stride: usize): void {
  while (stride >= 2 * ROW) {
    compareRowsTwice(stride >> 1);
    stride >>= 2;
  }
  if (stride == ROW) {
    compareRows(ROW);
  }
}

/**
 * The first step of a merge of columns: row i against row ROWS - 1 - i with its columns exchanged. `lowLanes`
 * are the columns that come first. Merges neighbours, or halves when `halves`.
 */
@inline
function compareColumns(halves: bool, lowLanes: v128): void {
  let b = SORT + ALL;
  for (let a = SORT; a < SORT + ALL / 2; a += ROW) {
    b -= ROW;
    const x = v128.load(a);
    let y = v128.load(b);
    y = halves ? i32x4.shuffle(y, y, 3, 2, 1, 0) : i32x4.shuffle(y, y, 1, 0, 3, 2);
    const lows = low(x, y);
    const highs = high(x, y);
    v128.store(a, v128.bitselect(lows, highs, lowLanes));
    y = v128.bitselect(highs, lows, lowLanes);
    v128.store(b, halves ? i32x4.shuffle(y, y, 3, 2, 1, 0) : i32x4.shuffle(y, y, 1, 0, 3, 2));
  }
}

/** Compares column 0 with 1 and 2 with 3 within each row. */
function compareNeighbours(): void {
  for (let a = SORT; a < SORT + ALL; a += ROW) {
    const x = v128.load(a);
    const y = i32x4.shuffle(x, x, 1, 0, 3, 2);
    v128.store(a, v128.bitselect(low(x, y), high(x, y), i32x4(-1, 0, -1, 0)));
  }
}

/** Writes the columns one behind the other to SORTED. */
function transpose(): void {
  let to = SORTED;
  for (let a = SORT; a < SORT + ALL; a += 4 * ROW) {
    const x0 = v128.load(a);
    const x1 = v128.load(a, 16);
    const x2 = v128.load(a, 32);
    const x3 = v128.load(a, 48);
    const low01 = i32x4.shuffle(x0, x1, 0, 4, 1, 5);
    const low23 = i32x4.shuffle(x2, x3, 0, 4, 1, 5);
    const high01 = i32x4.shuffle(x0, x1, 2, 6, 3, 7);
    const high23 = i32x4.shuffle(x2, x3, 2, 6, 3, 7);
    v128.store(to, i64x2.shuffle(low01, low23, 0, 2));
    v128.store(to + ALL / 4, i64x2.shuffle(low01, low23, 1, 3));
    v128.store(to + ALL / 2, i64x2.shuffle(high01, high23, 0, 2));
    v128.store(to + (3 * ALL) / 4, i64x2.shuffle(high01, high23, 1, 3));
    to += ROW;
  }
}

/** Sorts the SORT_LENGTH integers at SORT upwards, to SORTED. */
export function sort(): void {
  sortFours();
  for (let run: usize = 4 * ROW; run < ALL; run <<= 1) {
    compareMirrored(run);
    compareDown(run >> 1);
  }
  compareColumns(false, i32x4(-1, 0, -1, 0));
  compareDown(ALL / 2);
  compareColumns(true, i32x4(-1, -1, 0, 0));
  compareNeighbours();
  compareDown(ALL / 2);
  transpose();
}
