import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { createEngine, logLine, parseLogLine, recordEngine, replayLog } from "../../../host/ids/index.ts";
import { runCli } from "../../support/processes.ts";
import { alert, beginning, event, failedLogins, heard, MINUTE, START, tell } from "../ids/engine-world.ts";

let folder: string;
let lines: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "medcloudlet-replay-"));
  lines = [];
  const engine = recordEngine(createEngine(), (line) => lines.push(line));
  tell(engine, [
    ...beginning(5),
    ...failedLogins(START, "mallory", 12),
    heard(START + MINUTE, alert(1, "mallory")),
    heard(START + MINUTE, alert(2, "mallory")),
    event(START + 2 * MINUTE, "mallory\u001b[31m"),
  ]);
  await writeFile(join(folder, "log.jsonl"), lines.join(""));
});

const write = async (name: string, text: string): Promise<string> => {
  await writeFile(join(folder, name), text);
  return join(folder, name);
};

describe("medcloudlet ids replay", () => {
  it("comes to the same decisions and shows them", async () => {
    const { code, stdout } = await runCli(["ids", "replay", join(folder, "log.jsonl"), "--explain"]);
    expect(code).toBe(0);
    expect(stdout).toContain("1 settings, 1 roster, 13 event, 2 heard");
    expect(stdout).toMatch(/throttle +local +5 min/);
    expect(stdout).toMatch(/ban +mesh +2 h/);
    expect(stdout).toContain("The replay came to the same, each time.");
    expect(stdout).toContain("on the word of 2 of 5 operators");
    expect(stdout).not.toContain("\u001b");
  });

  it("takes a log in parts, and one whose last line was cut off by a crash", async () => {
    const first = await write("part-1.jsonl", lines.slice(0, 6).join(""));
    const rest = await write("part-2.jsonl", lines.slice(6).join("").slice(0, -20));
    const { code, stdout } = await runCli(["ids", "replay", first, rest, "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ cutOff: true, differences: [] });
  });

  it.each([
    ["a measure", (text: string) => text.replace('"measure":"ban"', '"measure":"throttle"'), "decisions"],
    ["a weight", (text: string) => text.replace(/"logRatio":\d/, '"logRatio":9'), "decisions"],
    ["an alert", (text: string) => text.replace('"count":9', '"count":8'), "alerts"],
  ])("finds %s that was changed, says where, and exits with 1", async (_name, change, what) => {
    const text = await readFile(join(folder, "log.jsonl"), "utf8");
    expect(change(text)).not.toBe(text);
    const { code, stdout, stderr } = await runCli(["ids", "replay", await write("bent.jsonl", change(text))]);
    expect(code).toBe(1);
    expect(stdout).toContain(`, ${what}:`);
    expect(stderr).toContain("IDS_REPLAY_DIFFERS");
  });

  it("finds an observation that was taken out", async () => {
    const text = lines.filter((_, i) => i !== 5).join("");
    expect((await runCli(["ids", "replay", await write("less.jsonl", text)])).code).toBe(1);
  });

  it("names the line that is none, and the file that is not there", async () => {
    const bent = await write("wrong.jsonl", [lines[0], "{}\n", ...lines.slice(1)].join(""));
    const wrong = await runCli(["ids", "replay", bent]);
    expect(wrong.code).toBe(5);
    expect(wrong.stderr).toContain("Line 2");
    expect((await runCli(["ids", "replay", join(folder, "none")])).code).toBe(2);
  });
});

describe("the log", () => {
  it("is one line an observation, whatever somebody is called", async () => {
    const one = event(START, 'x\n{"observation":1}\r\u2028', { route: "/\n" });
    const line = logLine(one, { alerts: [], share: [], decisions: [], ended: [] });
    expect(line.split("\n")).toHaveLength(2);
    expect(parseLogLine(line, 1)).toEqual({ observation: one });
  });

  it("refuses what no service writes", () => {
    for (const bad of [
      "",
      "[]",
      '{"observation":{"kind":"event","at":-1}}',
      '{"observation":{"kind":"settings","at":1,"settings":{}},"more":1}',
    ]) {
      expect(() => parseLogLine(bad, 7)).toThrowError(
        expect.objectContaining({ code: "IDS_LOG_INVALID", details: { line: 7 } }),
      );
    }
  });

  it("of nothing comes to nothing", async () => {
    expect(await replayLog([])).toMatchObject({ lines: 0, decisions: [], differences: [], cutOff: false });
  });
});
