import { describe, expect, it } from "vitest";
import { createRandom } from "../../../host/base/random.ts";
import { createDropout, createLag, createOrnsteinUhlenbeck } from "../../../host/wearable/noise.ts";

const COUNT = 100_000;

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function covariance(a: readonly number[], b: readonly number[]): number {
  const [meanA, meanB] = [mean(a), mean(b)];
  return mean(a.map((value, i) => (value - meanA) * ((b[i] as number) - meanB)));
}

describe("sfc32", () => {
  it.each([
    [42, 1, [2573014457, 551115121, 590060544, 3963663191]],
    [2 ** 53 - 1, 7, [3045536079, 4012256545, 1405581167, 657697993]],
  ])("seed %d, stream %d: the words of an independent implementation", (seed, stream, words) => {
    const random = createRandom(seed, stream);
    expect(words.map(() => random.uniform() * 2 ** 32)).toEqual(words);
  });

  it("has streams that do not repeat one another", () => {
    const one = createRandom(5, 1);
    const two = createRandom(5, 2);
    const pairs = Array.from({ length: 1000 }, () => [one.uniform(), two.uniform()] as const);
    expect(Math.abs(covariance(...(transpose(pairs) as [number[], number[]])))).toBeLessThan(0.01);
  });

  it("draws from the laws it names", () => {
    const random = createRandom(9, 0);
    const normal = Array.from({ length: COUNT }, () => random.normal());
    expect(mean(normal)).toBeCloseTo(0, 1);
    expect(covariance(normal, normal)).toBeCloseTo(1, 1);
    const exponential = Array.from({ length: COUNT }, () => random.exponential(4));
    expect(Math.abs(mean(exponential) - 4)).toBeLessThan(0.1);
    const heads = Array.from({ length: COUNT }, () => (random.chance(0.3) ? 1 : 0));
    expect(mean(heads)).toBeCloseTo(0.3, 1);
    expect(Math.min(...Array.from({ length: 1000 }, () => random.between(2, 3)))).toBeGreaterThanOrEqual(2);
  });
});

describe("noise", () => {
  it("Ornstein-Uhlenbeck has its deviation and its correlation time", () => {
    const next = createOrnsteinUhlenbeck(createRandom(3, 0), 2, 10);
    const path = Array.from({ length: COUNT }, next);
    const variance = covariance(path, path);
    expect(Math.sqrt(variance)).toBeCloseTo(2, 0);
    const lagged = covariance(path.slice(0, -10), path.slice(10)) / variance;
    expect(Math.abs(lagged - Math.exp(-1))).toBeLessThan(0.05);
  });

  it("a lag has covered 1 - 1/e of a step after its relaxation time", () => {
    const follow = createLag(0, 60);
    const steps = Array.from({ length: 60 }, () => follow(1));
    expect(steps.at(-1)).toBeCloseTo(1 - Math.exp(-1), 6);
  });

  it("a dropout lasts as long as it should", () => {
    const fails = createDropout(createRandom(8, 0), 20);
    const states = Array.from({ length: COUNT }, () => fails(1 / 100));
    const share = states.filter(Boolean).length / COUNT;
    expect(Math.abs(share - 20 / 120)).toBeLessThan(0.02);
  });
});

function transpose(pairs: readonly (readonly [number, number])[]): number[][] {
  return [pairs.map(([a]) => a), pairs.map(([, b]) => b)];
}
