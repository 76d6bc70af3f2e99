import { cp, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../host/base/index.ts";
import { enrolDemoFactor } from "../../../host/cli/demo-authenticator.ts";
import {
  createToolkit,
  DEFAULT_ADDRESSES,
  registerPerson,
  startWork,
  type Toolkit,
} from "../../../host/cli/home.ts";
import type { KdcSession } from "../../../host/client/index.ts";
import { freePort, runCli, type ServiceProcess, startService } from "../../support/processes.ts";

const SECRET = "correct horse battery staple";

/** People who work with one KDC process that the tests stop, start and restore from a backup. */
describe("medcloudlet audit", () => {
  let folder: string;
  let port: number;
  let kdc: ServiceProcess;

  const home = (name: string) => join(folder, name);
  const as = (name: string) => [
    "--home",
    home(name),
    "--kdc",
    `http://127.0.0.1:${port}`,
    "--password-file",
    join(folder, "secret"),
    "--passphrase-file",
    join(folder, "secret"),
  ];
  const start = async () => {
    kdc = await startService("kdc", ["--port", String(port), "--data-dir", join(folder, "data")], {});
  };
  const audit = (...args: string[]) => runCli(["audit", ...args]);

  /** Registers somebody without a process of their own, which would cost a second each. */
  const register = async (toolkit: Toolkit, handle: string, invitation: string): Promise<KdcSession> => {
    const person = {
      home: home(handle),
      addresses: { ...DEFAULT_ADDRESSES, kdc: kdc.url },
      password: SECRET,
      passphrase: SECRET,
    };
    const { role } = await registerPerson(toolkit, { ...person, invitation, handle, name: "" });
    const code = () => Promise.reject(new Error("no code was to be asked for"));
    const { session } = await startWork(toolkit, { ...person, code });
    if (role !== "patient") {
      await enrolDemoFactor(session, { home: person.home, password: SECRET, clock: systemClock });
    }
    return session;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "medcloudlet-cli-audit-"));
    port = await freePort();
    await writeFile(join(folder, "secret"), `${SECRET}\n`);
    await start();
    const toolkit = await createToolkit(systemClock);
    const first = (await readFile(String(kdc.ready.firstInvitation), "utf8")).trim();
    const operator = await register(toolkit, "night-shift", first);
    await register(toolkit, "officer", (await operator.invite("security-officer")).code);
    await register(toolkit, "quiet-otter", (await operator.invite("patient")).code);
  });
  afterAll(() => kdc?.stop());

  it("shows somebody their own log, newest last, and keeps the head that they saw", async () => {
    const { code, stdout } = await audit("mine", ...as("quiet-otter"));
    expect(code).toBe(0);
    const lines = stdout.trim().split("\n");
    expect(lines[1]).toMatch(/patient [0-9a-f]{8}|you/);
    expect(stdout).toContain("registered");
    expect(lines.at(-1)).toMatch(/you +(logged in|read this log)/);
    const heads = (await readFile(join(home("quiet-otter"), "audit-heads.ndjson"), "utf8"))
      .trim()
      .split("\n");
    expect(heads.map((line) => JSON.parse(line).kind)).toEqual(["log", "head"]);
  });

  it("finds a log that nobody touched whole, and refuses the whole log to others", async () => {
    const again = await audit(
      "verify",
      ...as("officer"),
      "--heads",
      join(home("quiet-otter"), "audit-heads.ndjson"),
    );
    expect(again.code).toBe(0);
    expect(again.stdout).toMatch(/^✓ The audit log is whole: \d+ entries, \d+ signed heads fit\./);
    expect(again.stdout).toContain("compare it, then name it with --key");
    const other = await audit("verify", ...as("quiet-otter"), "--json");
    expect(other.code).toBe(3);
    expect(JSON.parse(other.stderr).code).toBe("ROLE_FORBIDDEN");
  });

  it("exports the log, and says which entry of an export is wrong and why", async () => {
    const file = join(folder, "export.ndjson");
    const made = await audit("export", ...as("officer"), "--out", file, "--json");
    expect(made.code, made.stderr).toBe(0);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const key = JSON.parse((await readFile(file, "utf8")).split("\n")[0] ?? "").key;
    const nobody = ["--home", home("nobody")];
    expect((await audit("verify", "--file", file, ...nobody, "--key", key)).code).toBe(0);

    const lines = (await readFile(file, "utf8")).trim().split("\n");
    const first = lines.findIndex((line) => line.startsWith('{"kind":"entry"'));
    const verifyLines = async (changed: readonly string[], ...more: string[]) => {
      await writeFile(join(folder, "changed.ndjson"), `${changed.join("\n")}\n`);
      return audit("verify", "--file", join(folder, "changed.ndjson"), ...nobody, "--json", ...more);
    };
    for (const [changed, kind, sequence] of [
      [lines.map((line, i) => (i === first + 2 ? line.replace(/"at":\d/, '"at":9') : line)), "edited", 3],
      [lines.slice(0, -1), "truncated", lines.length - first],
    ] as [string[], string, number][]) {
      const { code, stderr } = await verifyLines(changed, "--key", key);
      expect(code).toBe(1);
      expect(JSON.parse(stderr)).toMatchObject({ code: "AUDIT_VERIFY_FAILED", kind, sequence });
    }
    expect((await audit("verify", "--file", join(folder, "secret"), ...nobody)).code).toBe(2);
  });

  it("exports AuditEvents of FHIR, one a line", async () => {
    const { code, stdout } = await audit("export", ...as("officer"), "--fhir");
    expect(code).toBe(0);
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events.length).toBeGreaterThan(5);
    expect(new Set(events.map(({ resourceType }) => resourceType))).toEqual(new Set(["AuditEvent"]));
  });

  it("finds that an older backup was put in place of the log, at the KDC, at home and with what was kept", async () => {
    const data = join(folder, "data", "kdc");
    await kdc.stop();
    await cp(data, join(folder, "backup"), { recursive: true });
    await start();
    for (let i = 0; i < 2; i++) {
      expect((await audit("mine", ...as("quiet-otter"))).code).toBe(0);
    }
    await kdc.stop();

    const witness = await readFile(join(data, "audit-witness"), "utf8");
    await rm(data, { recursive: true });
    await cp(join(folder, "backup"), data, { recursive: true });
    await writeFile(join(data, "audit-witness"), witness);
    await expect(start()).rejects.toThrow("AUDIT_LOG_BEHIND");

    await rename(join(data, "audit-witness"), join(folder, "evidence.ndjson"));
    await start();
    const refused = await runCli(["keys", "epoch", ...as("quiet-otter"), "--json"]);
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stderr).code).toBe("AUDIT_LOG_WENT_BACK");
    const evidence = join(folder, "evidence.ndjson");
    const { code, stderr } = await audit("verify", ...as("officer"), "--heads", evidence, "--json");
    expect(code).toBe(1);
    expect(["truncated", "rewritten"]).toContain(JSON.parse(stderr).kind);
  });

  it("goes on under a new key that the old one handed over to", async () => {
    const data = join(folder, "data", "kdc");
    await kdc.stop();
    await rename(join(data, "audit-key"), join(data, "audit-key.previous"));
    await start();
    const { code, stdout, stderr } = await audit("verify", ...as("officer"), "--json");
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ whole: true, keyUnproven: false });
  });
});
