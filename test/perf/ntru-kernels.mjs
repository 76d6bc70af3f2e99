// Times the kernels of assembly/kernels.ts: node test/perf/ntru-kernels.mjs [SET ...]
// Prints, for each kernel, the 10th percentile and the median of microseconds a call, over interleaved rounds:
// other work on the machine then hits all kernels alike.
import { readFile } from "node:fs/promises";
import { instantiateKernels, preparePolynomials, ROOT } from "./kernels.mjs";

const ROUNDS = 50;
const WARM_UP = 20;
const ROUND_MICROSECONDS = 500;

/** The kernels with their arguments; POLY_0 is ternary, POLY_1 modulo q, the others are overwritten. */
function calls(kernels) {
  const { a, b, c, d } = preparePolynomials(kernels);
  const bytes = kernels.SEED.value;
  return {
    multiply: () => kernels.multiply(c, a, b),
    invert2: () => kernels.invert2(d, a),
    invert3: () => kernels.invert3(d, a),
    sort: () => kernels.sort(),
    sampleRm: () => kernels.sampleRm(c, d, bytes),
    reduce3: () => kernels.reduce3(c),
    lift: () => kernels.lift(c),
    packQ: () => kernels.packQ(bytes, b),
    unpackQ: () => kernels.unpackQ(c, bytes),
    packTrits: () => kernels.packTrits(bytes, a),
    unpackTrits: () => kernels.unpackTrits(c, bytes),
    keccakF1600: () => kernels.keccakF1600(),
  };
}

function microseconds(call, times) {
  const start = process.hrtime.bigint();
  for (let i = 0; i < times; i++) {
    call();
  }
  return Number(process.hrtime.bigint() - start) / 1000 / times;
}

async function report(set) {
  const kernels = Object.entries(calls(await instantiateKernels(set))).map(([name, call]) => {
    microseconds(call, 20);
    const times = Math.max(1, Math.round(ROUND_MICROSECONDS / microseconds(call, 20)));
    return { name, call, times, results: [] };
  });
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    for (const { call, times, results } of kernels) {
      const result = microseconds(call, times);
      if (round >= WARM_UP) {
        results.push(result);
      }
    }
  }
  process.stdout.write(`${set}, Node ${process.version}\n`);
  for (const { name, results } of kernels) {
    results.sort((x, y) => x - y);
    const at = (fraction) => results[Math.floor(fraction * ROUNDS)].toFixed(2).padStart(9);
    process.stdout.write(`  ${name.padEnd(14)}${at(0.1)}${at(0.5)}\n`);
  }
}

process.chdir(ROOT);
const { targets } = JSON.parse(await readFile("asconfig.json", "utf8"));
for (const set of process.argv.length > 2 ? process.argv.slice(2) : Object.keys(targets)) {
  await report(set);
}
