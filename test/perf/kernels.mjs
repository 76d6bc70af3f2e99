// The WebAssembly without the host's code: the built modules, and assembly/kernels.ts compiled in memory with the
// options of the product, which gives the arithmetic a door of its own.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { main as compile } from "assemblyscript/asc";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** An instance of the built module of a parameter set, as the host sees it. */
export async function instantiateModule(set) {
  return (await WebAssembly.instantiate(await readFile(`${ROOT}/build/ntru/${set}.wasm`))).instance.exports;
}

/** The exports of the kernels of a parameter set. */
export async function instantiateKernels(set) {
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

/** Fills POLY_0 with ternary and POLY_1 with small coefficients; their addresses, and those of two results. */
export function preparePolynomials(kernels) {
  const [a, b, c, d] = [kernels.POLY_0, kernels.POLY_1, kernels.POLY_2, kernels.POLY_3].map(
    ({ value }) => value,
  );
  const words = new Int16Array(kernels.memory.buffer);
  for (let i = 0; i < kernels.N.value - 1; i++) {
    words[a / 2 + i] = ((i * i * 7 + (i >> 3)) % 3) - 1;
    words[b / 2 + i] = (i * 977) & 2047;
  }
  return { a, b, c, d };
}
