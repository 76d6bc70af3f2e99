import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { instantiate } from "@assemblyscript/loader";
import { main as compile } from "assemblyscript/asc";
import type { NtruSetName } from "../../host/ntru/index.ts";

type Constant = WebAssembly.Global<"i32">;

/** The exports of assembly/kernels.ts that the tests use; numbers are addresses. */
export interface Kernels extends Record<string, unknown> {
  readonly memory: WebAssembly.Memory;
  readonly N: Constant;
  readonly PADDED: Constant;
  readonly SEED: Constant;
  readonly SORT: Constant;
  readonly SORT_LENGTH: Constant;
  readonly SORTED: Constant;
  readonly POLY_0: Constant;
  readonly POLY_1: Constant;
  readonly POLY_2: Constant;
  readonly POLY_3: Constant;
  readonly POLY_4: Constant;
  multiply(product: number, a: number, b: number): void;
  reducePhi(a: number): void;
  reduce3(a: number): void;
  lift(a: number): void;
  invert2(inverse: number, a: number): void;
  invert3(inverse: number, a: number): void;
  invertQ(inverse: number, a: number, e: number, e2: number, spare: number): void;
  packQ(bytes: number, a: number): void;
  unpackQ(a: number, bytes: number): void;
  unpackSumZero(a: number, bytes: number): void;
  packTrits(bytes: number, a: number): void;
  unpackTrits(a: number, bytes: number): void;
  sha3(output: number, input: number, length: number): void;
  sha3Pair(
    output: number,
    input: number,
    length: number,
    output2: number,
    input2: number,
    length2: number,
  ): void;
  sort(): void;
  wipe(): void;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Compiles assembly/kernels.ts in memory, with the options of the product, and instantiates it. */
export async function compileKernels(name: NtruSetName): Promise<Kernels> {
  let binary: Uint8Array<ArrayBuffer> | undefined;
  const { error, stderr } = await compile(
    ["assembly/kernels.ts", "--config", "asconfig.json", "--target", name, "--outFile", "kernels.wasm"],
    {
      readFile: (path) => readFile(`${ROOT}/${path}`, "utf8").catch(() => null),
      writeFile: (_path, contents) => {
        binary = Uint8Array.from(contents as Uint8Array);
      },
      listFiles: () => null,
    },
  );
  if (error !== null || binary === undefined) {
    throw new Error(`assembly/kernels.ts does not compile: ${stderr.toString()}`);
  }
  return (await instantiate<Kernels>(binary)).exports;
}

/** Writes the n coefficients of a polynomial and zeros behind them. */
export function writePoly(kernels: Kernels, address: number, coefficients: readonly number[]): void {
  const words = new Int16Array(kernels.memory.buffer, address, kernels.PADDED.value);
  words.fill(0);
  words.set(coefficients);
}

/** All PADDED words of a polynomial, as signed 16-bit integers. */
export function readPoly(kernels: Kernels, address: number): number[] {
  return [...new Int16Array(kernels.memory.buffer, address, kernels.PADDED.value)];
}
