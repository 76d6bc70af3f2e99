// Trust at scale: 100,000 patients with two million ratings, from scratch, and one rating after the other on top.
// `node test/perf/eigentrust.mjs [patients] [ratings]` after `npm run build`.
import { createRandom } from "../../build/host/base/index.js";
import { createEigenTrust } from "../../build/host/trust/index.js";

const patients = Number(process.argv[2] ?? 100_000);
const count = Number(process.argv[3] ?? 2_000_000);
const UPDATES = 200;

const random = createRandom(1, 1);
const pick = () => Math.floor(random.uniform() * patients);
const ratings = {
  raters: Uint32Array.from({ length: count }, pick),
  targets: Uint32Array.from({ length: count }, pick),
  values: Float32Array.from({ length: count }, () => (random.chance(0.85) ? 1 : -1)),
};
const seeds = Array.from({ length: 100 }, (_, i) => i);

const milliseconds = (action) => {
  const start = performance.now();
  const result = action();
  return [performance.now() - start, result];
};
const distance = (a, b) => a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0);

const [built, trust] = milliseconds(() => createEigenTrust({ patients, seeds, ratings }));
const [again, rounds] = milliseconds(() => trust.recompute());
const times = [];
let touched = 0;
for (let i = 0; i < UPDATES; i++) {
  const [time, pushes] = milliseconds(() => trust.rate(pick(), pick(), random.chance(0.85) ? 1 : -1));
  times.push(time);
  touched += pushes;
}
times.sort((a, b) => a - b);
const folded = trust.scores();
const bound = trust.errorBound();
trust.recompute();

const lines = [
  ["patients, ratings", `${patients}, ${count}`],
  ["rows built and scores computed, ms", built.toFixed(0)],
  ["scores computed again, ms", `${again.toFixed(0)} (${rounds} rounds)`],
  [
    "one rating folded in, ms, median and 99th percentile",
    `${times[UPDATES / 2].toFixed(2)}, ${times[Math.floor(UPDATES * 0.99)].toFixed(2)}`,
  ],
  ["patients touched by one rating, mean", (touched / UPDATES).toFixed(0)],
  [
    `error after ${UPDATES} ratings (L1): bound, against a recomputation`,
    `${bound.toExponential(1)}, ${distance(folded, trust.scores()).toExponential(1)}`,
  ],
];
for (const [name, value] of lines) {
  process.stdout.write(`| ${name} | ${value} |\n`);
}
