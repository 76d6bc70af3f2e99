import { mkdtemp, readFile, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { launchCloud, launchCloudlet, launchKdc, readSettings } from "../../../host/apps/index.ts";
import { createHttpClient, createIdentity, createKdcClient } from "../../../host/client/index.ts";
import { createLog, type RunningService } from "../../../host/http/index.ts";
import { loadNtru } from "../../../host/ntru/index.ts";
import { createSealingSuite } from "../../../host/sealing/index.ts";
import { enrol } from "../../support/authenticator.ts";
import { createTestClock, DAY_MS, PASSWORD } from "../../support/system.ts";

const log = createLog({ service: "test", level: "silent" });

describe("a service as it is launched", () => {
  let dataDir: string;
  let clock: ReturnType<typeof createTestClock>;
  const running: RunningService[] = [];

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "medcloudlet-launch-"));
    clock = createTestClock();
  });
  afterEach(async () => {
    for (const service of running.splice(0).reverse()) {
      await service.close();
    }
  });

  const optionsOf = (service: "kdc" | "cloud" | "cloudlet", flags: Record<string, string> = {}) => ({
    settings: readSettings(service, { flags: { port: "0", dataDir, ...flags }, environment: {}, file: {} }),
    clock,
    log,
  });
  const kept = <T extends RunningService>(service: T): T => {
    running.push(service);
    return service;
  };
  const startKdc = async () => kept(await launchKdc(optionsOf("kdc")));
  const client = (url: string) => createKdcClient({ http: createHttpClient({ clock }), url });

  const becomeOperator = async (url: string, invitation: string) => {
    const suite = createSealingSuite(await loadNtru("ntruhps2048677"));
    const { statement } = await createIdentity(suite, clock);
    await client(url).register({ invitation, handle: "operator", password: PASSWORD, identity: statement });
    const session = await client(url).login("operator", PASSWORD);
    await enrol(session, PASSWORD, clock);
    return session;
  };

  it("keeps its key and the first invitation where only its user can read them", async () => {
    const { firstInvitation } = await startKdc();
    const kdcFolder = join(dataDir, "kdc");
    for (const file of [
      firstInvitation as string,
      join(kdcFolder, "ticket-keys.json"),
      join(kdcFolder, "audit-key"),
      join(kdcFolder, "factor-key"),
    ]) {
      expect((await stat(file)).mode & 0o777, file).toBe(0o600);
    }
  });

  it("signs with the same key after a restart, and refuses a damaged key file rather than make a new key", async () => {
    const first = await startKdc();
    const keys = await client(first.url).ticketKeys();
    await first.close();
    const second = await startKdc();
    expect(await client(second.url).ticketKeys()).toEqual(keys);
    await second.close();
    await writeFile(join(dataDir, "kdc", "ticket-keys.json"), "damaged\n");
    await expect(launchKdc(optionsOf("kdc"))).rejects.toMatchObject({ code: "TICKET_KEY_FILE" });
  });

  it("invites its first operator until there is one, even after the first invitation has expired", async () => {
    const first = await startKdc();
    const lost = (await readFile(first.firstInvitation as string, "utf8")).trim();
    await first.close();
    clock.advance(8 * DAY_MS);
    const second = await startKdc();
    expect(second.firstInvitation).toBeDefined();
    const code = (await readFile(second.firstInvitation as string, "utf8")).trim();
    expect(code).not.toBe(lost);
    await expect(becomeOperator(second.url, lost)).rejects.toMatchObject({ code: "INVITATION_INVALID" });
    expect((await becomeOperator(second.url, code)).account.role).toBe("operator");
    await expect(readFile(second.firstInvitation as string)).rejects.toMatchObject({ code: "ENOENT" });
    await second.close();
    expect((await startKdc()).firstInvitation).toBeUndefined();
  });

  it("has one invitation for its first operator, however often it was started before there was one", async () => {
    const first = await startKdc();
    const earlier = (await readFile(first.firstInvitation as string, "utf8")).trim();
    await first.close();
    const second = await startKdc();
    const code = (await readFile(second.firstInvitation as string, "utf8")).trim();
    await expect(becomeOperator(second.url, earlier)).rejects.toMatchObject({ code: "INVITATION_INVALID" });
    expect((await becomeOperator(second.url, code)).account.role).toBe("operator");
  });

  it("registers a cloudlet once, by an invitation it needs only the first time", async () => {
    const kdc = await startKdc();
    const operator = await becomeOperator(
      kdc.url,
      (await readFile(kdc.firstInvitation as string, "utf8")).trim(),
    );
    const cloud = kept(await launchCloud(optionsOf("cloud", { kdcUrl: kdc.url })));
    const flags = { kdcUrl: kdc.url, cloudUrl: cloud.url };
    await expect(launchCloudlet(optionsOf("cloudlet", flags))).rejects.toMatchObject({
      code: "CLOUDLET_NOT_REGISTERED",
      message: expect.stringContaining("MEDCLOUDLET_INVITATION_FILE=FILE"),
    });
    await expect(launchCloudlet(optionsOf("cloudlet", { ...flags, invitation: "x" }))).rejects.toMatchObject({
      code: "INVITATION_INVALID",
    });
    const { code: wrongRole } = await operator.invite("patient");
    await expect(
      launchCloudlet(optionsOf("cloudlet", { ...flags, invitation: wrongRole })),
    ).rejects.toMatchObject({ code: "ACCOUNT_PASSWORD" });
    const { code: invitation } = await operator.invite("cloudlet");
    const first = await launchCloudlet(optionsOf("cloudlet", { ...flags, invitation }));
    await first.close();
    const file = join(dataDir, "cloudlet", "registration.json");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const registration = await readFile(file, "utf8");
    const second = kept(await launchCloudlet(optionsOf("cloudlet", flags)));
    expect((await fetch(`${second.url}/readyz`)).status).toBe(200);
    expect(await readFile(file, "utf8")).toBe(registration);
  });

  it("starts a registered cloudlet while KDC and cloud are away", async () => {
    const kdc = await startKdc();
    const operator = await becomeOperator(
      kdc.url,
      (await readFile(kdc.firstInvitation as string, "utf8")).trim(),
    );
    const { code: invitation } = await operator.invite("cloudlet");
    const flags = { kdcUrl: kdc.url, cloudUrl: "http://127.0.0.1:9" };
    await (await launchCloudlet(optionsOf("cloudlet", { ...flags, invitation }))).close();
    await kdc.close();
    const alone = kept(await launchCloudlet(optionsOf("cloudlet", flags)));
    expect((await fetch(`${alone.url}/readyz`)).status).toBe(200);
  });
});
