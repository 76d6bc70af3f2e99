// Official answers, published vectors and accumulated hashes of all sets, with the compiled files and this Node:
// node scripts/check-ntru.mjs. Needs `npm run build` and nothing of a test runner, so that any version can run it.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { loadNtru, NTRU_PARAMETERS } from "../build/host/ntru/index.js";
import { checkSet } from "../build/test/vectors/check.js";
import { NistDrbg } from "../build/test/vectors/nist-drbg.js";

const root = new URL("../", import.meta.url);
const readJson = async (path) => JSON.parse(await readFile(new URL(path, root), "utf8"));
const accumulated = await readJson("vectors/ntru/accumulated.json");
const hash = createHash("sha256");
let checks = 0;
for (const name of Object.keys(NTRU_PARAMETERS)) {
  // The very bytes that every engine gets; their common digest is printed below.
  const module = await readFile(new URL(`build/ntru/${name}.wasm`, root));
  hash.update(module);
  const vectors = await readJson(`vectors/ntru/${name}.json`);
  const open = (entropy) => new NistDrbg(entropy);
  const input = { name, vectors, accumulated: accumulated[name], runs: 1000, open };
  checks += checkSet(await loadNtru(name, { module }), input);
}
if (checks === 0) {
  throw new Error("Nothing was checked.");
}
console.log(`Node ${process.version}: ${checks} checks passed; wasm ${hash.digest("hex").slice(0, 16)}`);
