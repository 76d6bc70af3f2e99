// Writes ratios.json, which the performance test compares with, after a change that is meant to be faster:
// node test/perf/ratios.mjs FILE ... with what six runs or so of bench.mjs --own --json wrote, half of them on Node 20 and
// half on 24. It takes the lowest ratio of each, or from five runs on the second lowest, as on a shared machine one in
// six may be off by twice.
import { readFileSync, writeFileSync } from "node:fs";

function low(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return Number(sorted[values.length < 5 ? 0 : 1].toPrecision(3));
}

function lowRatios(all) {
  return Object.fromEntries(
    Object.entries(all[0]).map(([set, operations]) => [
      set,
      Object.fromEntries(
        Object.keys(operations).map((operation) => [
          operation,
          low(all.map((ratios) => ratios[set][operation])),
        ]),
      ),
    ]),
  );
}

const files = process.argv.slice(2);
if (files.length === 0) {
  process.stderr.write("Name the files that bench.mjs --own --json wrote.\n");
  process.exit(2);
}
const all = files.map((file) => JSON.parse(readFileSync(file, "utf8")).ratios);
writeFileSync(new URL("ratios.json", import.meta.url), `${JSON.stringify(lowRatios(all), null, 2)}\n`);
