import type { Random } from "../base/index.ts";

/**
 * Stationary Ornstein-Uhlenbeck noise with mean 0, in its exact discrete form, the AR(1) process
 * x(t+1) = phi x(t) + sd sqrt(1 - phi^2) e(t), phi = exp(-1 s / relaxation). It starts in its stationary law.
 *
 * @param deviation stationary standard deviation
 * @param relaxation time in seconds after which the correlation has fallen to 1/e
 * @returns a function giving the next second's value
 */
export function createOrnsteinUhlenbeck(random: Random, deviation: number, relaxation: number): () => number {
  const phi = Math.exp(-1 / relaxation);
  const innovation = deviation * Math.sqrt(1 - phi * phi);
  let state = deviation * random.normal();
  return () => {
    state = phi * state + innovation * random.normal();
    return state;
  };
}

/**
 * First-order lag: follows its input by 1 - exp(-1 s / relaxation) each second.
 * @returns a function taking this second's input and giving the lagged value
 */
export function createLag(initial: number, relaxation: number): (target: number) => number {
  const share = 1 - Math.exp(-1 / relaxation);
  let state = initial;
  return (target) => {
    state += share * (target - state);
    return state;
  };
}

/**
 * A sensor that fails now and then: a two-state Markov chain by the second.
 * @param meanSeconds mean length of a failure
 * @returns a function taking this second's probability of a new failure, giving true while it lasts
 */
export function createDropout(random: Random, meanSeconds: number): (probability: number) => boolean {
  let failed = false;
  return (probability) => {
    const draw = random.uniform();
    failed = failed ? draw >= 1 / meanSeconds : draw < probability;
    return failed;
  };
}
