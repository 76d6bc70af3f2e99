import { MedcloudletError } from "../base/index.ts";
import { createRatingRows, type RatingColumns, type RatingRow } from "./rating-rows.ts";

// EigenTrust: Kamvar, Schlosser and Garcia-Molina, "The EigenTrust Algorithm for Reputation Management in P2P
// Networks", WWW 2003. The incremental part: Zhang, Lofgren and Goel, "Approximate Personalized PageRank on Dynamic
// Graphs", KDD 2016 (arXiv 1603.07796).

/** The share of trust that always goes back to the clinicians: how far lies can carry. */
const RESTART = 0.15;
const TOLERANCE = 1e-4;
const MAX_ROUNDS = 1_000;

export interface EigenTrustOptions {
  /** How many patients and clinicians there are; they are numbered from 0. */
  readonly patients: number;
  /** The numbers of the enrolled clinicians: where trust comes from. At least one. */
  readonly seeds: readonly number[];
  readonly ratings: RatingColumns;
  /** a, in (0, 1). */
  readonly restart?: number;
  /** Largest error that is aimed at, summed over all patients (L1; all trust together is 1). */
  readonly tolerance?: number;
}

export interface EigenTrust {
  /** Everybody's share of trust; they add up to 1 within {@link errorBound}. A copy. */
  scores(): Float64Array;
  scoreOf(patient: number): number;
  /**
   * Folds in one new rating without a recomputation: gives how many patients' scores had to be touched. A positive
   * `value` is a good exchange, a negative one a bad one.
   * @throws MedcloudletError `TRUST_RATINGS_INVALID`
   */
  rate(rater: number, target: number, value: number): number;
  /** Computes everything from scratch by power iteration, to far below the tolerance: gives the rounds it took. */
  recompute(): number;
  /**
   * An upper bound of |t - t*|_1, the distance to the exact answer: the residuals' sum / a. It holds after any number
   * of updates, since residuals are kept, not thrown away.
   */
  errorBound(): number;
}

/**
 * EigenTrust seeded by enrolled clinicians: c_ij = max(s_ij, 0) / Σ_j max(s_ij, 0), and c_i = p where somebody trusts
 * nobody; t = (1 - a) Cᵀ t + a p with p uniform over the clinicians.
 *
 * Updates keep the residual r = a p + (1 - a) Cᵀ t - t beside t. A new rating changes one row of C, hence r by
 * (1 - a) t_i (c_i' - c_i), exactly. While a residual is larger than ε = tolerance · a / n it is pushed on: t_u gains
 * r_u and each v gains (1 - a) c_uv r_u in residual. Then |t - t*|_1 <= |r|_1 / a <= tolerance.
 *
 * @throws MedcloudletError `TRUST_SEEDS_MISSING`, `TRUST_RATINGS_INVALID`
 */
