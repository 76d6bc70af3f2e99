import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ppspcAnswer, ppspcAsk, ppspcRead } from "../../../host/trust/ppspc-laboratory.ts";
import { codeOf } from "../sealing/fixtures.ts";
import { reduceLattice } from "./lll.ts";

const bit = fc.constantFrom(0, 1);

/** As many bits as noise and α a_i together have; above it a_i is 1, below 2^200 it is 0. */
const ERROR_BITS = 257n;

/**
 * What a reader of the message alone finds out, the answering party for one: the values are near multiples of one
 * hidden β, which is the approximate common divisor problem. In the lattice of the rows (2^257, C_1 … C_5) and
 * C_0 in turn on the diagonal, the shortest vector is r_0 times the first row, reduced: its first entry gives r_0, and
 * C_0 / r_0 gives β, or a small multiple of it where the six r have a common divisor (one time in sixty).
 */
function secretVector(values: readonly bigint[]): number[] {
  const [first, ...others] = values.slice(0, 6) as [bigint, ...bigint[]];
  const basis = [
    [1n << ERROR_BITS, ...others],
    ...others.map((_, i) => [0n, ...others.map((_, j) => (i === j ? -first : 0n))]),
  ];
  const shortest = (reduceLattice(basis)[0] as bigint[])[0] as bigint;
  const factor = (shortest < 0n ? -shortest : shortest) >> ERROR_BITS;
  const fits = (beta: bigint) => values.every((value) => value % beta < 1n << (ERROR_BITS + 1n));
  let divisor = 1n;
  while (!fits(first / factor / divisor)) {
    divisor += 1n;
  }
  const beta = first / factor / divisor;
  return values.map((value) => (value % beta >= 1n << 200n ? 1 : 0));
}

describe("PPSPC in the laboratory", () => {
  it("computes the scalar product", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(bit, bit), { minLength: 1, maxLength: 20 }), (pairs) => {
        const a = pairs.map(([value]) => value);
        const b = pairs.map(([, value]) => value);
        const { question, secret } = ppspcAsk(a);
        const expected = pairs.reduce((sum, [x, y]) => sum + x * y, 0);
        expect(ppspcRead(secret, ppspcAnswer(question, b))).toBe(expected);
      }),
    );
  });

  it("gives its whole secret vector to whoever reads six of its values", () => {
    const vectors = fc.array(bit, { minLength: 6, maxLength: 24 });
    fc.assert(
      fc.property(vectors, (vector) => {
        const { question } = ppspcAsk(vector);
        expect(secretVector(question.values)).toEqual(vector);
      }),
      { numRuns: 20, endOnFailure: true },
    );
  });

  it("refuses what is no vector", () => {
    expect(codeOf(() => ppspcAsk([]))).toBe("PPSPC_VECTOR_INVALID");
    expect(codeOf(() => ppspcAsk([2]))).toBe("PPSPC_VECTOR_INVALID");
    expect(codeOf(() => ppspcAnswer(ppspcAsk([1, 0]).question, [1]))).toBe("PPSPC_VECTOR_INVALID");
  });

  it("stays in the laboratory", () => {
    const door = readFileSync(new URL("../../../host/trust/index.ts", import.meta.url), "utf8");
    expect(door).not.toContain("ppspc");
  });
});
