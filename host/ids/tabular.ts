import { MedcloudletError } from "../base/index.ts";

/**
 * Gradient-boosted trees on binned columns (Friedman, Annals of Statistics 29(5), 2001; bins as in LightGBM), for
 * connection records such as NSL-KDD's. Supervised, unlike the request detector; here for comparison with literature.
 */
export interface TabularOptions {
  readonly trees?: number;
  readonly depth?: number;
  readonly rate?: number;
}

export interface TabularDetector {
  /** Belief that a row is an attack, 0 to 1. */
  score(row: readonly string[]): number;
}

const MAX_BINS = 64;
/** Pull of a leaf towards 0, in rows. */
const RIDGE = 5;
const LEAST_ROWS = 10;

interface Column {
  /** Upper bounds of bins of numbers, or the bin of each word. */
  readonly bounds?: Float64Array;
  readonly words?: Map<string, number>;
}

/** Inner nodes: column and bin (left where at most); leaves: value. Children of i are 2i + 1 and 2i + 2. */
interface Tree {
  readonly column: Int16Array;
  readonly bin: Uint8Array;
  readonly value: Float64Array;
}

function learnColumn(values: readonly string[], labels: readonly boolean[]): Column {
  const numbers = values.map(Number);
  if (numbers.every((value, i) => Number.isFinite(value) && values[i] !== "")) {
    const sorted = Float64Array.from(numbers).sort();
    const bounds = new Set<number>();
    for (let i = 1; i < MAX_BINS; i++) {
      bounds.add(sorted[Math.floor((i * sorted.length) / MAX_BINS)] as number);
    }
    return { bounds: Float64Array.from([...bounds].sort((a, b) => a - b)) };
  }
  // Words in the order of their share of attacks, so that one cut separates any set of them well.
  const seen = new Map<string, [number, number]>();
  for (const [i, value] of values.entries()) {
    const [attacks, all] = seen.get(value) ?? [0, 0];
    seen.set(value, [attacks + (labels[i] ? 1 : 0), all + 1]);
  }
  const share = ([, [attacks, all]]: [string, [number, number]]): number => (attacks + 1) / (all + 2);
  const order = [...seen].sort((a, b) => share(a) - share(b) || (a[0] < b[0] ? -1 : 1));
  return {
    words: new Map(
      order.map(([word], i) => [
        word,
        Math.min(MAX_BINS - 1, Math.floor((i * MAX_BINS) / Math.max(MAX_BINS, order.length))),
      ]),
    ),
  };
}

