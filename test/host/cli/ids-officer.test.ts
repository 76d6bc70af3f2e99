import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../host/base/index.ts";
import { enrolDemoFactor } from "../../../host/cli/demo-authenticator.ts";
import { createToolkit, DEFAULT_ADDRESSES, registerPerson, startWork } from "../../../host/cli/home.ts";
import { runCli, type ServiceProcess, startService } from "../../support/processes.ts";

const SECRET = "correct horse battery staple";
const ADDRESS = "203.0.113.8";

/** A security officer at a terminal, and a KDC process that somebody attacks. */
describe("medcloudlet ids of an officer", () => {
  let folder: string;
  let kdc: ServiceProcess;
  let decision: string;

  const ids = (...args: string[]) =>
    runCli([
      ...["ids", ...args, "--at", "kdc", "--home", join(folder, "officer"), "--kdc", kdc.url],
      ...["--password-file", join(folder, "secret"), "--passphrase-file", join(folder, "secret")],
    ]);
  const knock = async (query = ""): Promise<{ code: string; decision?: string }> => {
    const answer = await fetch(`${kdc.url}/v1/nowhere${query}`, { headers: { "X-Forwarded-For": ADDRESS } });
    return (await answer.json()) as { code: string; decision?: string };
  };
  const attack = async (): Promise<string> => {
    for (let i = 0; i < 12; i++) {
      const { decision } = await knock(`?q=1'%20UNION%20SELECT%20password%20FROM%20users--${i}`);
      if (decision !== undefined) {
        return decision;
      }
    }
    throw new Error("nothing was decided after 12 attacks");
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "medcloudlet-cli-ids-"));
    await writeFile(join(folder, "secret"), `${SECRET}\n`);
    kdc = await startService("kdc", ["--port", "0", "--data-dir", join(folder, "data")], {
      MEDCLOUDLET_TRUST_PROXIES: "1",
    });
    const toolkit = await createToolkit(systemClock);
    const register = async (handle: string, invitation: string) => {
      const person = {
        home: join(folder, handle),
        addresses: { ...DEFAULT_ADDRESSES, kdc: kdc.url },
        password: SECRET,
        passphrase: SECRET,
      };
      await registerPerson(toolkit, { ...person, invitation, handle, name: "" });
      const code = () => Promise.reject(new Error("no code was to be asked for"));
      const { session } = await startWork(toolkit, { ...person, code });
      await enrolDemoFactor(session, { home: person.home, password: SECRET, clock: systemClock });
      return session;
    };
    const first = (await readFile(String(kdc.ready.firstInvitation), "utf8")).trim();
    const operator = await register("operator", first);
    await register("officer", (await operator.invite("security-officer")).code);
    decision = await attack();
  });
  afterAll(() => kdc?.stop());

  it("lists alerts and decisions, and explains one with what fired and how much each voice weighed", async () => {
    const alerts = await ids("alerts", "--json");
    expect(alerts.code).toBe(0);
    expect(
      alerts.stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toContainEqual(expect.objectContaining({ service: "kdc", rule: "attacks-from-one-place" }));
    const explained = await ids("explain", decision);
    expect(explained.code).toBe(0);
    expect(explained.stdout).toMatch(/│█+/);
    expect(explained.stdout).toContain("attacks-from-one-place");
    expect(explained.stdout).toMatch(/ in query q/);
    expect(`${alerts.stdout}${explained.stdout}`).not.toContain(ADDRESS);
    const unknown = await ids("explain", "0".repeat(32));
    expect(unknown).toMatchObject({ code: 5, stderr: expect.stringContaining("There is no such decision") });
  });

  it("shows what judges requests", async () => {
    const shown = await ids("detector");
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(/kdc +enforce +\d+ +[0-9a-f]{12} +0\.5 +none/);
    expect(shown.stdout).toMatch(/kdc +(not yet|\d+\.\d+% \().* of 154, version 1/);
    expect(shown.stdout).toContain("real attackers differ");
  });

  it("counts requests by what became of them: the attacker's as held", async () => {
    const shown = await ids("traffic", "--json");
    expect(shown.code).toBe(0);
    const { service, hour, day } = JSON.parse(shown.stdout);
    expect([service, hour.counts.length, day.counts.length]).toEqual(["kdc", 60, 96]);
    const held = hour.counts.reduce((sum: number, [, , each]: number[]) => sum + (each ?? 0), 0);
    expect(held).toBeGreaterThan(0);
    expect((await ids("traffic")).stdout).toMatch(
      /kdc +\d+ +\d+ +[1-9]\d* +\d+ +\d+\n[\s\S]*the last hour by minutes/,
    );
    expect((await ids("traffic", "--day")).stdout).toContain("the last day by quarters of an hour");
  });

  it("exempts an address, ends that, and lifts a decision with a reason that the audit keeps", async () => {
    expect((await knock()).code).toMatch(/^IDS_/);
    const exempted = await ids(
      "exempt",
      "--address",
      ADDRESS,
      "--hours",
      "2",
      "--reason",
      "Our own scan.",
      "--json",
    );
    const { id } = JSON.parse(exempted.stdout);
    expect((await knock()).code).toBe("ROUTE_NOT_FOUND");
    expect((await ids("exempt", "--end", id)).code).toBe(0);
    const lifted = await ids("lift", decision, "--reason", "The nurse forgot her password.");
    expect(lifted.stdout).toMatch(/Lifted at kdc: source/);
    expect((await ids("decisions")).stdout).toContain("Nothing holds now.");
    const audited = await runCli([
      ...["audit", "mine", "--json", "--home", join(folder, "officer"), "--kdc", kdc.url],
      ...["--password-file", join(folder, "secret"), "--passphrase-file", join(folder, "secret")],
    ]);
    expect(audited.stdout).toContain("The nurse forgot her password.");
    expect(audited.stdout).not.toContain(ADDRESS);
  });
});
