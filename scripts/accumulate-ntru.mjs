// The accumulated hash of one set: npm run vectors:accumulate -- [SET] [RUNS]
// Compares with vectors/ntru/accumulated.json where that has the number; exits with 1 when they differ.
import { readFile } from "node:fs/promises";
import { loadNtru } from "../build/host/ntru/index.js";
import { accumulate } from "../build/test/vectors/accumulate.js";

const [name = "ntruhps2048677", count = "100000"] = process.argv.slice(2);
const runs = Number(count);
const digests = JSON.parse(
  await readFile(new URL("../vectors/ntru/accumulated.json", import.meta.url), "utf8"),
);
const progress = (run) => {
  if (process.stderr.isTTY && run % 500 === 0) {
    process.stderr.write(`\r${name}: ${run} of ${runs}`);
  }
};
const digest = accumulate(await loadNtru(name), name, runs, progress);
if (process.stderr.isTTY) {
  process.stderr.write("\r\x1b[K");
}
const expected = digests[name]?.[runs];
const verdict =
  expected === undefined
    ? "nothing to compare with"
    : expected === digest
      ? "as expected"
      : `EXPECTED ${expected}`;
console.log(`${name} ${runs} ${digest} ${verdict}`);
process.exitCode = expected === undefined || expected === digest ? 0 : 1;
