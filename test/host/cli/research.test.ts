import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createKeystream } from "../../../host/research/index.ts";
import { evaluationFile } from "../../support/data.ts";
import { runCli } from "../../support/processes.ts";
import { WARD, wardOf } from "../research/tables.ts";

const executablePath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser"].find(
  (path) => path !== undefined && existsSync(path),
);
if (executablePath === undefined) {
  process.stderr.write(
    "SKIPPED: the report in Chromium. Install chromium, or name its binary in CHROMIUM.\n",
  );
}
let folder: string;
const at = (name: string) => join(folder, name);
const research = (...args: string[]) => runCli(["research", ...args]);

const schema = {
  columns: WARD.columns.map((column) =>
    column.role === "identifier" ? { ...column, person: true } : column,
  ),
};
const HEADER = schema.columns.map(({ name }) => name);
const csv = (rows: readonly (readonly string[])[]) =>
  `${[HEADER, ...rows].map((row) => row.join(",")).join("\n")}\n`;
const ward = wardOf(200, createKeystream("cli", "ward").below);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "research-"));
  await writeFile(at("schema.json"), JSON.stringify(schema));
  await writeFile(at("ward.csv"), csv(ward));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const guarantee = () => ["--schema", at("schema.json"), "-k", "5", "-l", "2", "-t", "0.6"];
const release = (...more: string[]) =>
  research("release", "--input", at("ward.csv"), ...guarantee(), ...more);

