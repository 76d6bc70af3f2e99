import { readdir, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { loadNtru, NTRU_PARAMETERS, type NtruSetName } from "../../../host/ntru/index.ts";
import { accumulate } from "../../vectors/accumulate.ts";
import type { VectorFile } from "../../vectors/format.ts";
import { generateVectors } from "../../vectors/generate.ts";
import { runVectors } from "../../vectors/run.ts";

const FOLDER = new URL("../../../vectors/ntru/", import.meta.url);
const NAMES = Object.keys(NTRU_PARAMETERS) as NtruSetName[];
const RUNS = "1000";

function read(name: string): Promise<string> {
  return readFile(new URL(`${name}.json`, FOLDER), "utf8");
}

async function vectors(name: NtruSetName): Promise<VectorFile> {
  return JSON.parse(await read(name));
}

it("has a file for each set and no other", async () => {
  const files = (await readdir(FOLDER)).filter((file) => file.endsWith(".json"));
  expect(files.sort()).toEqual([...NAMES, "accumulated"].map((name) => `${name}.json`).sort());
});

describe.each(NAMES)("vectors of %s", (name) => {
  it("hold", async () => {
    const file = await vectors(name);
    expect(file.algorithm).toBe(name);
    const { passed, failures } = runVectors(await loadNtru(name), file);
    expect(failures).toEqual([]);
    expect(passed).toBeGreaterThanOrEqual(25);
    const results = new Set(file.testGroups.flatMap(({ tests }) => tests.map(({ result }) => result)));
    expect([...results].sort()).toEqual(["invalid", "rejected", "valid"]);
  });

  it("are numbered without gaps, and every flag is explained", async () => {
    const { notes, testGroups } = await vectors(name);
    const tests = testGroups.flatMap((group) => [...group.tests]);
    expect(tests.map(({ tcId }) => tcId)).toEqual(tests.map((_, i) => i + 1));
    expect(new Set(tests.flatMap(({ flags }) => flags))).toEqual(new Set(Object.keys(notes)));
  });

  it("come out of the generator with the same bytes", async () => {
    // Not toBe: a difference of a hundred kilobytes helps nobody.
    expect(generateVectors(await loadNtru(name), name) === (await read(name))).toBe(true);
  });

  it(`give the accumulated hash of ${RUNS} runs`, async () => {
    const digests = JSON.parse(await read("accumulated")) as Record<NtruSetName, Record<string, string>>;
    expect(accumulate(await loadNtru(name), name, Number(RUNS))).toBe(digests[name][RUNS]);
  });
});

describe("the runner", () => {
  it("refuses a file without tests or with others than it promises", async () => {
    const ntru = await loadNtru("ntruhrss701");
    const file = await vectors("ntruhrss701");
    expect(() => runVectors(ntru, { ...file, numberOfTests: 0, testGroups: [] })).toThrow(/0 tests/);
    expect(() => runVectors(ntru, { ...file, numberOfTests: 1 })).toThrow(/instead of 1/);
  });

  it("notices each kind of difference", async () => {
    const ntru = await loadNtru("ntruhrss701");
    const file = await vectors("ntruhrss701");
    // Every result is replaced by another one: no test may pass.
    const damaged = JSON.parse(JSON.stringify(file), (key, value) => {
      if (key === "error") {
        return "NTRU_OTHER";
      }
      return key === "sharedSecret" ? "00".repeat(32) : value;
    }) as VectorFile;
    const { failures } = runVectors(ntru, damaged);
    const keyPairs = file.testGroups.flatMap((group) => (group.type === "keyPair" ? group.tests : []));
    const unchanged = keyPairs.filter(({ result }) => result === "valid").length;
    expect(failures).toHaveLength(file.numberOfTests - unchanged);
  });
});
