import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const MAIN = resolve(import.meta.dirname, "../../../build/host/cli/main.js");
let folder: string;
const at = (name: string) => join(folder, name);

function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((done) => {
    execFile(process.execPath, [MAIN, "ids", ...args], { maxBuffer: 1 << 26 }, (error, out, err) => {
      done({ code: typeof error?.code === "number" ? error.code : 0, out, err });
    });
  });
}

const benign = (i: number) => ({
  id: `n${i}`,
  y: 0,
  m: "GET",
  u: `/book?name=person${i % 97}&ward=${i % 2 === 0 ? "east" : "west"}&n=${i}`,
});
const attack = (i: number) => ({
  id: `a${i}`,
  y: 1,
  m: "GET",
  u: `/book?name=x'+or+${i}=${i}--&ward=east&n=${i}`,
});
const lines = (records: readonly unknown[]) =>
  `${records.map((record) => JSON.stringify(record)).join("\n")}\n`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ids-"));
  const normal = Array.from({ length: 400 }, (_, i) => benign(i));
  await writeFile(at("log.jsonl"), lines([...normal, ...Array.from({ length: 30 }, (_, i) => attack(i))]));
  await writeFile(at("fresh.jsonl"), lines([benign(450), attack(452), { m: "POST", u: "/book", host: "x" }]));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("ids on the command line", () => {
  it("trains, scores and evaluates, and says which attacks it left out of training", async () => {
    const trained = await run("train", at("log.jsonl"), "--out", at("m.ids"), "--json");
    expect(trained.code, trained.err).toBe(0);
    expect(JSON.parse(trained.out)).toMatchObject({
      benign: 400,
      leftOut: 30,
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });

    const scored = await run("score", "--model", at("m.ids"), at("fresh.jsonl"));
    const [normal, injected, unnamed] = scored.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(normal).toMatchObject({ id: "n450", alarm: false, rules: [] });
    expect(injected).toMatchObject({ id: "a452", alarm: true });
    expect(injected.rules).toContain("sql-boolean-comparison");
    expect(injected.score).toBeGreaterThan(normal.score);
    expect(unnamed.id).toBe("3");

    const evaluated = await run(
      "evaluate",
      at("log.jsonl"),
      "--holdout",
      "0.3",
      "--members",
      "1,2",
      "--svg",
      at("roc.svg"),
      "--rounds",
      "20",
      "--json",
    );
    expect(evaluated.code, evaluated.err).toBe(0);
    const { results } = JSON.parse(evaluated.out);
    expect(results).toHaveLength(2);
    expect(results[0]).toMatchObject({ attacks: 30 });
    expect(results[0].auc.value).toBeGreaterThan(0.95);
    expect(await readFile(at("roc.svg"), "utf8")).toMatch(/^<svg /);
  });

  it("tells others counts instead of requests, adds them up and trains with them", async () => {
    const told = await run("tell", at("log.jsonl"), "--out", at("a.told"), "--json");
    expect(told.code, told.err).toBe(0);
    expect(JSON.parse(told.out)).toMatchObject({ benign: 400, routes: 1 });
    const merged = await run(
      "merge",
      at("a.told"),
      at("a.told"),
      "--out",
      at("ab.told"),
      "--liars",
      "1",
      "--json",
    );
    expect(merged.code, merged.err).toBe(0);
    expect(JSON.parse(merged.out)).toMatchObject({ members: 2 });
    const trained = await run(
      "train",
      at("log.jsonl"),
      "--with",
      at("ab.told"),
      "--out",
      at("ab.ids"),
      "--json",
    );
    expect(trained.code, trained.err).toBe(0);
    const scored = await run("score", "--model", at("ab.ids"), at("fresh.jsonl"));
    expect(scored.out.split("\n")[1]).toContain('"alarm":true');
    const wrong = await run("train", at("log.jsonl"), "--with", at("log.jsonl"), "--out", at("x.ids"));
    expect(wrong.code).toBe(5);
    expect(wrong.err).toContain("ids tell");
  });

  it("does not look at labels when it scores", async () => {
    await writeFile(
      at("flipped.jsonl"),
      lines([
        { ...benign(450), y: 1 },
        { ...attack(452), y: 0 },
      ]),
    );
    const [plain, flipped] = await Promise.all([
      run("score", at("fresh.jsonl")),
      run("score", at("flipped.jsonl")),
    ]);
    expect(flipped.out.trim().split("\n")).toEqual(plain.out.trim().split("\n").slice(0, 2));
  });

  it("names the line that it cannot read, and can leave it out", async () => {
    await writeFile(at("bad.jsonl"), `${JSON.stringify(benign(1))}\n{"m":"GET"}\nnot json\n`);
    const refused = await run("score", at("bad.jsonl"));
    expect([refused.code, refused.err]).toEqual([5, expect.stringContaining("Line 2")]);
    const lenient = await run("score", at("bad.jsonl"), "--skip-invalid");
    expect([lenient.code, lenient.out.trim().split("\n").length]).toEqual([0, 1]);
    expect(lenient.err).toContain("2 lines");
  });

  it("says what is wrong with files and models", async () => {
    expect((await run("score", at("none.jsonl"))).err).toContain("check the path");
    expect((await run("score", "--model", at("log.jsonl"), at("fresh.jsonl"))).err).toContain(
      "IDS_MODEL_INVALID",
    );
    expect((await run("evaluate", at("fresh.jsonl"), "--holdout", "2")).code).toBe(2);
    await writeFile(at("only.jsonl"), lines([benign(1)]));
    expect((await run("evaluate", at("only.jsonl"))).err).toContain("IDS_LABELS_MISSING");
  });

  it("reads CSV columns, bare queries and requests as rule tests write them", async () => {
    await writeFile(at("values.csv"), "payload,label\n\"ana, ruiz\",norm\n\"1' or 'a'='a\",anom\n");
    const csv = await run("score", at("values.csv"), "--column", "payload", "--as-query");
    expect(
      csv.out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).alarm),
    ).toEqual([false, true]);
    await writeFile(
      at("other.jsonl"),
      lines([
        { q: "p=1+union+select+null,null", y: 1 },
        { method: "GET", uri: "/?a=<script>", headers: { Host: "x" }, data: null },
      ]),
    );
    const other = await run("score", at("other.jsonl"));
    expect(
      other.out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).alarm),
    ).toEqual([true, true]);
    expect((await run("score", at("values.csv"), "--column", "none")).err).toContain('no column "none"');
  });

  it("measures connection records", async () => {
    const row = (i: number) =>
      `${Array.from({ length: 41 }, (_, c) => (c === 1 ? "tcp" : String((i * (c + 3)) % 17))).join(",")},${i % 17 > 8 ? "neptune" : "normal"},20`;
    await writeFile(at("kdd.csv"), `${Array.from({ length: 900 }, (_, i) => row(i)).join("\n")}\n`);
    const { code, out, err } = await run("kdd", at("kdd.csv"), "--json");
    expect(code, err).toBe(0);
    expect(JSON.parse(out).accuracy).toBeGreaterThan(0.95);
  });
});
