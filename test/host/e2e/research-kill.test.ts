import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../host/base/index.ts";
import { demoSecret, enrolDemoFactor } from "../../../host/cli/demo-authenticator.ts";
import {
  type Addresses,
  createToolkit,
  type PersonAtWork,
  registerPerson,
  startWork,
} from "../../../host/cli/home.ts";
import {
  createIdentity,
  createOwner,
  createRecordOwner,
  createResearchClient,
  createSeenParts,
  personFingerprint,
} from "../../../host/client/index.ts";
import { parseSchema, verifyRelease } from "../../../host/research/index.ts";
import { freePort, runCli, type ServiceProcess, startService } from "../../support/processes.ts";
import { COLUMNS } from "../../support/research.ts";
import { backends } from "../../support/stores.ts";
import { DAY_MS, PASSWORD } from "../../support/system.ts";
import { COMMON, recordOf } from "./night-release.ts";

const PATIENTS = 6;
/** When the service is killed, in milliseconds after a request: it takes some hundred to answer one. */
const KILLED_AFTER = [30, 250];

describe.each(backends())("the research service as a process, on the $name store", (backend) => {
  const running = new Map<string, ServiceProcess>();
  afterAll(async () => {
    await Promise.all([...running.values()].map((service) => service.kill()));
  });

  it("is killed again and again in the middle of a release, and gives out one in the end", async () => {
    const folder = await mkdtemp(join(tmpdir(), "medcloudlet-research-"));
    const ports = { kdc: await freePort(), cloud: await freePort(), research: await freePort() };
    const url = (name: keyof typeof ports) => `http://127.0.0.1:${ports[name]}`;
    const addresses: Addresses = { kdc: url("kdc"), cloud: url("cloud"), cloudlet: url("cloud") };
    const prefix = `research_${randomUUID().slice(0, 8)}`;
    const start = async (name: keyof typeof ports, env: Record<string, string> = {}) => {
      const flags = ["--data-dir", folder, "--port", String(ports[name]), "--database-prefix", prefix];
      flags.push("--rate-limit", "1000000");
      if (name !== "kdc") {
        flags.push("--kdc-url", addresses.kdc);
      }
      if (name === "research") {
        flags.push("--cloud-url", addresses.cloud);
      }
      running.set(name, await startService(name, flags, { ...backend.env, ...env }));
    };

    await start("kdc");
    await start("cloud");
    const toolkit = await createToolkit(systemClock);
    const makePerson = async (handle: string, invitation: string): Promise<PersonAtWork> => {
      const home = join(folder, "people", handle);
      const secrets = { password: PASSWORD, passphrase: PASSWORD };
      await registerPerson(toolkit, { home, addresses, invitation, handle, name: handle, ...secrets });
      const person = await startWork(toolkit, { home, addresses, ...secrets });
      if (person.session.secondFactor === "missing") {
        await enrolDemoFactor(person.session, { home, password: PASSWORD, clock: systemClock });
      }
      return person;
    };
    const first = await readFile(String(running.get("kdc")?.ready.firstInvitation), "utf8");
    const operator = await makePerson("operator", first.trim());
    const invited = async (handle: string, role: string) =>
      makePerson(handle, (await operator.session.invite(role)).code);
    const laboratory = await invited("sleep-lab", "researcher");
    const researcher = await invited("dr-magpie", "researcher");
    const fingerprint = personFingerprint(laboratory.keys);
    for (let i = 0; i < PATIENTS; i++) {
      const { keys, statement } = await createIdentity(toolkit.suite, systemClock);
      const { code: invitation } = await operator.session.invite("patient");
      const handle = `sleeper-${i}`;
      await operator.kdc.register({ invitation, handle, password: PASSWORD, identity: statement });
      const session = await operator.kdc.login(handle, PASSWORD);
      const owner = createOwner({
        ...{ ...toolkit, session, keys, name: "Nobody", epochs: [] },
        keepEpochs: async () => {},
      });
      await owner.startEpoch("profile");
      await owner.startEpoch("medical");
      const code = COMMON[i % COMMON.length] as string;
      const { names: _, ...record } = recordOf("", 1950 + 5 * i, i % 2 === 0 ? "female" : "male", code);
      const seen = createSeenParts({}, async () => {});
      await createRecordOwner({ ...toolkit, session, keys, owner, cloudUrl: addresses.cloud, seen }).save(
        record,
        {},
      );
      const from = systemClock.now();
      await owner.share({
        ...{ reader: "sleep-lab", expectedFingerprint: fingerprint, regions: ["profile", "medical"] },
        ...{ purpose: "research", from, until: from + DAY_MS },
      });
    }

    const study = { id: "sleep", title: "Sleep", purpose: "To see.", schema: { columns: COLUMNS } };
    await writeFile(
      join(folder, "studies.json"),
      JSON.stringify({ studies: [{ ...study, floor: { k: 2, l: 2, t: 1 } }] }),
    );
    await writeFile(join(folder, "secret"), `${PASSWORD}\n`);
    const home = join(folder, "people", "sleep-lab");
    const startResearch = async () =>
      start("research", {
        MEDCLOUDLET_STUDIES: join(folder, "studies.json"),
        MEDCLOUDLET_RESEARCH_KEYSTORE: join(home, "keystore.json"),
        MEDCLOUDLET_RESEARCH_PASSPHRASE_FILE: join(folder, "secret"),
        MEDCLOUDLET_RESEARCH_PASSWORD_FILE: join(folder, "secret"),
        MEDCLOUDLET_RESEARCH_SECOND_FACTOR: String(await demoSecret(home)),
      });
    await startResearch();
    const { session, keys } = researcher;
    const client = createResearchClient({
      ...{ http: toolkit.http, url: url("research") },
      ticket: () => session.staffTicket(keys.signing),
    });
    const requests = [];
    for (const wait of KILLED_AFTER) {
      requests.push(await client.request("sleep"));
      await new Promise((resolve) => setTimeout(resolve, wait));
      await running.get("research")?.kill();
      await startResearch();
    }
    for (const request of requests) {
      expect(await client.settled(request)).toMatchObject({ state: "ready", code: null });
    }
    const { releases } = await client.releases();
    expect(releases).toHaveLength(1);
    // What was begun and thrown away is gone from the disk.
    const { releaseId } = releases[0] as (typeof releases)[number];
    expect(await readdir(join(folder, "research", "releases"))).toEqual([releaseId]);

    // And now as people do it.
    const research = (...args: string[]) =>
      runCli(["research", ...args, "--json"], { MEDCLOUDLET_RESEARCH_URL: url("research") });
    const as = [
      ...["--home", join(folder, "people", "dr-magpie"), "--kdc", addresses.kdc],
      ...["--password-file", join(folder, "secret"), "--passphrase-file", join(folder, "secret")],
    ];
    const studies = await research("studies", ...as);
    expect(JSON.parse(studies.stdout)).toMatchObject({ studies: [{ id: "sleep", floor: { k: 2 } }] });
    const refused = await research("request", "sleep", "-k", "7", ...as);
    expect([refused.code, JSON.parse(refused.stderr).code]).toEqual([5, "RESEARCH_NOT_NOW"]);
    const listed = await research("releases", "--study", "sleep", ...as);
    expect(JSON.parse(listed.stdout)).toMatchObject({ releases: [{ releaseId, rows: PATIENTS }] });

    const out = join(folder, "release.csv");
    const fetching = ["download", releaseId, "--out", out, "--report", join(folder, "report.html")];
    const wrong = await research(...fetching, "--fingerprint", "0".repeat(64), ...as);
    expect([wrong.code, JSON.parse(wrong.stderr).code]).toEqual([5, "RESEARCH_SERVICE_MISMATCH"]);
    await expect(readFile(out)).rejects.toMatchObject({ code: "ENOENT" });
    const fetched = await research(...fetching, "--fingerprint", fingerprint, ...as);
    expect(JSON.parse(fetched.stdout)).toMatchObject({ file: out, rows: PATIENTS });
    expect(await readFile(join(folder, "report.html"), "utf8")).toContain("Release report");
    const guarantee = { k: 2, l: 2, t: 1, diversity: "distinct" } as const;
    expect(
      await verifyRelease(out, { schema: parseSchema(study.schema), guarantee, format: "csv" }),
    ).toMatchObject({ holds: true, rows: PATIENTS });

    // Whoever gets the file from them can hold the service to it.
    const signed = await research("signed", out, "--fingerprint", fingerprint);
    expect(JSON.parse(signed.stdout)).toMatchObject({ format: "csv", release: { release: releaseId } });
    await writeFile(out, `${await readFile(out, "utf8")}one more row\n`);
    const forged = await research("signed", out, "--fingerprint", fingerprint);
    expect([forged.code, JSON.parse(forged.stderr).code]).toEqual([5, "RESEARCH_FILE_MISMATCH"]);

    expect(await running.get("research")?.stop()).toBe(0);
  }, 300_000);
});
