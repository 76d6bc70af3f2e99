import { rankArea } from "../../statistics/index.ts";

/** One judged request with its truth. */
export interface Judged {
  readonly score: number;
  readonly attack: boolean;
}

/**
 * Area under the ROC curve as the Mann-Whitney statistic: the chance that an attack scores above a benign request,
 * ties counted half. NaN where one of the two is missing.
 */
export function areaUnderCurve(judged: readonly Judged[]): number {
  return rankArea(judged, ({ attack }) => attack);
}

/** The score above which at most `rate` of the benign requests lie: an alarm is a score strictly above it. */
export function thresholdAt(judged: readonly Judged[], rate: number): number {
  const benign = judged.filter(({ attack }) => !attack).map(({ score }) => score);
  const sorted = Float64Array.from(benign).sort().reverse();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * rate))] ?? 0;
}

export function truePositiveRate(judged: readonly Judged[], threshold: number): number {
  const attacks = judged.filter(({ attack }) => attack);
  return attacks.filter(({ score }) => score > threshold).length / attacks.length;
}

export function falsePositiveRate(judged: readonly Judged[], threshold: number): number {
  const benign = judged.filter(({ attack }) => !attack);
  return benign.filter(({ score }) => score > threshold).length / benign.length;
}

/** A point of the curve: false and true positive rate. */
export type RocPoint = readonly [number, number];

/** The whole curve from (0, 0) to (1, 1), one point for each score that occurs; thinned to at most `points`. */
export function rocCurve(judged: readonly Judged[], points = 400): RocPoint[] {
  const sorted = [...judged].sort((a, b) => b.score - a.score);
  const attacks = sorted.filter(({ attack }) => attack).length;
  const benign = sorted.length - attacks;
  const curve: RocPoint[] = [[0, 0]];
  let hits = 0;
  let misses = 0;
  for (const [i, { score, attack }] of sorted.entries()) {
    hits += attack ? 1 : 0;
    misses += attack ? 0 : 1;
    if (sorted[i + 1]?.score !== score) {
      curve.push([misses / Math.max(1, benign), hits / Math.max(1, attacks)]);
    }
  }
  const every = Math.max(1, Math.floor(curve.length / points));
  // The left end decides about use, so it is kept whole.
  return curve.filter(([falseRate], i) => falseRate <= 0.02 || i % every === 0 || i === curve.length - 1);
}

/** A small deterministic generator (mulberry32) for the bootstrap: same data, same intervals. */
export function createDraw(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Value with its bootstrap interval. */
export interface Measured {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Percentile bootstrap (Efron): attacks and benign requests are drawn again separately, `rounds` times, and the middle
 * 95 percent of what `measure` says of the draws is the interval.
 */
export function bootstrap(
  judged: readonly Judged[],
  measure: (sample: readonly Judged[]) => number,
  rounds = 200,
  seed = 1,
): Measured {
  const draw = createDraw(seed);
  const attacks = judged.filter(({ attack }) => attack);
  const benign = judged.filter(({ attack }) => !attack);
  const again = (from: readonly Judged[]): Judged[] =>
    from.map(() => from[Math.floor(draw() * from.length)] as Judged);
  const values: number[] = [];
  for (let round = 0; round < rounds; round++) {
    values.push(measure([...again(attacks), ...again(benign)]));
  }
  values.sort((a, b) => a - b);
  const at = (share: number): number =>
    values[Math.min(values.length - 1, Math.floor(share * values.length))] ?? Number.NaN;
  return { value: measure(judged), low: at(0.025), high: at(0.975) };
}
