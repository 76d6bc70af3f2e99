// Times tasks in one interleaved run: in each of many short rounds every task is called for about a millisecond or, if
// slower, once, and the median of its rounds is the result. Other work on the machine then hits all tasks alike.
// V8 at times runs a plain JavaScript loop several times slower than a moment before: read ratios to it with care.

const WARM_UP_MILLISECONDS = 60;
const WARM_UP_ROUNDS = 3;
const ROUND_MICROSECONDS = 1000;

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
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

/** The tasks, which have a synchronous function `call`, with `medianMicroseconds` in its place. */
export function measure(tasks, rounds) {
  const runs = tasks.map(({ call }) => ({ call, times: warmUp(call), results: [] }));
  for (let round = 0; round < WARM_UP_ROUNDS + rounds; round++) {
    for (const { call, times, results } of runs) {
      const result = microseconds(call, times);
      if (round >= WARM_UP_ROUNDS) {
        results.push(result);
      }
    }
  }
  return tasks.map(({ call: _, ...task }, index) => ({
    ...task,
    medianMicroseconds: Number(median(runs[index].results).toPrecision(4)),
  }));
}
