// Times the kernels of assembly/kernels.ts: node test/perf/ntru-kernels.mjs [SET ...]
// Prints, for each kernel, the 10th percentile and the median of microseconds a call, over interleaved rounds:
// other work on the machine then hits all kernels alike.
import { readFile } from "node:fs/promises";
import { instantiateKernels, kernelCalls, ROOT } from "./kernels.mjs";
import { interleave, percentile } from "./measure.mjs";

const ROUNDS = 50;

async function report(set) {
  const calls = kernelCalls(await instantiateKernels(set));
  const times = interleave(Object.values(calls), ROUNDS);
  process.stdout.write(`${set}, Node ${process.version}\n`);
  for (const [index, name] of Object.keys(calls).entries()) {
    const at = (fraction) => percentile(times[index], fraction).toFixed(2).padStart(9);
    process.stdout.write(`  ${name.padEnd(14)}${at(0.1)}${at(0.5)}\n`);
  }
}

process.chdir(ROOT);
const { targets } = JSON.parse(await readFile("asconfig.json", "utf8"));
for (const set of process.argv.length > 2 ? process.argv.slice(2) : Object.keys(targets)) {
  await report(set);
}
