import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { resolve } from "node:path";
import { createInterface } from "node:readline";

/** The built command line: child processes run what users run. */
export const CLI = resolve(import.meta.dirname, "../../build/host/cli/main.js");

/** A child that is one of our services. */
export interface ServiceProcess {
  readonly url: string;
  /** The first line the service printed: its `--json` result. */
  readonly ready: Record<string, unknown>;
  /** SIGKILL, no warning. */
  kill(): Promise<void>;
  /** SIGTERM; gives the exit code. */
  stop(): Promise<number | null>;
}

/** A port of loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve(child.exitCode)
    : new Promise((done) => child.once("exit", (code) => done(code)));
}

/** Starts `medcloudlet serve NAME …` and waits until it says that it listens. */
export async function startService(
  name: "kdc" | "cloud" | "cloudlet" | "research",
  flags: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<ServiceProcess> {
  const child = spawn(process.execPath, [CLI, "serve", name, "--json", "--log-level", "error", ...flags], {
    env: { PATH: process.env.PATH ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  const line = await new Promise<string>((done, fail) => {
    createInterface({ input: child.stdout }).once("line", done);
    child.once("exit", (code) => fail(new Error(`${name} ended with ${code}: ${errors}`)));
  });
  const ready = JSON.parse(line) as Record<string, unknown>;
  const end = (signal: NodeJS.Signals) => {
    const ended = exitOf(child);
    child.kill(signal);
    return ended;
  };
  return {
    url: String(ready.url),
    ready,
    kill: async () => {
      await end("SIGKILL");
    },
    stop: () => end("SIGTERM"),
  };
}

/** Runs the command line to its end. */
export async function runCli(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { PATH: process.env.PATH ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const closed = new Promise<number | null>((done) => child.once("close", (code) => done(code)));
  return { code: await closed, stdout, stderr };
}

/** Starts the command line in the background; `kill` is SIGKILL. */
export function startCli(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { PATH: process.env.PATH ?? "", ...env },
    stdio: "ignore",
  });
  return {
    kill: async () => {
      const ended = exitOf(child);
      child.kill("SIGKILL");
      await ended;
    },
  };
}