describe("research on the command line", () => {
  it("releases, verifies and reports, in both formats", async () => {
    for (const format of ["csv", "ndjson"]) {
      const out = at(`release.${format}`);
      const { code, stdout, stderr } = await release(
        "--format",
        format,
        "--out",
        out,
        "--report",
        at("report.html"),
        "--json",
      );
      expect(code, stderr).toBe(0);
      const told = JSON.parse(stdout);
      expect(told).toMatchObject({ rows: 200, suppressed: 0, verification: { holds: true } });
      expect(told.verification.reached.k).toBeGreaterThanOrEqual(5);
      expect(told.verification.reached.t.disease).toBeLessThanOrEqual(0.6);
      const text = await readFile(out, "utf8");
      expect(text).not.toContain("Patient");
      expect((await research("verify", out, ...guarantee(), "--format", format)).code).toBe(0);
      const stricter = await research(
        "verify",
        out,
        "--schema",
        at("schema.json"),
        "-k",
        "50",
        "--format",
        format,
      );
      expect([stricter.code, stricter.stderr]).toEqual([
        5,
        expect.stringContaining("RESEARCH_VERIFICATION_FAILED"),
      ]);
    }
    expect((await readdir(folder)).filter((name) => name.startsWith(".release-"))).toEqual([]);
  });

  it("writes to a pipe, quietly, and the same again with the same seed alone", async () => {
    const [one, again, other] = await Promise.all([
      release("--seed", "a"),
      release("--seed", "a"),
      release(),
    ]);
    expect(one.stderr).toBe("");
    expect(one.stdout.trim().split("\n")).toHaveLength(201);
    expect(again.stdout).toBe(one.stdout);
    expect(other.stdout).not.toBe(one.stdout);
  });

  it("refuses what cannot be met, and leaves no file", async () => {
    const { code, stderr } = await research(
      ...["release", "--input", at("ward.csv"), "--schema", at("schema.json")],
      ...["-k", "5", "-l", "7", "--out", at("none.csv"), "--json"],
    );
    expect(code).toBe(5);
    expect(JSON.parse(stderr)).toMatchObject({
      code: "RESEARCH_GUARANTEE_UNMET",
      reached: { k: 200, l: { disease: 6 } },
    });
    expect(await readdir(folder)).not.toContain("none.csv");
  });

  it("says where a file or a schema is wrong", async () => {
    await writeFile(at("bad.csv"), csv([...ward.slice(0, 3), ["Ann", "old", "f", "1010", "flu", "1"]]));
    const bad = await research("release", "--input", at("bad.csv"), ...guarantee());
    expect([bad.code, bad.stderr]).toEqual([5, expect.stringContaining('Line 5, column 2 ("age")')]);
    await writeFile(at("bad.json"), JSON.stringify({ columns: [{ name: "a", role: "secret" }] }));
    const wrong = await research("release", "--input", at("ward.csv"), "--schema", at("bad.json"), "-k", "5");
    expect([wrong.code, wrong.stderr]).toEqual([5, expect.stringContaining("columns.0.role")]);
    await writeFile(at("torn.json"), "{");
    const torn = await research("release", "--input", at("ward.csv"), "--schema", at("torn.json"), "-k", "5");
    expect([torn.code, torn.stderr]).toEqual([5, expect.stringContaining("is not JSON")]);
    expect((await release("--json")).code).toBe(2);
    const unledgered = await research("consented", ...guarantee(), "--home", at("nobody"));
    expect([unledgered.code, unledgered.stderr]).toEqual([2, expect.stringContaining("--ledger FOLDER")]);
    expect(
      (await research("release", "--input", at("ward.csv"), "--schema", at("schema.json"), "-k", "1")).code,
    ).toBe(2);
  });

  it("keeps a ledger: the first release stands, the next without one patient does not come to be", async () => {
    const ledger = ["--ledger", at("ledger")];
    const first = await release(...ledger, "--out", at("first.csv"), "--json");
    expect(JSON.parse(first.stdout).ledger).toMatchObject({ release: "1" });
    await writeFile(at("fewer.csv"), csv(ward.slice(1)));
    const second = await research(
      ...["release", "--input", at("fewer.csv"), ...guarantee(), ...ledger, "--out", at("second.csv")],
    );
    expect([second.code, second.stderr]).toEqual([5, expect.stringContaining("RESEARCH_DIFFERENCING")]);
    expect(await readdir(folder)).not.toContain("second.csv");
    const again = await release(...ledger, "--out", at("again.csv"), "--json");
    expect(JSON.parse(again.stdout).ledger).toMatchObject({ release: "2" });
  });

  it.skipIf(executablePath === undefined)(
    "draws a page that asks for nothing from elsewhere and holds no name, in light and dark",
    async () => {
      const evil = csv(ward).replace("postcode", "</title><script>document.title='x'</script>");
      await writeFile(at("evil.csv"), evil);
      await writeFile(
        at("evil.json"),
        JSON.stringify(schema).replace(
          '"postcode"',
          JSON.stringify("</title><script>document.title='x'</script>"),
        ),
      );
      const { code, stderr } = await research(
        ...[
          "report",
          "--input",
          at("evil.csv"),
          "--schema",
          at("evil.json"),
          "-k",
          "5",
          "--out",
          at("page.html"),
        ],
      );
      expect(code, stderr).toBe(0);
      const page = await readFile(at("page.html"), "utf8");
      expect(page).not.toMatch(/https?:|<script|Patient/);
      const browser = await chromium.launch({
        executablePath: executablePath as string,
        args: ["--no-sandbox", "--disable-gpu"],
      });
      try {
        for (const colorScheme of ["light", "dark"] as const) {
          const tab = await browser.newPage({ colorScheme, viewport: { width: 390, height: 800 } });
          const asked: string[] = [];
          const said: string[] = [];
          tab.on("request", (request) => asked.push(request.url()));
          tab.on("console", (message) => said.push(message.text()));
          await tab.goto(`file://${at("page.html")}`);
          expect(asked).toHaveLength(1);
          expect(said).toEqual([]);
          expect(await tab.locator("figure svg").count()).toBe(8);
          const paper = await tab.evaluate("getComputedStyle(document.body).backgroundColor");
          expect(paper).toBe(colorScheme === "light" ? "rgb(255, 255, 255)" : "rgb(18, 22, 28)");
          expect(await tab.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
          await tab.close();
        }
      } finally {
        await browser.close();
      }
    },
  );
});

describe("on real data", () => {
  const adult = evaluationFile("records/adult.data");
  const welltory = evaluationFile("physio/welltory_participants.csv");
  const SCHEMAS = join(import.meta.dirname, "../../../docs/research");

  it.skipIf(adult === null)("loses less on UCI Adult than the published Mondrian does", async () => {
    const { code, stdout, stderr } = await research(
      ...["release", "--input", adult as string, "--schema", join(SCHEMAS, "adult.json")],
      ...["-k", "10", "-l", "3", "--out", at("adult.csv"), "--json"],
    );
    expect(code, stderr).toBe(0);
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({ rows: 30_162, verification: { holds: true } });
    expect(told.ncp).toBeLessThan(0.1219);
  });

  it.skipIf(welltory === null)("does what can be done for 90 participants", async () => {
    const { code, stdout, stderr } = await research(
      ...["release", "--input", welltory as string, "--schema", join(SCHEMAS, "welltory-participants.json")],
      ...["-k", "5", "-l", "3", "--out", at("welltory.csv"), "--json"],
    );
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ rows: 90, verification: { holds: true } });
  });
});
