import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CLI } from "../../support/processes.ts";

/** The demo's own temporary folder lies in here. */
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "interrupted-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly left: readonly string[];
  /** What lay there when the signal was sent. */
  readonly before: readonly string[];
}

/** Runs `args`, sends `signal` as soon as a file of that name lies in the demo's folder, and `again` right after. */
async function interruptedAt(
  args: readonly string[],
  file: string,
  signal: NodeJS.Signals,
  again = false,
): Promise<Ended> {
  const child: ChildProcess = spawn(process.execPath, [CLI, ...args], {
    env: { PATH: process.env.PATH ?? "", TMPDIR: folder },
    stdio: "ignore",
  });
  const closed = new Promise<[number | null, NodeJS.Signals | null]>((done) =>
    child.once("close", (...ended) => done(ended)),
  );
  const there = async () => (await readdir(folder, { recursive: true }).catch(() => [])).map(String);
  while (child.exitCode === null && !(await there()).some((path) => path.endsWith(`/${file}`))) {
    await new Promise((done) => setTimeout(done, 10));
  }
  const before = await readdir(folder);
  child.kill(signal);
  if (again) {
    await new Promise((done) => setTimeout(done, 50));
    child.kill(signal);
  }
  const [code, by] = await closed;
  return { code, signal: by, before, left: await readdir(folder) };
}

const DEMO = ["demo", "--free-ports"];
const NIGHT = [...DEMO, "--night"];

describe("a demo that is interrupted leaves nothing behind", () => {
  it.each<[string, readonly string[], string, NodeJS.Signals, number]>([
    ["as its first service starts", DEMO, "demo.json", "SIGINT", 130],
    ["as its night starts", NIGHT, "services.log", "SIGTERM", 143],
    ["while it makes accounts", NIGHT, "people/operator/passphrase", "SIGINT", 130],
    ["while the night team comes", NIGHT, "people/dr-swift", "SIGINT", 0],
  ])(
    "%s",
    async (_, args, words, signal, code) => {
      const ended = await interruptedAt(args, words, signal);
      expect(ended).toMatchObject({ code, signal: null, left: [] });
      expect(ended.before).toHaveLength(1);
    },
    60_000,
  );

  it("nor where somebody does not wait for work to end", async () => {
    const ended = await interruptedAt(NIGHT, "people/dr-swift", "SIGINT", true);
    expect(ended).toMatchObject({ code: 130, left: [] });
    expect(ended.before).toHaveLength(1);
  }, 60_000);
});
