// Compiles the KEM once for each parameter set in asconfig.json: assembly/ to build/ntru/NAME.wasm.
// Sets whose output is newer than every source are left alone; any compiler message fails the build.
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const root = fileURLToPath(new URL("..", import.meta.url));
const output = "build/ntru";

async function changedAt(path) {
  return (await stat(new URL(`../${path}`, import.meta.url))).mtimeMs;
}

/** When anything that the output depends on was last changed: sources, options, compiler and this script. */
async function sourcesChangedAt() {
  const sources = (await readdir(`${root}/assembly`)).filter((name) => name.endsWith(".ts"));
  const paths = [
    ...sources.map((name) => `assembly/${name}`),
    "asconfig.json",
    "scripts/build-wasm.mjs",
    "node_modules/assemblyscript/package.json",
  ];
  return Math.max(...(await Promise.all(paths.map(changedAt))));
}

async function isFresh(path, changed) {
  try {
    return (await changedAt(path)) > changed;
  } catch {
    return false;
  }
}

/** Writes under another name first, so that nobody ever reads half a module. */
async function replaceFile(path, bytes) {
  const unfinished = `${root}/${path}.${process.pid}`;
  try {
    await writeFile(unfinished, bytes);
    await rename(unfinished, `${root}/${path}`);
  } finally {
    await rm(unfinished, { force: true });
  }
}

async function compile(asc, name) {
  let binary;
  const { error, stdout, stderr } = await asc.main(
    ["--config", "asconfig.json", "--target", name, "--outFile", "out.wasm"],
    {
      readFile: (path, base) => readFile(`${base ?? root}/${path}`, "utf8").catch(() => null),
      writeFile: (_, contents) => {
        binary = contents;
      },
      listFiles: (directory, base) => readdir(`${base ?? root}/${directory}`).catch(() => null),
    },
  );
  const messages = `${stdout}${stderr}`.trim();
  if (error !== null || messages !== "" || binary === undefined) {
    throw new Error(`${name} does not compile: ${error?.message ?? ""}\n${messages}`);
  }
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(binary));
  if (imports.length > 0) {
    throw new Error(
      `${name} must import nothing, but imports ${imports.map((entry) => entry.name).join(", ")}`,
    );
  }
  return binary;
}

async function main() {
  process.chdir(root);
  // The sizes are only told: that whoever read them has gone must not end the build half-way.
  process.stdout.on("error", (error) => {
    if (error.code !== "EPIPE") {
      throw error;
    }
  });
  await mkdir(output, { recursive: true });
  const { targets } = JSON.parse(await readFile("asconfig.json", "utf8"));
  const changed = await sourcesChangedAt();
  let asc;
  for (const name of Object.keys(targets)) {
    const path = `${output}/${name}.wasm`;
    const fresh = await isFresh(path, changed);
    if (!fresh) {
      asc ??= (await import("assemblyscript/asc")).default;
      await replaceFile(path, await compile(asc, name));
    }
    const bytes = await readFile(path);
    const sizes = `${bytes.length} bytes, ${gzipSync(bytes, { level: 9 }).length} gzipped`;
    console.log(`${name.padEnd(16)} ${sizes}${fresh ? " (unchanged)" : ""}`);
  }
}

await main();
