// NTRU in WebAssembly beside the NTRU team's native code, in alternating blocks of one process:
// npm run bench:native -- [--json] [--set NAME ...] [--package-flags]
//   --package-flags  compiles with the flags that the package itself uses instead of -O3 -march=native
// First each operation runs on both sides from the same random bytes, and its results must be the same bytes.
// "kernel" is an export of the module on input that lies in place already, as the native code has it; "API" is the call
// from JavaScript with its checks, copies and the wipe, random bytes given. The native code wipes nothing.
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { loadNtru, NTRU_PARAMETERS } from "medcloudlet/ntru";
import { instantiateKernels, instantiateModule, preparePolynomials, ROOT } from "../../test/perf/kernels.mjs";
import { interleave, medianRatio, percentile } from "../../test/perf/measure.mjs";
import { buildNative, NotHere } from "./build.mjs";

const ROUNDS = 100;
/** Microseconds of a native block: what Node-API takes for a call, about 0.1, is then far below one percent. */
const NATIVE_BLOCK = 1000;
const SEEDS_COMPARED = 20;
/** How many times as long as the native code an operation may take, and what would be fine. */
const TARGETS = {
  "key pair": { target: 1.4, stretch: 1.15 },
  encapsulate: { target: 1.35, stretch: 1.1 },
  decapsulate: { target: 1.25, stretch: 1.1 },
};

function requireSame(set, what, native, wasm) {
  if (Buffer.compare(native, wasm) !== 0) {
    throw new Error(`${set}: native code and WebAssembly differ in the ${what}.`);
  }
}

/** Keys, ciphertexts and secrets from the same random bytes, and each side opens what the other sent. */
function requireSameKem(set, native, ntru) {
  const { sampleFgBytes, sampleRmBytes } = ntru.parameters;
  for (let i = 0; i < SEEDS_COMPARED; i++) {
    const pairSeed = crypto.getRandomValues(new Uint8Array(sampleFgBytes + 32));
    const { publicKey, secretKey } = ntru.generateKeyPair(pairSeed);
    native.seed.set(pairSeed);
    native.generateKeyPair(1);
    requireSame(set, "public key", native.publicKey, publicKey);
    requireSame(set, "secret key", native.secretKey, secretKey);

    const seed = pairSeed.subarray(0, sampleRmBytes).toReversed();
    const { ciphertext, sharedSecret } = ntru.encapsulate(publicKey, seed);
    native.seed.set(seed);
    native.encapsulate(1);
    requireSame(set, "ciphertext", native.ciphertext, ciphertext);
    requireSame(set, "shared secret", native.sharedSecret, sharedSecret);

    native.sharedSecret.fill(0);
    native.decapsulate(1);
    requireSame(set, "opened secret", native.sharedSecret, sharedSecret);
    requireSame(set, "opened secret", native.sharedSecret, ntru.decapsulate(secretKey, native.ciphertext));

    // The lowest bit of the first coefficient: nobody's ciphertext, so both must reject it in the same way.
    native.ciphertext[0] ^= 1;
    native.decapsulate(1);
    const rejected = ntru.decapsulate(secretKey, native.ciphertext);
    requireSame(set, "secret of a damaged ciphertext", native.sharedSecret, rejected);
  }
}

/** Both get the same factors; afterwards both products are compared modulo q. */
async function productCalls(set, native) {
  const kernels = await instantiateKernels(set);
  const { a, b, c } = preparePolynomials(kernels);
  const words = new Uint16Array(kernels.memory.buffer);
  const n = kernels.N.value;
  const of = (bytes) => new Uint16Array(bytes.buffer, bytes.byteOffset, n);
  of(native.left).set(words.subarray(a / 2, a / 2 + n));
  of(native.right).set(words.subarray(b / 2, b / 2 + n));
  native.multiply(1);
  kernels.multiply(c, a, b);
  const mask = NTRU_PARAMETERS[set].q - 1;
  if (of(native.product).some((value, i) => ((value ^ words[c / 2 + i]) & mask) !== 0)) {
    throw new Error(`${set}: native code and WebAssembly differ in the product.`);
  }
  return { native: (turns) => native.multiply(turns), kernel: () => kernels.multiply(c, a, b) };
}

