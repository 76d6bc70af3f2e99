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
import { SENT } from "./params";

/** Bytes of a row, of all rows, and of those that hold anything but the largest integer at first. */
const ROW: usize = 16;
const ALL: usize = 4 * SORT_LENGTH;
const USED: usize = 4 * SENT;

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
  for (let at = SORT; at < SORT + USED; at += 4 * ROW) {
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
 * The first step of a merge of runs of `run` bytes: compares each row below `end` with its mirror image in
 * the run before.
 */
function compareMirrored(run: usize, end: usize): void {
  for (let start = SORT; start + run < end; start += 2 * run) {
    const after = start + 2 * run;
    let b = min(after, end);
    for (let a = start + (after - b); a < start + run; a += ROW) {
      b -= ROW;
      const x = v128.load(a);
      const y = v128.load(b);
      v128.store(a, low(x, y));
      v128.store(b, high(x, y));
    }
  }
}

/** One step: compares rows at distance `stride`. */
function compareRows(stride: usize, end: usize): void {
  for (let start = SORT; start + stride < end; start += 2 * stride) {
    for (let a = start; a < min(start + stride, end - stride); a += ROW) {
      const x = v128.load(a);
      const y = v128.load(a + stride);
      v128.store(a, low(x, y));
      v128.store(a + stride, high(x, y));
    }
  }
}

/** Two steps at once, at distance 2 stride and then stride: half the loads and stores. */
function compareRowsTwice(stride: usize, end: usize): void {
  for (let start = SORT; start + stride < end; start += 4 * stride) {
    for (let a = start; a < min(start + stride, end - stride); a += ROW) {
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

/** Three steps at once, at distance 4 stride, 2 stride and stride. */
function compareRowsThrice(stride: usize, end: usize): void {
  for (let start = SORT; start + stride < end; start += 8 * stride) {
    for (let a = start; a < min(start + stride, end - stride); a += ROW) {
      const b = a + 4 * stride;
      const x0 = v128.load(a);
      const x1 = v128.load(a + stride);
      const x2 = v128.load(a + 2 * stride);
      const x3 = v128.load(a + 3 * stride);
      const x4 = v128.load(b);
      const x5 = v128.load(b + stride);
      const x6 = v128.load(b + 2 * stride);
      const x7 = v128.load(b + 3 * stride);
      let y0 = low(x0, x4);
      let y1 = low(x1, x5);
      let y2 = low(x2, x6);
      let y3 = low(x3, x7);
      let z0 = low(y0, y2);
      let z1 = low(y1, y3);
      let z2 = high(y0, y2);
      let z3 = high(y1, y3);
      v128.store(a, low(z0, z1));
      v128.store(a + stride, high(z0, z1));
      v128.store(a + 2 * stride, low(z2, z3));
      v128.store(a + 3 * stride, high(z2, z3));
      y0 = high(x0, x4);
      y1 = high(x1, x5);
      y2 = high(x2, x6);
      y3 = high(x3, x7);
      z0 = low(y0, y2);
      z1 = low(y1, y3);
      z2 = high(y0, y2);
      z3 = high(y1, y3);
      v128.store(b, low(z0, z1));
      v128.store(b + stride, high(z0, z1));
      v128.store(b + 2 * stride, low(z2, z3));
      v128.store(b + 3 * stride, high(z2, z3));
    }
  }
}

/** The steps of a merge from distance `stride` down to one row, as far as they compare rows below `end`. */
function compareDown(stride: usize, end: usize): void {
  while (stride >= 4 * ROW) {
    compareRowsThrice(stride >> 2, end);
    stride >>= 3;
  }
  if (stride == 2 * ROW) {
    compareRowsTwice(ROW, end);
  } else if (stride == ROW) {
    compareRows(ROW, end);
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

/**
 * Sorts the SORT_LENGTH integers at SORT upwards, to SORTED. From number n - 1 on they must be the largest
 * integer: as comparisons never move that upwards, those with it are left out while columns are sorted for
 * themselves.
 */
export function sort(): void {
  const end = SORT + USED;
  sortFours();
  for (let run: usize = 4 * ROW; run < ALL; run <<= 1) {
    compareMirrored(run, end);
    compareDown(run >> 1, end);
  }
  compareColumns(false, i32x4(-1, 0, -1, 0));
  compareDown(ALL / 2, SORT + ALL);
  compareColumns(true, i32x4(-1, -1, 0, 0));
  compareNeighbours();
  compareDown(ALL / 2, SORT + ALL);
  transpose();
}
