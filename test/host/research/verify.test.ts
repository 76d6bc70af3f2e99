import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  anonymize,
  createKeystream,
  type Guarantee,
  releaseText,
  verifyRelease,
} from "../../../host/research/index.ts";
import { tableOf, WARD, wardOf } from "./tables.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "research-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const rows = wardOf(150, createKeystream("verify", "ward").below);
const lax: Guarantee = { k: 4, l: 2, t: 1, diversity: "distinct" };
const release = anonymize(tableOf(WARD, rows), { guarantee: lax });
const text = [...releaseText(release, { schema: WARD, format: "csv", seed: "x" })].join("");
const lines = text.trim().split("\n");

async function verify(content: string, guarantee: Partial<Guarantee> = {}) {
  const file = join(folder, "release.csv");
  await writeFile(file, content);
  return verifyRelease(file, { schema: WARD, guarantee: { ...lax, ...guarantee }, format: "csv" });
}

/** A release with its classes as lists of lines. */
function byClass(): string[][] {
  const classes = new Map<string, string[]>();
  for (const line of lines.slice(1)) {
    const key = line.slice(17).replace(/,[^,]*,\d+$/, "");
    classes.set(key, [...(classes.get(key) ?? []), line]);
  }
  return [...classes.values()];
}
const together = (classes: readonly (readonly string[])[]) => [lines[0], ...classes.flat()].join("\n");

describe("the check of a release", () => {
  it("finds nothing where nothing is wrong, and says what is reached", async () => {
    expect(await verify(text)).toMatchObject({ holds: true, rows: 150, faults: [], reached: { k: 4 } });
  });

  it("finds a row taken out of the smallest class", async () => {
    const classes = byClass().sort((a, b) => a.length - b.length);
    (classes[0] as string[]).pop();
    expect((await verify(together(classes))).faults).toEqual([expect.stringContaining("A class has 3 rows")]);
  });

  it("finds a class of one disease", async () => {
    const classes = byClass();
    classes[0] = (classes[0] as string[]).map((line) => line.replace(/,[^,]*,(\d+)$/, ",flu,$1"));
    expect((await verify(together(classes))).faults).toEqual([
      expect.stringContaining('1.000-diverse in "disease"'),
    ]);
  });

  it("finds that entropy or closeness do not hold, where only k and l were kept", async () => {
    expect((await verify(text, { diversity: "entropy", l: 2.9 })).holds).toBe(false);
    expect((await verify(text, { t: 0.1 })).faults.join()).toContain("from the whole in");
  });

  it("finds a row id twice, and one that is not random", async () => {
    const twice = [...lines, lines[1]].join("\n");
    expect((await verify(twice)).faults).toEqual([expect.stringContaining("stands twice")]);
    const counted = lines.map((line, i) => (i === 0 ? line : `${i}${line.slice(16)}`)).join("\n");
    expect((await verify(counted)).holds).toBe(false);
  });

  it("refuses a file with an identifier column, and one that is no release", async () => {
    const named = lines.map((line, i) => `${line},${i === 0 ? "name" : `Patient ${i}`}`).join("\n");
    await expect(verify(named)).rejects.toThrow(
      expect.objectContaining({ code: "RESEARCH_RELEASE_INVALID" }),
    );
    await expect(verify(lines[0] as string)).rejects.toThrow(/no rows/);
  });
});
