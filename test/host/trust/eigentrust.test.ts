import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRandom } from "../../../host/base/index.ts";
import { createEigenTrust, type RatingColumns, standingOf } from "../../../host/trust/index.ts";
import { createRatingRows } from "../../../host/trust/rating-rows.ts";
import { codeOf } from "../sealing/fixtures.ts";

type Rating = readonly [rater: number, target: number, value: number];

const PATIENTS = 12;
const someone = fc.integer({ min: 0, max: PATIENTS - 1 });
const rating = fc.tuple(someone, someone, fc.constantFrom(-2, -1, 1, 3));
const ratings = fc.array(rating, { maxLength: 60 });
const seeds = fc.uniqueArray(someone, { minLength: 1, maxLength: 4 });

function columns(list: readonly Rating[]): RatingColumns {
  return {
    raters: Uint32Array.from(list, ([rater]) => rater),
    targets: Uint32Array.from(list, ([, target]) => target),
    values: Float64Array.from(list, ([, , value]) => value),
  };
}

/** The definition, with a dense matrix and a thousand rounds. */
function byDefinition(list: readonly Rating[], from: readonly number[], restart = 0.15): number[] {
  const local = Array.from({ length: PATIENTS }, () => new Array<number>(PATIENTS).fill(0));
  for (const [rater, target, value] of list) {
    if (rater !== target) {
      (local[rater] as number[])[target] = ((local[rater] as number[])[target] as number) + value;
    }
  }
  const home = Array.from({ length: PATIENTS }, (_, i) => (from.includes(i) ? 1 / from.length : 0));
  const matrix = local.map((row) => {
    const positive = row.map((value) => Math.max(0, value));
    const sum = positive.reduce((total, value) => total + value, 0);
    return sum === 0 ? home : positive.map((value) => value / sum);
  });
  let trust = [...home];
  for (let round = 0; round < 1_000; round++) {
    trust = home.map(
      (p, j) =>
        restart * p +
        (1 - restart) * trust.reduce((sum, t, i) => sum + t * ((matrix[i] as number[])[j] as number), 0),
    );
  }
  return trust;
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, value, i) => sum + Math.abs(value - (b[i] as number)), 0);
}

/** Rating graphs as they are: most patients rate a few others. */
function randomRatings(patients: number, count: number, seed: number): RatingColumns {
  const random = createRandom(seed, 1);
  const pick = () => Math.floor(random.uniform() * patients);
  return {
    raters: Uint32Array.from({ length: count }, pick),
    targets: Uint32Array.from({ length: count }, pick),
    values: Float32Array.from({ length: count }, () => (random.chance(0.85) ? 1 : -1)),
  };
}

describe("rating rows", () => {
  it("add up what one says of another and leave out what one says of oneself", () => {
    fc.assert(
      fc.property(ratings, ratings, fc.boolean(), (first, later, pack) => {
        const rows = createRatingRows(PATIENTS, columns(first));
        for (const [rater, target, value] of later) {
          rows.add(rater, target, value);
        }
        if (pack) {
          rows.pack();
        }
        const sums = new Map<string, number>();
        for (const [rater, target, value] of [...first, ...later]) {
          if (rater !== target) {
            sums.set(`${rater}>${target}`, (sums.get(`${rater}>${target}`) ?? 0) + value);
          }
        }
        const found = new Map<string, number>();
        for (let rater = 0; rater < PATIENTS; rater++) {
          const { targets, values } = rows.row(rater);
          targets.forEach((target, k) => {
            found.set(`${rater}>${target}`, values[k] as number);
          });
        }
        expect(found).toEqual(sums);
        expect(rows.pairs).toBe(sums.size);
      }),
    );
  });

  it("refuse columns that do not fit", () => {
    const bad: readonly RatingColumns[] = [
      columns([[PATIENTS, 0, 1]]),
      columns([[0, PATIENTS, 1]]),
      columns([[0, 1, Number.NaN]]),
      { ...columns([[0, 1, 1]]), values: new Float64Array(2) },
    ];
    for (const one of bad) {
      expect(codeOf(() => createRatingRows(PATIENTS, one))).toBe("TRUST_RATINGS_INVALID");
    }
    const rows = createRatingRows(PATIENTS, columns([]));
    expect(codeOf(() => rows.add(0, PATIENTS, 1))).toBe("TRUST_RATINGS_INVALID");
  });
});

