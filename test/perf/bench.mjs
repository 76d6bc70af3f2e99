// What NTRU costs here, beside a schoolbook product of the same ring and what a user would take instead; run after
// the build. node test/perf/bench.mjs [--json] [--own]
//   --json  one object { node, cpu, results: [{ set, operation, implementation, medianMicroseconds }] }
//   --own   without the other packages, but with each kernel, for the performance test; the object then has
//           ratios: { [set]: { [operation]: how many times longer the product without vectors took } }
import { diffieHellman, generateKeyPairSync } from "node:crypto";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { createNtruPool, loadNtru, NTRU_PARAMETERS } from "medcloudlet/ntru";
import { instantiateKernels, kernelCalls, preparePolynomials, ROOT, schoolbookProduct } from "./kernels.mjs";
import { measure, median } from "./measure.mjs";

const OPERATIONS = ["product", "key pair", "encapsulate", "decapsulate"];
const BULK = 1000;

/** Its own function, so that the engine optimises it whole; replacing code inside a running loop gave times that jump. */
function dot(a, twice, offset) {
  const n = a.length;
  let sum = 0;
  for (let j = 0; j < n; j++) {
    sum = (sum + Math.imul(a[j], twice[offset + j])) | 0;
  }
  return sum;
}

/**
 * The plain product modulo x^n - 1, the fastest of the plain forms that were tried: `twice` is b backwards, two times,
 * so that the inner loop has neither a division nor a branch nor a store.
 */
function schoolbook(product, a, twice) {
  for (let i = 0; i < a.length; i++) {
    product[i] = dot(a, twice, a.length - 1 - i);
  }
}

function kemTasks(set, implementation, { pair, encapsulate, decapsulate }) {
  return [
    { set, operation: "key pair", implementation, call: pair },
    { set, operation: "encapsulate", implementation, call: encapsulate },
    { set, operation: "decapsulate", implementation, call: decapsulate },
  ];
}

async function ownTasks(set) {
  const ntru = await loadNtru(set);
  const { publicKey, secretKey } = ntru.generateKeyPair();
  const { ciphertext } = ntru.encapsulate(publicKey);
  const kernels = await instantiateKernels(set);
  const { a, b, c } = preparePolynomials(kernels);
  const words = new Int16Array(kernels.memory.buffer);
  const [left, right] = [a, b].map((at) => Int32Array.from(words.subarray(at / 2, at / 2 + kernels.N.value)));
  const product = new Int32Array(kernels.N.value);
  const scalar = await schoolbookProduct(left, right);
  const backwards = right.reverse();
  const twice = Int32Array.of(...backwards, ...backwards);
  schoolbook(product, left, twice);
  kernels.multiply(c, a, b);
  const mask = NTRU_PARAMETERS[set].q - 1;
  for (const other of [product, scalar()]) {
    if (other.some((value, i) => ((value - words[c / 2 + i]) & mask) !== 0)) {
      throw new Error(`The products of ${set} differ.`);
    }
  }
  return [
    {
      set,
      operation: "product",
      implementation: "schoolbook",
      call: () => schoolbook(product, left, twice),
    },
    { set, operation: "product", implementation: "schoolbook in wasm", call: scalar },
    { set, operation: "product", implementation: "medcloudlet", call: () => kernels.multiply(c, a, b) },
    ...kemTasks(set, "medcloudlet", {
      pair: () => ntru.generateKeyPair(),
      encapsulate: () => ntru.encapsulate(publicKey),
      decapsulate: () => ntru.decapsulate(secretKey, ciphertext),
    }),
  ];
}

async function liboqsTasks() {
  const { createNTRUHps2048677 } = await import("@oqs/liboqs-js");
  const kem = await createNTRUHps2048677();
  const { publicKey, secretKey } = kem.generateKeyPair();
  const { ciphertext } = kem.encapsulate(publicKey);
  return kemTasks("ntruhps2048677", "@oqs/liboqs-js", {
    pair: () => kem.generateKeyPair(),
    encapsulate: () => kem.encapsulate(publicKey),
    decapsulate: () => kem.decapsulate(ciphertext, secretKey),
  });
}

async function nobleTasks() {
  const { ml_kem768 } = await import("@noble/post-quantum/ml-kem.js");
  const { publicKey, secretKey } = ml_kem768.keygen();
  const { cipherText } = ml_kem768.encapsulate(publicKey);
  return kemTasks("ML-KEM-768", "@noble/post-quantum", {
    pair: () => ml_kem768.keygen(),
    encapsulate: () => ml_kem768.encapsulate(publicKey),
    decapsulate: () => ml_kem768.decapsulate(cipherText, secretKey),
  });
}

/** The parts of the operations, so that one that has lost its vectors cannot hide behind the rest. */
async function kernelTasks(set) {
  // The product is among the operations.
  const { multiply: _, ...calls } = kernelCalls(await instantiateKernels(set));
  return Object.entries(calls).map(([operation, call]) => ({
    set,
    operation,
    implementation: "kernel",
    call,
  }));
}

