// Times the kernels of assembly/kernels.ts: node test/perf/ntru-kernels.mjs [SET ...]
// Prints, for each kernel, the 10th percentile and the median of microseconds a call, over interleaved rounds:
// other work on the machine then hits all kernels alike.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { main as compile } from "assemblyscript/asc";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const ROUNDS = 50;
const WARM_UP = 20;
const ROUND_MICROSECONDS = 500;

async function instantiate(set) {
  let binary;
  const { error, stderr } = await compile(
    ["assembly/kernels.ts", "--config", "asconfig.json", "--target", set, "--outFile", "kernels.wasm"],
    {
      readFile: (path) => readFile(`${ROOT}/${path}`, "utf8").catch(() => null),
      writeFile: (_path, contents) => {
        binary = Uint8Array.from(contents);
      },
      listFiles: () => null,
    },
  );
  if (error !== null) {
    throw new Error(`assembly/kernels.ts does not compile for ${set}: ${stderr}`);
  }
  return (await WebAssembly.instantiate(binary)).instance.exports;
}

/** The kernels with their arguments; POLY_0 is ternary, POLY_1 modulo q, the others are overwritten. */
function calls(kernels) {
  const [a, b, c, d] = [kernels.POLY_0, kernels.POLY_1, kernels.POLY_2, kernels.POLY_3].map(
    ({ value }) => value,
  );
  const bytes = kernels.SEED.value;
  const words = new Int16Array(kernels.memory.buffer);
  for (let i = 0; i < kernels.N.value - 1; i++) {
    words[a / 2 + i] = ((i * i * 7 + (i >> 3)) % 3) - 1;
    words[b / 2 + i] = (i * 977) & 2047;
  }
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
  const kernels = Object.entries(calls(await instantiate(set))).map(([name, call]) => {
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
