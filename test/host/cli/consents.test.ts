import { spawnSync } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type DemoLogin, type DemoWorld, startDemoWorld } from "../../../host/cli/demo-world.ts";
import { personFingerprint } from "../../../host/client/index.ts";
import { runCli } from "../../support/processes.ts";

// Every command derives a key of 64 MiB first; a busy machine takes seconds for each.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

let world: DemoWorld;
let folder: string;
let fingerprint: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "medcloudlet-consents-"));
  world = await startDemoWorld({ folder: join(folder, "demo"), freePorts: true, onStep: () => {} });
  const doctor = await world.signIn("doctor");
  fingerprint = personFingerprint(doctor.keys);
});
afterAll(() => world?.close());

const as = (part: DemoLogin["part"]): string[] => {
  const { home, passwordFile, passphraseFile } = world.logins.find(
    (candidate) => candidate.part === part,
  ) as DemoLogin;
  return ["--home", home, "--password-file", passwordFile, "--passphrase-file", passphraseFile];
};
const keys = async (command: string, ...args: string[]) => {
  const { code, stdout, stderr } = await runCli(["keys", command, ...as("patient"), ...args]);
  expect(stderr, command).toBe("");
  expect(code, command).toBe(0);
  return stdout;
};
const keysJson = async (command: string, ...args: string[]) =>
  JSON.parse(await keys(command, "--json", ...args));
const simulate = (device: string, minutes: number) =>
  runCli(["simulate", "--device", device, "--minutes", String(minutes), "--speed", "0"]);

describe("consents on the command line", () => {
  it("are previewed before they are given: what opens, how much there is, and what cannot be undone", async () => {
    const device = join(folder, "watch");
    await keys("pair", "--device", device);
    expect((await simulate(device, 3)).code).toBe(0);
    const preview = await keysJson("share", "--with", "dr-heron", "--preview");
    expect(preview).toMatchObject({
      reader: "dr-heron",
      regions: [
        {
          region: "medical",
          contents: expect.arrayContaining(["vital signs", "notes", "diagnoses", "medications"]),
          epochs: [{ number: 1, ended: null, opens: true, had: true }],
          startsNewEpoch: false,
        },
      ],
      standing: [{ state: "live" }],
    });
    expect(preview.irrevocable.length).toBeGreaterThan(3);
    const [{ epochs, devices }] = preview.regions;
    expect(epochs[0].held.batches).toBe(3);
    expect(epochs[0].held.lastTime).toBeGreaterThan(epochs[0].held.firstTime);
    expect(devices).toHaveLength(2);
    const text = await keys("share", "--with", "dr-heron", "--preview", "--no-history");
    expect(text).toMatch(/epoch\s+began\s+ended\s+batches/);
    expect(text).toMatch(/\n\s+2\s+when you share/);
    expect(text).toContain("cannot take back");
    // Nothing was shared by looking.
    expect((await keysJson("consents")).consents).toHaveLength(1);
  });

  it("are listed with whom, what and until when, and end when they are revoked", async () => {
    const shared = await keysJson(
      "share",
      "--with",
      "dr-heron",
      "--no-history",
      "--fingerprint",
      fingerprint,
    );
    const { consents } = await keysJson("consents");
    expect(consents).toHaveLength(2);
    expect(consents[1]).toMatchObject({
      consentId: shared.consentId,
      handle: "dr-heron",
      history: "from-now",
      regions: ["medical"],
      purpose: "treatment",
      state: "live",
    });
    const revoked = await keysJson("revoke", "--consent", shared.consentId);
    expect(revoked).toMatchObject({ revoked: true, epochs: [{ region: "medical", number: 3 }], wrapped: 1 });
    const text = await keys("revoke", "--with", "dr-heron");
    expect(text).toContain("no key and no new ticket");
    expect(text).toContain("What was read stays read");
    const table = await keys("consents");
    expect(table.match(/revoked/g)).toHaveLength(2);
    const bundle = await keysJson("consents", "--fhir");
    expect(bundle).toMatchObject({ resourceType: "Bundle", type: "collection" });
    expect(
      bundle.entry.map(({ resource }: { resource: { resourceType: string; status: string } }) => [
        resource.resourceType,
        resource.status,
      ]),
    ).toEqual([
      ["Consent", "inactive"],
      ["Consent", "inactive"],
    ]);
    const none = await runCli(["keys", "revoke", ...as("patient"), "--with", "dr-heron", "--json"]);
    expect(JSON.parse(none.stderr).code).toBe("CLI_CONSENT_UNKNOWN");
    const read = await runCli(["doctor", "read", ...as("doctor"), "--json"]);
    expect(read.code).toBe(3);
    expect(JSON.parse(read.stderr).code).toBe("CONSENT_MISSING");
    expect(await keysJson("catch-up")).toEqual({ epochs: [], wrapped: 0, skipped: [] });
  });

  it("give nothing of before where history is left out", async () => {
    await keysJson("share", "--with", "dr-heron", "--no-history", "--fingerprint", fingerprint);
    const empty = await runCli(["doctor", "read", ...as("doctor"), "--json"]);
    expect(JSON.parse(empty.stdout)).toMatchObject({ batches: 0, refusedBatches: 0, notSharedBatches: 3 });
    const device = join(folder, "later");
    await keys("pair", "--device", device);
    expect((await simulate(device, 2)).code).toBe(0);
    await expect
      .poll(
        async () => JSON.parse((await runCli(["doctor", "read", ...as("doctor"), "--json"])).stdout).batches,
      )
      .toBe(2);
  });

  it("name a wearable that is lost, and it can send nothing any more", async () => {
    const { devices } = await keysJson("devices");
    expect(devices.map(({ state }: { state: string }) => state)).toEqual(["paired", "paired", "paired"]);
    const device = join(folder, "stolen");
    const { deviceId } = await keysJson("pair", "--device", device);
    const text = await keys("unpair", "--device-id", deviceId);
    expect(text).toContain("up to an hour");
    expect(await keysJson("unpair", "--device-id", deviceId)).toMatchObject({ revoked: true, already: true });
    const { code, stderr } = await simulate(device, 1);
    expect(code).toBe(3);
    expect(stderr).toContain("DEVICE_REVOKED");
    expect(await keys("devices")).toMatch(new RegExp(`${deviceId}.*revoked`));
  });

  it("wait for each other: two commands that start epochs at once lose no key", async () => {
    const before = (await keysJson("show")).epochs.length;
    const done = await Promise.all([0, 1].map(() => runCli(["keys", "epoch", ...as("patient"), "--json"])));
    expect(done.map(({ code }) => code)).toEqual([0, 0]);
    const numbers = (await keysJson("show")).epochs.map(({ number }: { number: number }) => number);
    expect(numbers).toEqual(Array.from({ length: before + 2 }, (_, i) => i + 1));
  });

  it("are not kept waiting by a command that died", async () => {
    const { home } = world.logins.find(({ part }) => part === "patient") as DemoLogin;
    const dead = spawnSync(process.execPath, ["-e", "0"]).pid;
    await writeFile(join(home, "owner.lock"), String(dead));
    expect(await keysJson("catch-up")).toMatchObject({ wrapped: 0 });
  });

  it("say what is wrong with an id in one line", async () => {
    for (const args of [
      ["revoke", "--consent", "x"],
      ["unpair", "--device-id", "../.."],
    ]) {
      const { code, stderr } = await runCli(["keys", args[0] as string, ...as("patient"), ...args.slice(1)]);
      expect(code).toBe(2);
      expect(stderr).toContain("32 hex digits");
    }
  });
});
