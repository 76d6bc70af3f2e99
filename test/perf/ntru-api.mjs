// What the JavaScript API adds to the WebAssembly: node test/perf/ntru-api.mjs [--json] [SET ...]
// A round trip through the API (random bytes given, copies in and out, checks, the wipe) beside the raw export on input
// that already lies in place, in alternating blocks of one process. Also what drawing the random bytes adds.
import { parseArgs } from "node:util";
import { loadNtru, NTRU_PARAMETERS } from "medcloudlet/ntru";
import { instantiateModule } from "./kernels.mjs";
import { interleave, medianRatio, percentile } from "./measure.mjs";

const ROUNDS = 100;

/** For each operation: the raw export, the API with random bytes given, and the API as it is mostly called. */
async function callsOf(set) {
  const { sampleFgBytes, sampleRmBytes } = NTRU_PARAMETERS[set];
  const [ntru, raw] = [await loadNtru(set), await instantiateModule(set)];
  const pairSeed = crypto.getRandomValues(new Uint8Array(sampleFgBytes + 32));
  const seed = crypto.getRandomValues(new Uint8Array(sampleRmBytes));
  const { publicKey, secretKey } = ntru.generateKeyPair(pairSeed);
  const { ciphertext } = ntru.encapsulate(publicKey, seed);
  const place = (address, bytes) => new Uint8Array(raw.memory.buffer, address.value, bytes.length).set(bytes);
  return {
    "key pair": {
      prepare: () => place(raw.SEED, pairSeed),
      calls: [
        () => raw.generateKeyPair(),
        () => ntru.generateKeyPair(pairSeed),
        () => ntru.generateKeyPair(),
      ],
    },
    encapsulate: {
      prepare: () => {
        place(raw.SEED, seed);
        place(raw.PUBLIC_KEY, publicKey);
      },
      calls: [
        () => raw.encapsulate(),
        () => ntru.encapsulate(publicKey, seed),
        () => ntru.encapsulate(publicKey),
      ],
    },
    decapsulate: {
      prepare: () => {
        place(raw.SECRET_KEY, secretKey);
        place(raw.CIPHERTEXT, ciphertext);
      },
      calls: [() => raw.decapsulate(), () => ntru.decapsulate(secretKey, ciphertext)],
    },
  };
}

async function measureSet(set) {
  const results = [];
  for (const [operation, { prepare, calls }] of Object.entries(await callsOf(set))) {
    prepare();
    const [raw, given, drawn] = interleave(calls, ROUNDS);
    results.push({
      set,
      operation,
      rawMicroseconds: percentile(raw, 0.1),
      apiMicroseconds: percentile(given, 0.1),
      overhead: medianRatio(given, raw) - 1,
      ...(drawn === undefined ? {} : { drawnMicroseconds: percentile(drawn, 0.1) }),
    });
  }
  return results;
}

function line({ set, operation, rawMicroseconds, apiMicroseconds, overhead, drawnMicroseconds }) {
  const number = (value) => (value === undefined ? "" : value.toFixed(2)).padStart(10);
  const percent = `${(100 * overhead).toFixed(1)}%`.padStart(8);
  const times = `${number(rawMicroseconds)}${number(apiMicroseconds)}`;
  return `${set.padEnd(16)}${operation.padEnd(13)}${times}${percent}${number(drawnMicroseconds)}`;
}

const { values: options, positionals } = parseArgs({
  options: { json: { type: "boolean" } },
  allowPositionals: true,
});
const results = [];
for (const set of positionals.length > 0 ? positionals : Object.keys(NTRU_PARAMETERS)) {
  results.push(...(await measureSet(set)));
}
const node = process.versions.node;
const head = `Node ${node}; microseconds (p10): raw export, API, median overhead, API with randomness drawn`;
process.stdout.write(
  `${options.json ? JSON.stringify({ node, results }) : [head, ...results.map(line)].join("\n")}\n`,
);