function binOf({ bounds, words }: Column, value: string): number {
  if (words !== undefined) {
    // A word never seen stands in the middle.
    return words.get(value) ?? Math.floor(words.size / 2);
  }
  const number = Number(value);
  let low = 0;
  let high = bounds?.length ?? 0;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (((bounds as Float64Array)[middle] as number) < number) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/**
 * Learns from rows of equal width and their labels; deterministic.
 * @throws MedcloudletError `IDS_TABLE_INVALID`
 */
export function trainTabular(
  rows: readonly (readonly string[])[],
  labels: readonly boolean[],
  options: TabularOptions = {},
): TabularDetector {
  const { trees: rounds = 80, depth = 5, rate = 0.2 } = options;
  const width = rows[0]?.length ?? 0;
  if (width === 0 || rows.some((row) => row.length !== width) || rows.length !== labels.length) {
    throw new MedcloudletError(
      "IDS_TABLE_INVALID",
      "Rows must be there, be equally wide, and have a label each.",
      { status: 400 },
    );
  }
  const columns = Array.from({ length: width }, (_, c) =>
    learnColumn(
      rows.map((row) => row[c] as string),
      labels,
    ),
  );
  const bins = columns.map((column, c) => Uint8Array.from(rows, (row) => binOf(column, row[c] as string)));
  const n = rows.length;
  const attacks = labels.filter(Boolean).length;
  const base = Math.log((attacks + 1) / (n - attacks + 1));
  const margin = new Float64Array(n).fill(base);
  const gradient = new Float64Array(n);
  const curvature = new Float64Array(n);
  const nodeOf = new Int32Array(n);
  const forest: Tree[] = [];
  const inner = 2 ** depth - 1;

  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < n; i++) {
      const p = 1 / (1 + Math.exp(-(margin[i] as number)));
      gradient[i] = (labels[i] ? 1 : 0) - p;
      curvature[i] = Math.max(1e-6, p * (1 - p));
    }
    nodeOf.fill(0);
    const tree: Tree = {
      column: new Int16Array(inner).fill(-1),
      bin: new Uint8Array(inner),
      value: new Float64Array(2 * inner + 1),
    };
    for (let level = 0; level < depth; level++) {
      splitLevel(tree, level, bins, nodeOf, gradient, curvature);
    }
    const sums = new Float64Array(2 * inner + 1);
    const weights = new Float64Array(2 * inner + 1);
    for (let i = 0; i < n; i++) {
      const node = nodeOf[i] as number;
      sums[node] = (sums[node] as number) + (gradient[i] as number);
      weights[node] = (weights[node] as number) + (curvature[i] as number);
    }
    for (let node = 0; node < sums.length; node++) {
      tree.value[node] = (rate * (sums[node] as number)) / ((weights[node] as number) + RIDGE);
    }
    for (let i = 0; i < n; i++) {
      margin[i] = (margin[i] as number) + (tree.value[nodeOf[i] as number] as number);
    }
    forest.push(tree);
  }

  return {
    score(row) {
      const own = columns.map((column, c) => binOf(column, row[c] ?? ""));
      let sum = base;
      for (const { column, bin, value } of forest) {
        let node = 0;
        while (node < inner && (column[node] as number) >= 0) {
          node = 2 * node + ((own[column[node] as number] as number) <= (bin[node] as number) ? 1 : 2);
        }
        sum += value[node] as number;
      }
      return 1 / (1 + Math.exp(-sum));
    },
  };
}

/** Splits each node of a level where that gains most, and moves its rows down. */
function splitLevel(
  tree: Tree,
  level: number,
  bins: readonly Uint8Array[],
  nodeOf: Int32Array,
  gradient: Float64Array,
  curvature: Float64Array,
): void {
  const first = 2 ** level - 1;
  const nodes = 2 ** level;
  const gain = new Float64Array(nodes);
  const n = nodeOf.length;
  for (const [c, column] of bins.entries()) {
    const g = new Float64Array(nodes * MAX_BINS);
    const h = new Float64Array(nodes * MAX_BINS);
    const rows = new Int32Array(nodes * MAX_BINS);
    for (let i = 0; i < n; i++) {
      const node = (nodeOf[i] as number) - first;
      if (node >= 0) {
        const at = node * MAX_BINS + (column[i] as number);
        g[at] = (g[at] as number) + (gradient[i] as number);
        h[at] = (h[at] as number) + (curvature[i] as number);
        rows[at] = (rows[at] as number) + 1;
      }
    }
    for (let node = 0; node < nodes; node++) {
      const from = node * MAX_BINS;
      let G = 0;
      let H = 0;
      let R = 0;
      for (let bin = 0; bin < MAX_BINS; bin++) {
        G += g[from + bin] as number;
        H += h[from + bin] as number;
        R += rows[from + bin] as number;
      }
      let left = 0;
      let leftH = 0;
      let leftR = 0;
      for (let bin = 0; bin < MAX_BINS - 1; bin++) {
        left += g[from + bin] as number;
        leftH += h[from + bin] as number;
        leftR += rows[from + bin] as number;
        if (leftR < LEAST_ROWS || R - leftR < LEAST_ROWS) {
          continue;
        }
        const now =
          left ** 2 / (leftH + RIDGE) + (G - left) ** 2 / (H - leftH + RIDGE) - G ** 2 / (H + RIDGE);
        if (now > (gain[node] as number) + 1e-9) {
          gain[node] = now;
          tree.column[first + node] = c;
          tree.bin[first + node] = bin;
        }
      }
    }
  }
  for (let i = 0; i < n; i++) {
    const node = nodeOf[i] as number;
    const column = node >= first ? (tree.column[node] as number) : -1;
    if (column >= 0) {
      nodeOf[i] =
        2 * node + (((bins[column] as Uint8Array)[i] as number) <= (tree.bin[node] as number) ? 1 : 2);
    }
  }
}
