// Does the time of an operation tell something of its secrets? npm run timing -- [--set NAME] [--samples N] [--json]
// Two classes of inputs in random order, Welch's t-test on the times, whole and cropped (after dudect). Writes a
// plot to docs/timing/NAME.svg with --plot; exits with 1 when the planted leak is not seen. See docs/TIMING.md.
import { randomBytes, randomInt } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { loadNtru } from "../build/host/ntru/index.js";
import { plotTimings } from "./timing-plot.mjs";
import { worstT } from "./welch.mjs";

const { values: options } = parseArgs({
  options: {
    set: { type: "string", default: "ntruhps2048677" },
    samples: { type: "string", default: "20000" },
    json: { type: "boolean", default: false },
    plot: { type: "boolean", default: false },
  },
});
const samples = Number(options.samples);
const WARM_UP = 500;
const POOL = 64;
/** As many results as have points in the plot, evenly spaced on a logarithmic axis. */
const CHECKPOINTS = 24;

const ntru = await loadNtru(options.set);
const { sampleFgBytes, sampleRmBytes, ciphertextBytes } = ntru.parameters;
const pool = (make) => Array.from({ length: POOL }, make);
const keySeed = () => randomBytes(sampleFgBytes + 32);
const seed = () => randomBytes(sampleRmBytes);
const keys = ntru.generateKeyPair();
const otherPair = () => {
  const pair = ntru.generateKeyPair();
  return [pair.secretKey, ntru.encapsulate(pair.publicKey).ciphertext];
};
const pairs = pool(otherPair);
const valid = pool(() => [keys.secretKey, ntru.encapsulate(keys.publicKey).ciphertext]);
const invalid = valid.map(([secretKey, ciphertext]) => {
  const changed = ciphertext.slice();
  changed[randomInt(ciphertextBytes - 100)] ^= 1 << randomInt(8);
  return [secretKey, changed];
});

function encapsulations() {
  const fixed = seed();
  const random = pool(() => [keys.publicKey, seed()]);
  return ["encapsulate: fixed or random seed", pool(() => [keys.publicKey, fixed]), random, ntru.encapsulate];
}

function keyPairs() {
  const fixed = keySeed();
  return [
    "key pair: fixed or random seed",
    pool(() => [fixed]),
    pool(() => [keySeed()]),
    ntru.generateKeyPair,
  ];
}

function sameKeyPair() {
  const fixed = keySeed();
  return ["control: one key seed twice", pool(() => [fixed]), pool(() => [fixed]), ntru.generateKeyPair];
}

/** A leak of up to 255 turns of an empty loop: shows that the test would see one. */
const PLANTED = "planted leak: first byte of the secret key";

function planted() {
  const withFirst = (byte) => pairs.map(([secretKey, ciphertext]) => [secretKey.with(0, byte), ciphertext]);
  const call = (secretKey, ciphertext) => {
    ntru.decapsulate(secretKey, ciphertext);
    let turns = 0;
    while (turns < secretKey[0]) {
      turns++;
    }
  };
  return [PLANTED, withFirst(0), withFirst(242), call];
}

const tests = [
  ["decapsulate: fixed or random secret key", pool(() => pairs[0]), pairs, ntru.decapsulate],
  ["decapsulate: valid or invalid ciphertext", valid, invalid, ntru.decapsulate],
  encapsulations(),
  keyPairs(),
  // Nothing to tell apart: what the machine alone gives.
  ["control: random secret keys twice", pairs, pool(otherPair), ntru.decapsulate],
  sameKeyPair(),
  planted(),
];

/** Nanoseconds of `samples` calls, and the class of each. */
function measure(label, left, right, call) {
  // Both classes get copies, made in turn: they must differ in their values and not in where these lie.
  // For the same reason each call gets its input in the same place.
  const place = left[0].map((bytes) => new Uint8Array(bytes.length));
  const inputs = [[], []];
  for (let i = 0; i < POOL; i++) {
    [left, right].forEach((values, k) => {
      inputs[k].push(values[i].map((bytes) => Uint8Array.from(bytes)));
    });
  }
  const times = new Float64Array(samples);
  const classes = new Uint8Array(samples);
  for (let i = -WARM_UP; i < samples; i++) {
    const which = randomInt(2);
    inputs[which][randomInt(POOL)].forEach((bytes, k) => {
      place[k].set(bytes);
    });
    const start = process.hrtime.bigint();
    call(...place);
    const time = Number(process.hrtime.bigint() - start);
    if (i >= 0) {
      times[i] = time;
      classes[i] = which;
    }
    if (process.stderr.isTTY && i % 1000 === 0) {
      process.stderr.write(`\r\x1b[K${label}: ${Math.max(i, 0)} of ${samples}`);
    }
  }
  if (process.stderr.isTTY) {
    process.stderr.write("\r\x1b[K");
  }
  return { times, classes };
}

const results = tests.map(([test, left, right, call]) => {
  const { times, classes } = measure(test, left, right, call);
  const points = [];
  for (let k = 0; k < CHECKPOINTS; k++) {
    const count = Math.round(500 * (samples / 500) ** (k / (CHECKPOINTS - 1)));
    points.push([count, worstT(times.subarray(0, count), classes.subarray(0, count)).t]);
  }
  return { test, samples, ...worstT(times, classes), points };
});

if (options.json) {
  console.log(JSON.stringify({ node: process.version, set: options.set, results }));
} else {
  console.log(`${options.set}, Node ${process.version}, ${samples} samples a test\n`);
  for (const { test, t, crop, medians } of results) {
    const verdict =
      Math.abs(t) > 10 ? "LEAK?" : Math.abs(t) > 4.5 ? "look again with more samples" : "nothing seen";
    const micro = medians.map((ns) => (ns / 1000).toFixed(2)).join(" / ");
    console.log(
      `${test.padEnd(42)} t ${t.toFixed(2).padStart(7)} at ${crop}  median us ${micro}  ${verdict}`,
    );
  }
}
if (Math.abs(results.at(-1).t) < 10) {
  console.error(
    "The planted leak was not seen: this run shows nothing. Take more samples or a quieter machine.",
  );
  process.exitCode = 1;
}
if (options.plot) {
  const folder = new URL("../docs/timing/", import.meta.url);
  await mkdir(folder, { recursive: true });
  const title = `${options.set}, Node ${process.version}: |t| over the number of samples`;
  await writeFile(
    new URL(`${options.set}.svg`, folder),
    plotTimings(
      title,
      results.filter(({ test }) => test !== PLANTED),
    ),
  );
}