/** For each operation the three ways to call it, their inputs in place. */
async function callsOf(set, native, ntru) {
  const raw = await instantiateModule(set);
  const { sampleFgBytes, sampleRmBytes } = ntru.parameters;
  const pairSeed = crypto.getRandomValues(new Uint8Array(sampleFgBytes + 32));
  const seed = crypto.getRandomValues(new Uint8Array(sampleRmBytes));
  const { publicKey, secretKey } = ntru.generateKeyPair(pairSeed);
  const { ciphertext } = ntru.encapsulate(publicKey, seed);
  const inputs = { pairSeed, seed, publicKey, secretKey, ciphertext };
  const places = {
    SEED: "seed",
    PUBLIC_KEY: "publicKey",
    SECRET_KEY: "secretKey",
    CIPHERTEXT: "ciphertext",
  };
  const put = (place, input) => {
    new Uint8Array(raw.memory.buffer).set(inputs[input], raw[place].value);
    native[places[place]].set(inputs[input]);
  };
  return {
    "key pair": {
      prepare: () => put("SEED", "pairSeed"),
      native: (turns) => native.generateKeyPair(turns),
      kernel: () => raw.generateKeyPair(),
      api: () => ntru.generateKeyPair(pairSeed),
    },
    encapsulate: {
      prepare: () => {
        put("SEED", "seed");
        put("PUBLIC_KEY", "publicKey");
      },
      native: (turns) => native.encapsulate(turns),
      kernel: () => raw.encapsulate(),
      api: () => ntru.encapsulate(publicKey, seed),
    },
    decapsulate: {
      prepare: () => {
        put("SECRET_KEY", "secretKey");
        put("CIPHERTEXT", "ciphertext");
      },
      native: (turns) => native.decapsulate(turns),
      kernel: () => raw.decapsulate(),
      api: () => ntru.decapsulate(secretKey, ciphertext),
    },
  };
}

/** How often the native operation fits in a block. */
function turnsOf(call) {
  call(20);
  const start = process.hrtime.bigint();
  call(20);
  return Math.max(1, Math.round((20 * NATIVE_BLOCK) / (Number(process.hrtime.bigint() - start) / 1000)));
}

function measureOperation(set, operation, variant, calls) {
  calls.prepare?.();
  const turns = turnsOf(calls.native);
  const wasm = [calls.kernel, calls.api].filter((call) => call !== undefined);
  const [blocks, kernel, api] = interleave([() => calls.native(turns), ...wasm], ROUNDS);
  const native = blocks.map((time) => time / turns);
  return {
    set,
    operation,
    variant,
    nativeMicroseconds: percentile(native, 0.1),
    kernelMicroseconds: percentile(kernel, 0.1),
    kernelRatio: medianRatio(kernel, native),
    ...(api === undefined
      ? {}
      : { apiMicroseconds: percentile(api, 0.1), apiRatio: medianRatio(api, native) }),
  };
}

/**
 * The products come last: their kernels are compiled in this process, and what the compiler leaves on the heap makes
 * every result that the API allocates dearer, by half a microsecond.
 */
async function measureAll(sets, modules) {
  const results = [];
  for (const set of sets) {
    const { variant, module } = modules[set];
    const ntru = await loadNtru(set);
    requireSameKem(set, module, ntru);
    for (const [operation, calls] of Object.entries(await callsOf(set, module, ntru))) {
      results.push(measureOperation(set, operation, variant, calls));
    }
  }
  for (const set of sets) {
    const { variant, module } = modules[set];
    results.push(measureOperation(set, "product", variant, await productCalls(set, module)));
  }
  return results;
}

function verdict({ operation, kernelRatio, apiRatio }) {
  const goal = TARGETS[operation];
  if (goal === undefined) {
    return "";
  }
  const word = (ratio) => (ratio <= goal.stretch ? "stretch" : ratio <= goal.target ? "met" : "missed");
  return `${goal.target}: ${word(kernelRatio)}, ${word(apiRatio)}`;
}

function line(row) {
  const micro = (value) => (value === undefined ? "" : value.toFixed(2));
  return [
    row.set.padEnd(16),
    row.variant.padEnd(5),
    row.operation.padEnd(12),
    micro(row.nativeMicroseconds).padStart(9),
    micro(row.kernelMicroseconds).padStart(9),
    micro(row.apiMicroseconds).padStart(9),
    micro(row.kernelRatio).padStart(8),
    micro(row.apiRatio).padStart(8),
    `  ${verdict(row)}`,
  ].join("");
}

async function main() {
  const { values: options } = parseArgs({
    options: {
      json: { type: "boolean" },
      set: { type: "string", multiple: true },
      "package-flags": { type: "boolean" },
    },
  });
  process.chdir(ROOT);
  const sets = options.set ?? Object.keys(NTRU_PARAMETERS);
  const { modules, compiler } = buildNative(sets, { packageFlags: options["package-flags"] ?? false });
  const results = await measureAll(sets, modules);
  const report = {
    node: process.versions.node,
    cpu: cpus()[0]?.model ?? "unknown",
    compiler,
    results,
  };
  if (options.json) {
    process.stdout.write(`${JSON.stringify(report)}\n`);
    return;
  }
  process.stdout.write(
    [
      `Node ${report.node}, ${report.cpu}, ${compiler}`,
      "Same bytes on both sides. Microseconds (p10) and how many times as long as native (median):",
      `${"".padEnd(33)}   native   kernel      API  kernel     API   target: kernel, API`,
      ...results.map(line),
      "",
    ].join("\n"),
  );
}

try {
  await main();
} catch (error) {
  if (!(error instanceof NotHere)) {
    throw error;
  }
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