export function createEigenTrust(options: EigenTrustOptions): EigenTrust {
  const { patients, seeds, restart = RESTART, tolerance = TOLERANCE } = options;
  assertSeeds(patients, seeds);
  const rows = createRatingRows(patients, options.ratings);
  const follow = 1 - restart;
  const home = 1 / seeds.length;
  const limit = (tolerance * restart) / patients;
  let trust: Float64Array = new Float64Array(patients);
  const residual = new Float64Array(patients);
  const waiting = new Uint8Array(patients);
  let queue: number[] = [];

  const enqueue = (patient: number) => {
    if (waiting[patient] === 0 && Math.abs(residual[patient] as number) > limit) {
      waiting[patient] = 1;
      queue.push(patient);
    }
  };

  /** Gives `amount` along the row: to those rated well in proportion, or to the clinicians; and pushes on what is due. */
  function spread(row: RatingRow, amount: number): void {
    const sum = positiveSum(row);
    if (sum === 0) {
      for (const seed of seeds) {
        residual[seed] = (residual[seed] as number) + amount * home;
        enqueue(seed);
      }
      return;
    }
    const { targets, values } = row;
    const unit = amount / sum;
    for (let k = 0; k < targets.length; k++) {
      const value = values[k] as number;
      if (value > 0) {
        const target = targets[k] as number;
        residual[target] = (residual[target] as number) + unit * value;
        enqueue(target);
      }
    }
  }

  /** One application of the equation's right-hand side. The hot loop: nothing is called in it. */
  function step(from: Float64Array, sums: Float64Array): Float64Array {
    const next = new Float64Array(patients);
    let stray = 0;
    for (let i = 0; i < patients; i++) {
      const amount = follow * (from[i] as number);
      const sum = sums[i] as number;
      if (amount === 0) {
        continue;
      }
      if (sum === 0) {
        stray += amount;
        continue;
      }
      const { targets, values } = rows.row(i);
      const unit = amount / sum;
      for (let k = 0; k < targets.length; k++) {
        const value = values[k] as number;
        if (value > 0) {
          const target = targets[k] as number;
          next[target] = (next[target] as number) + unit * value;
        }
      }
    }
    for (const seed of seeds) {
      next[seed] = (next[seed] as number) + (restart + stray) * home;
    }
    return next;
  }

  function recompute(): number {
    rows.pack();
    const sums = Float64Array.from({ length: patients }, (_, i) => positiveSum(rows.row(i)));
    trust = new Float64Array(patients);
    for (const seed of seeds) {
      trust[seed] = (trust[seed] as number) + home;
    }
    // Far below the tolerance, so that updates start with almost all of it to spend.
    const enough = tolerance * restart * 0.01;
    for (let round = 1; ; round++) {
      const next = step(trust, sums);
      let change = 0;
      for (let i = 0; i < patients; i++) {
        const difference = (next[i] as number) - (trust[i] as number);
        residual[i] = difference;
        change += Math.abs(difference);
      }
      if (change < enough || round === MAX_ROUNDS) {
        // `residual` belongs to `trust`, not to `next`: keep the pair that fits together.
        return round;
      }
      trust = next;
    }
  }

  function push(): number {
    let pushes = 0;
    for (let head = 0; head < queue.length; head++) {
      const patient = queue[head] as number;
      waiting[patient] = 0;
      const amount = residual[patient] as number;
      if (Math.abs(amount) <= limit) {
        continue;
      }
      residual[patient] = 0;
      trust[patient] = (trust[patient] as number) + amount;
      spread(rows.row(patient), follow * amount);
      pushes += 1;
    }
    queue = [];
    return pushes;
  }

  recompute();
  return {
    scores: () => trust.slice(),
    scoreOf: (patient) => trust[patient] ?? 0,
    rate(rater, target, value) {
      const before = rows.row(rater);
      rows.add(rater, target, value);
      const amount = follow * (trust[rater] ?? 0);
      spread(before, -amount);
      spread(rows.row(rater), amount);
      return push();
    },
    recompute,
    errorBound: () => residual.reduce((sum, value) => sum + Math.abs(value), 0) / restart,
  };
}

/**
 * A score as something to weigh a witness by: x / (1 + x) with x = t_i n, so that the average is 1/2, somebody whom no
 * chain of good exchanges reaches 0, and nobody 1.
 */
export function standingOf(score: number, patients: number): number {
  const x = Math.max(0, score) * patients;
  return x / (1 + x);
}

function positiveSum({ values }: RatingRow): number {
  let sum = 0;
  for (const value of values) {
    if (value > 0) {
      sum += value;
    }
  }
  return sum;
}

function assertSeeds(patients: number, seeds: readonly number[]): void {
  if (seeds.length === 0 || !seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed < patients)) {
    throw new MedcloudletError(
      "TRUST_SEEDS_MISSING",
      "Trust starts from enrolled clinicians: name at least one, each by its number.",
      { status: 400 },
    );
  }
}
