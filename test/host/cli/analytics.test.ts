import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toBase64Url } from "../../../host/base/index.ts";
import { openAlerts } from "../../../host/cli/doctor-alerts.ts";
import { keepContents } from "../../../host/cli/home.ts";
import type { KeystoreContents } from "../../../host/client/index.ts";
import { evaluationFile } from "../../support/data.ts";
import { CLI } from "../../support/processes.ts";

let folder: string;
const at = (name: string) => join(folder, name);

/** Runs the built command with something on its standard input. */
function run(args: readonly string[], input = ""): Promise<{ code: number; out: string; err: string }> {
  return new Promise((done) => {
    const child = execFile(process.execPath, [CLI, ...args], { maxBuffer: 1 << 28 }, (error, out, err) => {
      done({ code: typeof error?.code === "number" ? error.code : 0, out, err });
    });
    child.stdin?.end(input);
  });
}
const parsed = (out: string) =>
  out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "analytics-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const WELL = {
  respiratoryRate: 16,
  spo2: 97,
  oxygen: false,
  systolic: 120,
  pulse: 70,
  consciousness: "A",
  temperature: 37,
  age: 50,
};

describe("medcloudlet news2", () => {
  it("answers every line in its order, and exits with 5 when one could not be read", async () => {
    const long = `{"consciousness":"${"x".repeat(100_000)}"}`;
    const lines = [
      `\uFEFF${JSON.stringify(WELL)}`,
      "",
      "broken",
      long,
      '{"age":12}\r',
      JSON.stringify({ ...WELL, temperature: 39.05, pulse: 131, spo2: 93 }),
    ];
    const { code, out, err } = await run(["news2", "--json"], lines.join("\n"));
    expect(code).toBe(5);
    expect(parsed(out)).toMatchObject([
      { score: 0, level: "low" },
      { code: "NEWS2_LINE", line: 3 },
      { code: "NEWS2_LINE", line: 4, error: expect.stringContaining("longer") },
      { refused: expect.stringContaining("under 16") },
      { score: 7, level: "high" },
    ]);
    expect(JSON.parse(err)).toMatchObject({ code: "NEWS2_LINES" });
  });

  it("streams a hundred thousand lines and loses none", async () => {
    const line = (i: number) => JSON.stringify({ ...WELL, pulse: 30 + (i % 120) });
    const input = `${Array.from({ length: 100_000 }, (_, i) => line(i)).join("\n")}\n`;
    const { code, out } = await run(["news2", "--json"], input);
    expect(code).toBe(0);
    const scores = parsed(out).map(({ score }) => score);
    expect(scores).toHaveLength(100_000);
    expect(scores.slice(0, 60)).toEqual(scores.slice(120, 180));
    expect([scores[10], scores[11], scores[101]]).toEqual([3, 1, 3]);
  });

  it("reads a file and shows a table, without colours in a pipe", async () => {
    await writeFile(
      at("one.jsonl"),
      `${JSON.stringify({ ...WELL, temperature: null })}\n${JSON.stringify(WELL)}\n`,
    );
    const { code, out } = await run(["news2", at("one.jsonl")]);
    expect(code).toBe(0);
    expect(out.split("\n")).toEqual([
      expect.stringContaining("ACVPU"),
      expect.stringMatching(/1 +≥ 0 +incomplete: temperature/),
      expect.stringMatching(/2 +0 +low/),
      "",
    ]);
    expect(out).not.toContain("\u001b");
    expect((await run(["news2", at("nowhere")])).code).toBe(1);
  });
});

describe("medcloudlet doctor alerts", () => {
  it("lists, refuses and acknowledges without a network, and only with the passphrase", async () => {
    const home = at("doctor");
    const secret = (byte: number) => toBase64Url(new Uint8Array(32).fill(byte));
    const contents: KeystoreContents = {
      accountId: "ab".repeat(16),
      handle: "dr-heron",
      role: "doctor",
      name: "Dr Heron",
      signingSeed: secret(1),
      receivingKey: secret(2),
      epochs: [],
      known: {},
    };
    await mkdir(home);
    await keepContents(home, contents, "a stork over the marshes at dawn");
    await writeFile(at("passphrase"), "a stork over the marshes at dawn\n");
    await writeFile(at("wrong"), "a crane over the marshes at dusk\n");
    const { book, close } = await openAlerts(home, contents);
    const subject = { streamId: "cd".repeat(16), kind: "news2", patient: "Ada Lovelace" };
    await book.observe(subject, { level: "emergency", reason: "NEWS2 9" });
    await close();

    const as = ["--home", home, "--passphrase-file", at("passphrase"), "--json"];
    const [listed] = parsed((await run(["doctor", "alerts", ...as])).out);
    expect(listed).toMatchObject({
      alerts: [{ patient: "Ada Lovelace", level: "emergency", status: "raised" }],
    });
    const id = String((listed as { alerts?: { id: string }[] }).alerts?.[0]?.id).slice(0, 8);
    const too = await run(["doctor", "alerts", "snooze", id, "--minutes", "60", ...as]);
    expect([too.code, JSON.parse(too.err).code]).toEqual([5, "ALERT_SNOOZE_INVALID"]);
    expect(parsed((await run(["doctor", "alerts", "acknowledge", id, ...as])).out)).toMatchObject([
      { status: "acknowledged", owner: "dr-heron" },
    ]);
    const stranger = await run([
      "doctor",
      "alerts",
      "--home",
      home,
      "--passphrase-file",
      at("wrong"),
      "--json",
    ]);
    expect([stranger.code, JSON.parse(stranger.err).code]).toEqual([3, "KEYSTORE_PASSPHRASE"]);
  });
});

const vitals = evaluationFile("physio/cinc2012_vitals.csv");

describe("medcloudlet analytics evaluate", () => {
  it("says what is not there, and that there is nothing to do", async () => {
    const { code, err } = await run(["analytics", "evaluate", "--data", folder]);
    expect(code).toBe(2);
    expect(err).toContain("SKIPPED: cinc2012_vitals.csv");
    expect(err).toContain("SKIPPED: bidmc_numerics.csv");
  });

  it("names the column that a file lacks", async () => {
    await writeFile(at("bidmc_numerics.csv"), "rec,t_s,HR\n1,0,80\n");
    const { code, err } = await run(["analytics", "evaluate", "--data", folder]);
    expect(code).toBe(5);
    expect(err).toContain("PULSE");
  });

  it.skipIf(vitals === null)(
    "beats raw NEWS2 and single limits on patients that it has not seen",
    async () => {
      const data = dirname(vitals ?? "");
      const args = [
        "analytics",
        "evaluate",
        "--data",
        data,
        "--rounds",
        "40",
        "--svg",
        at("charts"),
        "--json",
      ];
      const { code, out, err } = await run(args);
      expect(code, err).toBe(0);
      const { stays, monitor } = JSON.parse(out);
      const [single, raw, trends] = stays.results.map(({ area }: { area: { value: number } }) => area.value);
      expect(raw).toBeGreaterThan(single + 0.1);
      expect(trends).toBeGreaterThan(raw);
      expect(stays.results[2].difference.low).toBeGreaterThan(0);
      expect(stays.training.patients + stays.test.patients).toBeGreaterThan(300);
      expect(monitor.patients).toBeGreaterThan(20);
      for (const chart of ["analytics-roc.svg", "analytics-alarms.svg"]) {
        expect(await readFile(join(at("charts"), chart), "utf8")).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
      }
    },
  );
});