/** X25519 as a KEM: encapsulating is a fresh key pair and an agreement. */
function x25519Tasks() {
  const own = generateKeyPairSync("x25519");
  const other = generateKeyPairSync("x25519");
  return kemTasks("X25519", "node:crypto", {
    pair: () => generateKeyPairSync("x25519"),
    encapsulate: () => {
      const { privateKey } = generateKeyPairSync("x25519");
      return diffieHellman({ privateKey, publicKey: other.publicKey });
    },
    decapsulate: () => diffieHellman({ privateKey: own.privateKey, publicKey: other.publicKey }),
  });
}

async function wallMicroseconds(call) {
  const start = process.hrtime.bigint();
  await call();
  return Number(process.hrtime.bigint() - start) / 1000 / BULK;
}

/** Bulk decapsulation and key generation with one and with two workers, in turns: microseconds an operation. */
async function poolResults(set) {
  const pools = await Promise.all([1, 2].map((workers) => createNtruPool(set, { workers })));
  const ntru = await loadNtru(set);
  const { publicKey, secretKey } = ntru.generateKeyPair();
  const sent = ntru.encapsulateMany(Array(BULK).fill(publicKey));
  const ciphertexts = sent.map(({ ciphertext }) => ciphertext);
  const operations = {
    "key pair": (pool) => pool.generateKeyPairs(BULK),
    encapsulate: (pool) => pool.encapsulateMany(Array(BULK).fill(publicKey)),
    decapsulate: (pool) => pool.decapsulateMany(secretKey, ciphertexts),
  };
  const results = [];
  for (const [operation, call] of Object.entries(operations)) {
    const times = [[], []];
    for (let round = 0; round < 12; round++) {
      for (const [index, pool] of pools.entries()) {
        const time = await wallMicroseconds(() => call(pool));
        if (round >= 3) {
          times[index].push(time);
        }
      }
    }
    for (const [index, values] of times.entries()) {
      const implementation = `pool of ${index + 1}`;
      const medianMicroseconds = Number(median(values).toPrecision(4));
      results.push({ set, operation, implementation, medianMicroseconds });
    }
  }
  await Promise.all(pools.map((pool) => pool.close()));
  return results;
}

/** `{ [set]: { [operation]: ratio } }` of the product without vectors to each operation and kernel. */
function ratiosOf(results) {
  const ratios = {};
  const baselines = results.filter(({ implementation }) => implementation === "schoolbook in wasm");
  for (const { set, medianMicroseconds } of baselines) {
    const own = results.filter(
      (row) => row.set === set && ["medcloudlet", "kernel"].includes(row.implementation),
    );
    ratios[set] = Object.fromEntries(
      own.map((row) => [row.operation, medianMicroseconds / row.medianMicroseconds]),
    );
  }
  return ratios;
}

/** One block an operation: rows with a bar on a logarithmic scale, as the times span four powers of ten. */
function table({ node, cpu, results }) {
  const operations = [...new Set([...OPERATIONS, ...results.map(({ operation }) => operation)])];
  const lines = [`Node ${node}, ${cpu}`, "Median microseconds an operation; bars are logarithmic."];
  const logarithms = results.map(({ medianMicroseconds }) => Math.log(medianMicroseconds));
  const [low, high] = [Math.min(...logarithms), Math.max(...logarithms)];
  for (const operation of operations) {
    lines.push("", operation);
    for (const { set, implementation, medianMicroseconds } of results.filter(
      (row) => row.operation === operation,
    )) {
      const length = 1 + Math.round((39 * (Math.log(medianMicroseconds) - low)) / (high - low));
      const number = medianMicroseconds.toFixed(1).padStart(10);
      lines.push(`  ${set.padEnd(16)}${implementation.padEnd(20)}${number}  ${"█".repeat(length)}`);
    }
  }
  return lines.join("\n");
}

const { values: options } = parseArgs({ options: { json: { type: "boolean" }, own: { type: "boolean" } } });
process.chdir(ROOT);
const tasks = (await Promise.all(Object.keys(NTRU_PARAMETERS).map(ownTasks))).flat();
if (options.own) {
  tasks.push(...(await Promise.all(Object.keys(NTRU_PARAMETERS).map(kernelTasks))).flat());
} else {
  tasks.push(...(await liboqsTasks()), ...(await nobleTasks()), ...x25519Tasks());
}
const results = measure(tasks, options.own ? 15 : 60);
if (!options.own) {
  results.push(...(await poolResults("ntruhps2048677")));
}
const report = { node: process.versions.node, cpu: cpus()[0]?.model ?? "unknown", results };
if (options.own) {
  report.ratios = ratiosOf(results);
}
process.stdout.write(`${options.json ? JSON.stringify(report) : table(report)}\n`);
