// Times tasks in one interleaved run: in each of many short rounds every task is called for about a millisecond or, if
// slower, once. Other work on the machine then hits all tasks alike.
// V8 at times runs a plain JavaScript loop several times slower than a moment before: read ratios to it with care.

const WARM_UP_MILLISECONDS = 60;
const WARM_UP_ROUNDS = 3;
const ROUND_MICROSECONDS = 1000;

export function percentile(values, fraction) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * fraction)];
}

export function median(values) {
  return percentile(values, 0.5);
}

/** The median over the rounds of how many times longer the first took than the second, right beside it. */
export function medianRatio(first, second) {
  return median(first.map((time, round) => time / second[round]));
}

function microseconds(call, times) {
  const start = process.hrtime.bigint();
  for (let i = 0; i < times; i++) {
    call();
  }
  return Number(process.hrtime.bigint() - start) / 1000 / times;
}

function warmUp(call) {
  const end = performance.now() + WARM_UP_MILLISECONDS;
  while (performance.now() < end) {
    call();
  }
  return Math.max(1, Math.round(ROUND_MICROSECONDS / median([1, 2, 3].map(() => microseconds(call, 3)))));
}

/**
 * For each synchronous function its microseconds a call in each round. Every other round goes backwards, so that none
 * always follows the same one.
 */
export function interleave(calls, rounds) {
  const runs = calls.map((call) => ({ call, times: warmUp(call), results: [] }));
  for (let round = 0; round < WARM_UP_ROUNDS + rounds; round++) {
    for (const { call, times, results } of round % 2 === 0 ? runs : runs.toReversed()) {
      const result = microseconds(call, times);
      if (round >= WARM_UP_ROUNDS) {
        results.push(result);
      }
    }
  }
  return runs.map(({ results }) => results);
}

/** The tasks, which have a synchronous function `call`, with `medianMicroseconds` in its place. */
export function measure(tasks, rounds) {
  const calls = tasks.map(({ call }) => call);
  const results = interleave(calls, rounds);
  return tasks.map(({ call: _, ...task }, index) => ({
    ...task,
    medianMicroseconds: Number(median(results[index]).toPrecision(4)),
  }));
}