describe("EigenTrust", () => {
  it("is what its definition says", () => {
    fc.assert(
      fc.property(ratings, seeds, (list, from) => {
        const trust = createEigenTrust({
          patients: PATIENTS,
          seeds: from,
          ratings: columns(list),
          tolerance: 1e-8,
        });
        const scores = trust.scores();
        expect(distance(scores, byDefinition(list, from))).toBeLessThan(1e-8);
        expect(scores.reduce((sum, score) => sum + score, 0)).toBeCloseTo(1, 7);
      }),
    );
  });

  it("folds in one rating after the other and stays within its bound of a full recomputation", () => {
    fc.assert(
      fc.property(ratings, fc.array(rating, { minLength: 1, maxLength: 40 }), seeds, (first, later, from) => {
        const tolerance = 1e-6;
        const trust = createEigenTrust({
          patients: PATIENTS,
          seeds: from,
          ratings: columns(first),
          tolerance,
        });
        const so: Rating[] = [...first];
        for (const one of later) {
          trust.rate(...one);
          so.push(one);
          const away = distance(trust.scores(), byDefinition(so, from));
          expect(trust.errorBound()).toBeLessThanOrEqual(tolerance);
          // The definition is itself rounded at 1e-16 a step.
          expect(away).toBeLessThanOrEqual(trust.errorBound() + 1e-12);
        }
        trust.recompute();
        expect(distance(trust.scores(), byDefinition(so, from))).toBeLessThan(tolerance);
      }),
    );
  });

  it("takes less than a twentieth of a recomputation's work for one rating in a large graph", () => {
    const patients = 20_000;
    const trust = createEigenTrust({
      patients,
      seeds: [0, 1, 2, 3, 4, 5, 6, 7],
      ratings: randomRatings(patients, 200_000, 3),
    });
    const random = createRandom(4, 1);
    let touched = 0;
    for (let i = 0; i < 50; i++) {
      touched += trust.rate(
        Math.floor(random.uniform() * patients),
        Math.floor(random.uniform() * patients),
        1,
      );
    }
    expect(touched).toBeGreaterThan(0);
    const before = trust.scores();
    expect(trust.errorBound()).toBeLessThanOrEqual(1e-4);
    const rounds = trust.recompute();
    // A recomputation touches everybody in each round.
    expect(touched / 50).toBeLessThan((rounds * patients) / 20);
    expect(distance(before, trust.scores())).toBeLessThan(1e-4);
  });

  it("gives nothing to a clique that nobody else has had a good exchange with", () => {
    const clique: Rating[] = [8, 9, 10, 11].flatMap((rater) =>
      [8, 9, 10, 11].map((target): Rating => [rater, target, 1000]),
    );
    const honest: Rating[] = [
      [0, 1, 1],
      [1, 2, 1],
      [2, 3, 1],
      [3, 1, 1],
      [2, 8, -1],
    ];
    const trust = createEigenTrust({
      patients: PATIENTS,
      seeds: [0],
      ratings: columns([...clique, ...honest]),
    });
    expect([8, 9, 10, 11].map((member) => trust.scoreOf(member))).toEqual([0, 0, 0, 0]);
    expect(trust.scoreOf(3)).toBeGreaterThan(0.05);
    expect(standingOf(trust.scoreOf(8), PATIENTS)).toBe(0);
    expect(standingOf(1 / PATIENTS, PATIENTS)).toBe(0.5);
  });

  it("has to start somewhere", () => {
    for (const from of [[], [-1], [PATIENTS], [0.5]]) {
      expect(codeOf(() => createEigenTrust({ patients: PATIENTS, seeds: from, ratings: columns([]) }))).toBe(
        "TRUST_SEEDS_MISSING",
      );
    }
  });
});
