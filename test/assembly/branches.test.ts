import { describe, expect, it } from "vitest";
import { NTRU_PARAMETERS, type NtruSetName } from "../../host/ntru/index.ts";
import { countBranches, textOf } from "./branches.ts";

/**
 * Why each branch, select and division in the emitted WebAssembly is public: none of them sees a coefficient, a seed
 * or a key. A function that is not named here must have none.
 */
const REASONS: Readonly<Record<string, string>> = {
  "arena/wipe": "no branch: one fill",
  "block/multiplyBlock": "loop over the columns of a block",
  "invert2/invert2": "counts of divsteps; places of coefficients in the bitsliced form (select, division)",
  "invert3/invert3": "counts of divsteps; places of coefficients in the bitsliced form (select, division)",
  "invert3/stepFirst": "count of divsteps",
  "invert3/stepLast": "count of divsteps",
  "invert3/stepWide": "count of divsteps",
  "keccak/keccakF1600": "loop over the rounds",
  "keccak/keccakF1600Pair": "loop over the rounds",
  "kem/decapsulate":
    "loops over coefficients; lengths of messages, which the set fixes; the choice of the secret is a bitselect",
  "kem/encapsulate": "loops over coefficients",
  "owcpa/decrypt": "loops over coefficients; its verdict is a word of bits",
  "owcpa/keyPair": "loops over coefficients and over the steps of the inverse modulo q",
  "pack/packTrits": "loops over bytes",
  "pack/unpackSumZero": "loops over coefficients",
  "pack/unpackTrits": "loop over bytes",
  "ring/lift": "loops over coefficients",
  "ring/reduce3": "loops over coefficients",
  "sample/sampleFixedType": "loops over coefficients; the order comes from the sorting network",
  "sample/sampleIidPlus": "loops over coefficients; the sign is a mask",
  "sha3/absorbEnd": "lengths of messages, which the set fixes",
  "sha3/finish": "lengths of messages, which the set fixes",
  "sort/compareDown": "places in the sorting network (select); values meet in min and max",
  "sort/sort": "places in the sorting network (select); values meet in min and max",
  "strided/gatherReversed": "places of coefficients in the bitsliced form (division)",
  "strided/narrow": "loop over vectors",
  "strided/widen": "loop over vectors",
  "toeplitz/karatsuba": "loops over vectors; levels of the plan (select)",
  "toeplitz/multiplyAll": "loop over the products of a level; levels of the plan (select)",
  "toeplitz/multiplyToeplitz": "levels of the plan and their sizes (select, division)",
  "toeplitz/toom3": "loops over vectors and over the products of a level; levels of the plan (select)",
  "toom5/evaluateMatrix": "loop over vectors",
};

/** `if/select/br_if/div` of the functions that are the same in all sets. */
const COMMON = {
  "pack/packTrits": "2/0/0/0",
  "strided/gatherReversed": "3/0/0/2",
  "sha3/absorbEnd": "2/0/0/0",
  "sha3/finish": "2/0/0/0",
  "ring/reduce3": "2/0/0/0",
  "pack/unpackTrits": "1/0/0/0",
  "pack/unpackSumZero": "2/0/0/0",
  "keccak/keccakF1600": "1/0/0/0",
  "keccak/keccakF1600Pair": "1/0/0/0",
  "owcpa/keyPair": "8/0/0/0",
  "invert3/stepWide": "1/0/0/0",
  "invert3/invert3": "5/3/0/2",
  "invert2/invert2": "5/3/0/2",
};
/** Sets whose polynomials take an even number of vectors: half of them at the start and in the end. */
const NARROW = {
  "invert3/stepFirst": "1/0/0/0",
  "invert3/stepLast": "1/0/0/0",
  "invert3/invert3": "7/4/0/2",
  "strided/narrow": "1/0/0/0",
  "strided/widen": "1/0/0/0",
};
/** 2^11 < q <= 2^13: the sums of geometric13. */
const SUMS = { "owcpa/keyPair": "10/0/0/0" };
const HPS = {
  ...COMMON,
  "sort/compareDown": "9/3/0/0",
  "sample/sampleFixedType": "3/0/0/0",
  "sort/sort": "8/1/0/0",
  "owcpa/decrypt": "5/0/0/0",
  "kem/encapsulate": "3/0/0/0",
  "kem/decapsulate": "6/0/0/0",
};
const HRSS = {
  ...COMMON,
  "block/multiplyBlock": "1/0/0/0",
  "sample/sampleIidPlus": "3/0/0/0",
  "ring/lift": "2/0/0/0",
  "kem/encapsulate": "4/0/0/0",
  "kem/decapsulate": "10/0/0/0",
};
const EXPECTED: Readonly<Record<NtruSetName, Readonly<Record<string, string>>>> = {
  ntruhps2048509: {
    ...HPS,
    ...NARROW,
    "toeplitz/multiplyToeplitz": "17/3/0/0",
    "block/multiplyBlock": "1/0/0/0",
  },
  ntruhps2048677: {
    ...HPS,
    ...NARROW,
    "toeplitz/multiplyToeplitz": "5/1/0/2",
    "toeplitz/multiplyAll": "3/1/0/0",
    "toom5/evaluateMatrix": "1/0/0/0",
    "toeplitz/toom3": "3/0/0/0",
    "block/multiplyBlock": "1/0/0/0",
  },
  ntruhps4096821: { ...HPS, ...SUMS, "toeplitz/multiplyToeplitz": "3/1/0/1", "toeplitz/toom3": "8/1/0/0" },
  ntruhps40961229: {
    ...HPS,
    ...NARROW,
    ...SUMS,
    "toeplitz/multiplyToeplitz": "3/1/0/1",
    "toeplitz/toom3": "7/1/0/0",
    "block/multiplyBlock": "1/0/0/0",
  },
  ntruhrss701: {
    ...HRSS,
    ...NARROW,
    ...SUMS,
    "toeplitz/multiplyToeplitz": "10/2/0/1",
    "toeplitz/toom3": "7/1/0/0",
  },
  ntruhrss1373: {
    ...HRSS,
    "toeplitz/multiplyToeplitz": "5/1/0/1",
    "toeplitz/karatsuba": "7/1/0/0",
    "toeplitz/toom3": "8/1/0/0",
  },
};

describe("branches, selects and divisions in the emitted WebAssembly", () => {
  it.each(Object.keys(NTRU_PARAMETERS) as NtruSetName[])(
    "are those that were looked at: %s",
    async (name) => {
      const text = await textOf(name);
      // The functions are found at all.
      expect(text.match(/^ \(func /gm)?.length).toBeGreaterThan(15);
      const counts = countBranches(text);
      expect(counts).toEqual(EXPECTED[name]);
      expect(Object.keys(counts).filter((key) => REASONS[key] === undefined)).toEqual([]);
    },
  );

  it("are counted in a text that has each of them", () => {
    const text =
      " (func $assembly/a/b (param $0 i32)\n  if\n   select\n   br_if $x\n   i32.rem_u\n   br $x\n  end\n )\n";
    expect(countBranches(text)).toEqual({ "a/b": "1/1/1/1" });
  });
});
