import { mkdtemp, readFile, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchResearch, openResearchAccount, readSettings } from "../../../host/apps/index.ts";
import { toBase64Url } from "../../../host/base/index.ts";
import { createAccountClient, createHttpClient, lockKeystore } from "../../../host/client/index.ts";
import { createLog } from "../../../host/http/index.ts";
import { backends } from "../../support/stores.ts";
import { PASSWORD, type Person, type System, startSystem } from "../../support/system.ts";

const EXAMPLE = new URL("../../../docs/research/studies.json", import.meta.url).pathname;
const log = createLog({ service: "test", level: "silent" });

describe("a research service as it is launched", () => {
  const [backend] = backends();
  let system: System;
  let folder: string;
  let laboratory: Person;
  let secondFactor: string;

  const keystoreOf = async (person: Person, name: string): Promise<string> => {
    const { accountId, handle, role } = person.session.account;
    const [signingSeed, receivingKey] = person.secrets.map((secret) => toBase64Url(new Uint8Array(secret)));
    const contents = {
      ...{ accountId, handle, role, name: "", epochs: [], known: {} },
      ...{ signingSeed: signingSeed as string, receivingKey: receivingKey as string },
    };
    const file = join(folder, name);
    await writeFile(file, await lockKeystore(contents, PASSWORD));
    return file;
  };

  beforeAll(async () => {
    system = await startSystem(backend as NonNullable<typeof backend>);
    folder = await mkdtemp(join(tmpdir(), "medcloudlet-research-launch-"));
    laboratory = await system.person("researcher", "sleep-lab");
    secondFactor = system.secondFactor("sleep-lab");
  });
  afterAll(() => system?.stop());

  const accountWith = async (more: { keystoreFile?: string; secondFactor?: string } = {}) =>
    openResearchAccount({
      keystoreFile: more.keystoreFile ?? (await keystoreOf(laboratory, "keystore.json")),
      ...{ passphrase: PASSWORD, password: PASSWORD },
      secondFactor: more.secondFactor ?? secondFactor,
      sessionFile: join(folder, "research", "session"),
      ...{ kdcUrl: system.kdc.url, suite: system.suite, clock: system.clock },
      http: createHttpClient({ clock: system.clock }),
    });

  it("logs in by itself, keeps the session over a restart, and logs in again when it is over", async () => {
    const first = await (await accountWith()).session();
    expect(first.account.handle).toBe("sleep-lab");
    const kept = join(folder, "research", "session");
    expect((await stat(kept)).mode & 0o777).toBe(0o600);
    expect(await readFile(kept, "utf8")).not.toContain(first.token);

    const account = await accountWith({ secondFactor: "A".repeat(32) });
    expect((await account.session()).token).toBe(first.token);

    const again = await accountWith();
    await createAccountClient(first).endOtherSessions();
    await first.logout();
    system.clock.advance(2 * 60_000);
    const second = await again.session();
    expect(second.token).not.toBe(first.token);
    expect((await again.session()).token).toBe(second.token);
  });

  it("wants a researcher's keystore and a secret that is one", async () => {
    const doctor = await keystoreOf(await system.person("doctor", "dr-heron"), "doctor.json");
    await expect(accountWith({ keystoreFile: doctor })).rejects.toThrow(/of a doctor/);
    await expect(accountWith({ keystoreFile: join(folder, "none.json") })).rejects.toThrow(/keys register/);
    await expect(accountWith({ secondFactor: "not base 32!" })).rejects.toThrow(
      expect.objectContaining({ code: "CONFIG_INVALID" }),
    );
  });

  it("starts without the KDC, and tells every fault of its settings before", async () => {
    expect(() => readSettings("research", { flags: {}, environment: {}, file: {} })).toThrow(
      /5 faults[\s\S]*MEDCLOUDLET_STUDIES[\s\S]*MEDCLOUDLET_RESEARCH_SECOND_FACTOR/,
    );
    const settings = readSettings("research", {
      flags: { port: "0", dataDir: folder, kdcUrl: "http://127.0.0.1:9", studies: EXAMPLE },
      environment: {
        MEDCLOUDLET_RESEARCH_KEYSTORE: await keystoreOf(laboratory, "keystore.json"),
        MEDCLOUDLET_RESEARCH_PASSPHRASE: PASSWORD,
        MEDCLOUDLET_RESEARCH_PASSWORD: PASSWORD,
        MEDCLOUDLET_RESEARCH_SECOND_FACTOR: secondFactor,
      },
      file: {},
    });
    const options = { settings, clock: system.clock, log };
    const running = await launchResearch(options);
    expect((await fetch(`${running.url}/readyz`)).status).toBe(200);
    expect((await fetch(`${running.url}/v1/studies`)).status).toBe(401);
    await running.close();
    expect((await stat(join(folder, "research", "ledger-salt"))).mode & 0o777).toBe(0o600);
    await expect(
      launchResearch({ ...options, settings: { ...settings, studies: join(folder, "none") } }),
    ).rejects.toThrow(expect.objectContaining({ code: "RESEARCH_STUDIES_INVALID" }));
  });
});
