// The WebAssembly without the host's code: the built modules, and assembly/kernels.ts compiled in memory with the
// options of the product, which gives the arithmetic a door of its own.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { main as compile, compileString } from "assemblyscript/asc";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * The product modulo x^n - 1 without vectors and without an idea, in WebAssembly: what ratios are taken to. An engine
 * compiles it the same way in every run, which it does not do with plain JavaScript. `twice` is b backwards, two times.
 */
const SCHOOLBOOK = `
export function multiply(c: usize, a: usize, twice: usize, n: usize): void {
  for (let i: usize = 0; i < n; i++) {
    const from = twice + 2 * (n - 1 - i);
    let sum: i32 = 0;
    for (let j: usize = 0; j < 2 * n; j += 2) {
      sum += <i32>load<i16>(a + j) * <i32>load<i16>(from + j);
    }
    store<i16>(c + 2 * i, sum);
  }
}
`;

/** A function that multiplies the two polynomials without vectors; it returns the product modulo 2^16. */
export async function schoolbookProduct(left, right) {
  const options = { runtime: "stub", optimizeLevel: 3, noAssert: true, initialMemory: 1 };
  const { binary, error, stderr } = await compileString(SCHOOLBOOK, options);
  if (error !== null) {
    throw new Error(`The schoolbook does not compile: ${stderr}`);
  }
  const { memory, multiply } = (await WebAssembly.instantiate(binary)).instance.exports;
  const n = left.length;
  const place = (address, length) => new Int16Array(memory.buffer, address, length);
  const backwards = right.toReversed();
  const [a, twice, c] = [1024, 1024 + 2 * n, 1024 + 6 * n];
  place(a, n).set(left);
  place(twice, 2 * n).set([...backwards, ...backwards]);
  return () => {
    multiply(c, a, twice, n);
    return place(c, n);
  };
}

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

/** The kernels with their arguments; POLY_0 is ternary, POLY_1 modulo q, the others are overwritten. */
export function kernelCalls(kernels) {
  const { a, b, c, d } = preparePolynomials(kernels);
  const bytes = kernels.SEED.value;
  return {
    multiply: () => kernels.multiply(c, a, b),
    invert2: () => kernels.invert2(d, a),
    invert3: () => kernels.invert3(d, a),
    sort: () => kernels.sort(),
    sampleRm: () => kernels.sampleRm(c, d, bytes),
    reduce3: () => kernels.reduce3(c),
    lift: () => kernels.lift(c),
    packQ: () => kernels.packQ(bytes, b),
    unpackQ: () => kernels.unpackQ(c, bytes),
    packTrits: () => kernels.packTrits(bytes, a),
    unpackTrits: () => kernels.unpackTrits(c, bytes),
    keccakF1600: () => kernels.keccakF1600(),
  };
}
