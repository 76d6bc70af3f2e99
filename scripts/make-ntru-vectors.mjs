// Writes vectors/ntru/NAME.json for each parameter set, always with the same bytes: npm run vectors:make
import { mkdir, writeFile } from "node:fs/promises";
import { loadNtru, NTRU_PARAMETERS } from "../build/host/ntru/index.js";
import { generateVectors } from "../build/test/vectors/generate.js";

const folder = new URL("../vectors/ntru/", import.meta.url);
await mkdir(folder, { recursive: true });
for (const name of Object.keys(NTRU_PARAMETERS)) {
  const text = generateVectors(await loadNtru(name), name);
  await writeFile(new URL(`${name}.json`, folder), text);
  console.log(`${name.padEnd(16)} ${JSON.parse(text).numberOfTests} tests, ${text.length} bytes`);
}
