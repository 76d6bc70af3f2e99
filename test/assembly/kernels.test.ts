import { sha3_256 } from "@noble/hashes/sha3.js";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { toHex } from "../../host/base/index.ts";
import { NTRU_PARAMETERS, type NtruSetName } from "../../host/ntru/index.ts";
import { compileKernels, type Kernels, readPoly, writePoly } from "./compile.ts";
import { centred, liftHrss, modulo, multiply, one, reducePhi } from "./reference.ts";

const RUNS = { numRuns: 8 };

function polynomial(n: number, bound: { min: number; max: number }): fc.Arbitrary<number[]> {
  return fc.array(fc.integer(bound), { minLength: n, maxLength: n, size: "max" });
}

const TRIT = { min: -1, max: 1 };
const WORD = { min: -32_768, max: 32_767 };

describe.each(Object.keys(NTRU_PARAMETERS) as NtruSetName[])("kernels of %s", (name) => {
  const { n, q, ciphertextBytes } = NTRU_PARAMETERS[name];
  let kernels: Kernels;
  let a: number;
  let b: number;
  let c: number;

  beforeAll(async () => {
    kernels = await compileKernels(name);
    a = kernels.POLY_0.value;
    b = kernels.POLY_1.value;
    c = kernels.POLY_2.value;
  });

  const ternary = () => polynomial(n, TRIT);
  /** n - 1 free coefficients and a zero: an element modulo Phi_n. */
  const ternaryModuloPhi = () => ternary().map((trits) => [...trits.slice(0, -1), 0]);
  const bytes = () => new Uint8Array(kernels.memory.buffer);
  const head = (address: number) => readPoly(kernels, address).slice(0, n);

  function expectZeroTail(address: number): void {
    expect(
      readPoly(kernels, address)
        .slice(n)
        .every((word) => word === 0),
    ).toBe(true);
  }

  it("multiplies modulo q like the schoolbook, in place as well", () => {
    fc.assert(
      fc.property(polynomial(n, WORD), polynomial(n, WORD), (left, right) => {
        const expected = multiply(left, right).map((value) => modulo(value, q));
        writePoly(kernels, a, left);
        writePoly(kernels, b, right);
        kernels.multiply(c, a, b);
        expect(head(c).map((value) => modulo(value, q))).toEqual(expected);
        expectZeroTail(c);
        kernels.multiply(b, a, b);
        expect(head(b).map((value) => modulo(value, q))).toEqual(expected);
      }),
      RUNS,
    );
  });

  it("multiplies the largest ternary polynomials to the integers, which fit below q/2", () => {
    const signs = (sign: (i: number) => number) => Array.from({ length: n }, (_, i) => sign(i));
    for (const left of [signs(() => 1), signs(() => -1), signs((i) => 1 - 2 * (i % 2))]) {
      for (const right of [signs(() => 1), signs((i) => 1 - (i % 3))]) {
        writePoly(kernels, a, left);
        writePoly(kernels, b, right);
        kernels.multiply(c, a, b);
        expect(head(c).map((value) => centred(value, q))).toEqual(multiply(left, right));
      }
    }
  });

  it("reduces modulo Phi_n, and modulo (3, Phi_n) from the centred residues modulo q", () => {
    fc.assert(
      fc.property(polynomial(n, WORD), (value) => {
        writePoly(kernels, a, value);
        kernels.reducePhi(a);
        expect(head(a).map((word) => modulo(word, q))).toEqual(
          reducePhi(value).map((word) => modulo(word, q)),
        );
        expectZeroTail(a);
        writePoly(kernels, b, value);
        kernels.reduce3(b);
        const residues = value.map((word) => centred(word, q));
        expect(head(b)).toEqual(reducePhi(residues).map((word) => centred(word, 3)));
        expectZeroTail(b);
      }),
      RUNS,
    );
  });

  it("reduces modulo 3 at the ends of the range", () => {
    const value = Array.from({ length: n }, (_, i) => (i === n - 1 ? 0 : [-q / 2, q / 2 - 1, q / 2][i % 3]));
    writePoly(kernels, a, value as number[]);
    kernels.reduce3(a);
    expect(head(a)).toEqual(value.map((word) => centred(centred(word as number, q), 3)));
  });

  it("inverts modulo 2, 3 and q", () => {
    fc.assert(
      fc.property(ternaryModuloPhi(), (f) => {
        fc.pre(f.some((trit) => trit !== 0));
        const product = (inverse: readonly number[]) => reducePhi(multiply(f, inverse));

        writePoly(kernels, a, f);
        kernels.invert2(b, a);
        expect(product(head(b)).map((value) => modulo(value, 2))).toEqual(one(n));
        kernels.invert3(b, a);
        expect(head(b)[n - 1]).toBe(0);
        expect(product(head(b)).map((value) => centred(value, 3))).toEqual(one(n));
        kernels.invertQ(b, a, c, kernels.POLY_3.value, kernels.POLY_4.value);
        expect(product(head(b)).map((value) => modulo(value, q))).toEqual(one(n));
      }),
      RUNS,
    );
  });

  it("inverts any polynomial modulo (2, Phi_n), its last coefficient included", () => {
    fc.assert(
      fc.property(polynomial(n, WORD), (f) => {
        fc.pre(reducePhi(f).some((value) => modulo(value, 2) !== 0));
        writePoly(kernels, a, f);
        kernels.invert2(b, a);
        const product = reducePhi(multiply(f, head(b)));
        expect(product.map((value) => modulo(value, 2))).toEqual(one(n));
      }),
      RUNS,
    );
  });

  it("inverts the polynomials of one term and gives 0 for 0", () => {
    for (const degree of [0, 1, 2, 62, 63, 64, n - 3, n - 2]) {
      for (const sign of [1, -1]) {
        const f = Array.from({ length: n }, (_, i) => (i === degree ? sign : 0));
        writePoly(kernels, a, f);
        kernels.invert3(b, a);
        expect(reducePhi(multiply(f, head(b))).map((value) => centred(value, 3))).toEqual(one(n));
      }
    }
    writePoly(kernels, a, []);
    kernels.invert2(b, a);
    kernels.invert3(c, a);
    expect([...readPoly(kernels, b), ...readPoly(kernels, c)].every((word) => word === 0)).toBe(true);
  });

  it("lifts by the definition", () => {
    fc.assert(
      fc.property(ternaryModuloPhi(), (m) => {
        writePoly(kernels, a, m);
        kernels.lift(a);
        expect(head(a)).toEqual(name.startsWith("ntruhrss") ? liftHrss(m) : m);
      }),
      RUNS,
    );
  });

  it("packs and unpacks coefficients modulo q", () => {
    const address = kernels.SEED.value;
    fc.assert(
      fc.property(polynomial(n, WORD), (value) => {
        writePoly(kernels, a, value);
        kernels.packQ(address, a);
        let expected = 0n;
        value.slice(0, -1).forEach((word, i) => {
          expected |= BigInt(modulo(word, q)) << BigInt(i * Math.log2(q));
        });
        const packed = bytes().slice(address, address + ciphertextBytes);
        expect(toHex(packed.reverse())).toBe(expected.toString(16).padStart(2 * ciphertextBytes, "0"));

        kernels.unpackQ(b, address);
        expect(head(b)).toEqual([...value.slice(0, -1).map((word) => modulo(word, q)), 0]);
        kernels.unpackSumZero(c, address);
        expect(head(c).slice(0, -1)).toEqual(head(b).slice(0, -1));
        expect(
          modulo(
            head(c).reduce((sum, word) => sum + word, 0),
            q,
          ),
        ).toBe(0);
      }),
      RUNS,
    );
  });

  it("packs and unpacks ternary coefficients, and makes ternary ones of any byte", () => {
    const address = kernels.SEED.value;
    const length = Math.ceil((n - 1) / 5);
    fc.assert(
      fc.property(ternaryModuloPhi(), (trits) => {
        writePoly(kernels, a, trits);
        kernels.packTrits(address, a);
        const expected = Array.from({ length }, (_, i) =>
          trits.slice(5 * i, 5 * i + 5).reduceRight((byte, trit) => 3 * byte + modulo(trit, 3), 0),
        );
        expect([...bytes().slice(address, address + length)]).toEqual(expected);
        kernels.unpackTrits(b, address);
        expect(readPoly(kernels, b)).toEqual(readPoly(kernels, a));
      }),
      RUNS,
    );
    for (let byte = 0; byte < 256; byte++) {
      bytes().fill(byte, address, address + length);
      kernels.unpackTrits(b, address);
      expect(readPoly(kernels, b).every((word) => Math.abs(word) <= 1)).toBe(true);
      expectZeroTail(b);
    }
  });

  it("sorts n - 1 signed integers, before the largest one up to a power of two", () => {
    const places = kernels.SORT_LENGTH.value;
    const length = n - 1;
    const numbers = new Int32Array(kernels.memory.buffer, kernels.SORT.value, places);
    const sorted = new Int32Array(kernels.memory.buffer, kernels.SORTED.value, places);
    const check = (values: readonly number[]) => {
      numbers.fill(2_147_483_647);
      numbers.set(values);
      const expected = numbers.slice().sort();
      kernels.sort();
      expect([...sorted]).toEqual([...expected]);
    };
    const integers = fc.array(fc.integer(), { minLength: length, maxLength: length, size: "max" });
    fc.assert(fc.property(integers, check), RUNS);
    check(Array.from({ length }, (_, i) => length - i));
    check(Array.from({ length }, (_, i) => i % 2));
    check(Array.from({ length }, (_, i) => (i % 3 === 0 ? -2_147_483_648 : 2_147_483_647)));
  });

  it("sorts runs of ones, wherever they lie", () => {
    const places = kernels.SORT_LENGTH.value;
    const length = n - 1;
    const numbers = new Int32Array(kernels.memory.buffer, kernels.SORT.value, places);
    const sorted = new Int32Array(kernels.memory.buffer, kernels.SORTED.value, places);
    for (let ones = 1; ones < length; ones += 7) {
      for (const start of [0, 1, length >> 1, length - 5]) {
        numbers.fill(0, 0, length);
        numbers.fill(2_147_483_647, length);
        for (let i = 0; i < ones; i++) {
          numbers[(start + i) % length] = 1;
        }
        kernels.sort();
        expect(sorted.indexOf(1)).toBe(length - ones);
        expect(sorted.lastIndexOf(0)).toBe(length - ones - 1);
      }
    }
  });

  it("hashes like SHA3-256 around the rate of 136 bytes", () => {
    const input = kernels.SEED.value;
    const output = kernels.SORT.value;
    for (const length of [0, 1, 135, 136, 137, 271, 272, 273, 1000]) {
      const message = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 255);
      bytes().set(message, input);
      kernels.sha3(output, input, length);
      expect(toHex(bytes().slice(output, output + 32))).toBe(toHex(sha3_256(message)));
    }
  });

  it("hashes two messages side by side, the second the longer one", () => {
    const [input, output, second] = [a, kernels.SORT.value, b];
    for (const [length, length2] of [
      [0, 136],
      [135, 300],
      [136, 272],
      [204, 731],
      [272, 962],
    ] as const) {
      const messages = [length, length2].map((size) =>
        Uint8Array.from({ length: size }, (_, i) => (i * 41 + size) & 255),
      ) as [Uint8Array, Uint8Array];
      bytes().set(messages[0], input);
      bytes().set(messages[1], second);
      kernels.sha3Pair(output, input, length, output + 32, second, length2);
      for (const [index, message] of messages.entries()) {
        const at = output + 32 * index;
        expect(toHex(bytes().slice(at, at + 32))).toBe(toHex(sha3_256(message)));
      }
    }
  });

  it("wipes all it wrote", () => {
    kernels.wipe();
    const clean = bytes().slice();
    writePoly(kernels, a, new Array(n).fill(1));
    kernels.multiply(c, a, a);
    kernels.invert3(b, a);
    kernels.sort();
    kernels.wipe();
    expect(Buffer.compare(bytes(), clean)).toBe(0);
  });
});
