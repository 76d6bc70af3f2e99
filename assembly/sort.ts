/**
 * Batcher's bitonic sorting network on SORT_LENGTH signed 32-bit integers, four to a vector. Which places are
 * compared depends on the length alone; the values are secret and only meet min, max and bitselect.
 */
import { SORT, SORT_LENGTH } from "./arena";

/** Compares a and b whole: the smaller values go to a, or to b when `descending`, which is public. */
// @ts-ignore: decorator
@inline
function compareVectors(a: usize, b: usize, descending: bool): void {
  const x = v128.load(a);
  const y = v128.load(b);
  const low = i32x4.min_s(x, y);
  const high = i32x4.max_s(x, y);
  v128.store(descending ? b : a, low);
  v128.store(descending ? a : b, high);
}

/**
 * Compares the lanes of the vector with those of its permutation `y`; set lanes of `takeHigh` keep the
 * larger.
 */
// @ts-ignore: decorator
@inline
function compareLanes(x: v128, y: v128, takeHigh: v128): v128 {
  return v128.bitselect(i32x4.max_s(x, y), i32x4.min_s(x, y), takeHigh);
}

// @ts-ignore: decorator
@inline
function compareNeighbours(x: v128, takeHigh: v128): v128 {
  return compareLanes(x, i32x4.shuffle(x, x, 1, 0, 3, 2), takeHigh);
}

// @ts-ignore: decorator
@inline
function compareHalves(x: v128, takeHigh: v128): v128 {
  return compareLanes(x, i32x4.shuffle(x, x, 2, 3, 0, 1), takeHigh);
}

/** Sorts each pair within the vectors, the first upwards, the second downwards. */
function sortPairs(): void {
  const takeHigh = i32x4(0, -1, -1, 0);
  for (let i: usize = 0; i < 4 * SORT_LENGTH; i += 16) {
    v128.store(SORT + i, compareNeighbours(v128.load(SORT + i), takeHigh));
  }
}

/** The last two steps of a merge, inside the vectors; runs of `size` integers alternate in direction. */
function mergeWithinVectors(size: usize): void {
  const halves = i32x4(0, 0, -1, -1);
  const neighbours = i32x4(0, -1, 0, -1);
  for (let i: usize = 0; i < 4 * SORT_LENGTH; i += 16) {
    const downwards = i32x4.splat((i & (4 * size)) == 0 ? 0 : -1);
    let x = v128.load(SORT + i);
    x = compareHalves(x, v128.xor(halves, downwards));
    x = compareNeighbours(x, v128.xor(neighbours, downwards));
    v128.store(SORT + i, x);
  }
}

/** Sorts the SORT_LENGTH integers at SORT upwards. */
export function sort(): void {
  sortPairs();
  mergeWithinVectors(4);
  for (let size: usize = 8; size <= <usize>SORT_LENGTH; size <<= 1) {
    for (let stride: usize = size >> 1; stride >= 4; stride >>= 1) {
      for (let start: usize = 0; start < <usize>SORT_LENGTH; start += 2 * stride) {
        const descending = (start & size) != 0;
        const end = SORT + 4 * (start + stride);
        for (let a = SORT + 4 * start; a < end; a += 16) {
          compareVectors(a, a + 4 * stride, descending);
        }
      }
    }
    mergeWithinVectors(size);
  }
}
