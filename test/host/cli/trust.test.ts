import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ATTACKS } from "../../../host/trust/index.ts";
import { runCli } from "../../support/processes.ts";

const SMALL = ["--runs", "1", "--patients", "100", "--honest", "0.7"];

describe("medcloudlet trust simulate", () => {
  it("gives a row for each attack and model, and writes charts", async () => {
    const folder = join(await mkdtemp(join(tmpdir(), "medcloudlet-trust-")), "charts");
    const { code, stdout } = await runCli(["trust", "simulate", ...SMALL, "--charts", folder, "--json"]);
    expect(code).toBe(0);
    const { rows, ...made } = JSON.parse(stdout);
    expect(made).toEqual({ runs: 1, seed: 1, patients: 100, exchanges: 2, sybils: 5 });
    expect(rows).toHaveLength(ATTACKS.length * 5);
    const charts = await readdir(folder);
    expect(charts.sort()).toEqual(["trust-auc.svg", "trust-refused.svg", "trust-wrong-shares.svg"]);
    expect(await readFile(join(folder, "trust-auc.svg"), "utf8")).toContain("</svg>");
  });

  it("says the same to people, and leaves out parts when asked", async () => {
    const { code, stdout } = await runCli(["trust", "simulate", ...SMALL, "--attack", "on-off", "--parts"]);
    expect(code).toBe(0);
    expect(stdout).toContain("no witness asked");
    expect(stdout.trim().split("\n")).toHaveLength(10);
  });

  it("refuses shares that leave nobody to tell apart, and unknown attacks", async () => {
    for (const wrong of [
      ["--honest", "1"],
      ["--honest", "most"],
      ["--attack", "kindness"],
      ["--runs", "0"],
    ]) {
      const { code, stderr } = await runCli(["trust", "simulate", ...wrong]);
      expect(code, wrong.join(" ")).toBe(2);
      expect(stderr).toContain("--help");
    }
  });
});
