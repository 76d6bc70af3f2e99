import { randomUUID } from "node:crypto";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../host/base/index.ts";
import { enrolDemoFactor } from "../../../host/cli/demo-authenticator.ts";
import { isPaired, openDeviceFolder, pairDevice } from "../../../host/cli/device-folder.ts";
import {
  type Addresses,
  createToolkit,
  ownerOf,
  type PersonAtWork,
  readerOf,
  registerPerson,
  startWork,
} from "../../../host/cli/home.ts";
import { createPatientNotes, personFingerprint } from "../../../host/client/index.ts";
import { uploadAll } from "../../../host/wearable/index.ts";
import { freePort, type ServiceProcess, startCli, startService } from "../../support/processes.ts";
import { backends } from "../../support/stores.ts";
import { DAY_MS, eventually, PASSWORD } from "../../support/system.ts";

const BATCHES = 120;
const never = new AbortController().signal;

describe.each(backends())("kill -9 on the $name store", (backend) => {
  const running = new Map<string, ServiceProcess>();
  afterAll(async () => {
    await Promise.all([...running.values()].map((service) => service.kill()));
  });

  it("of any process in the middle of an upload loses no acknowledged batch and doubles none", async () => {
    const folder = await mkdtemp(join(tmpdir(), "medcloudlet-kill-"));
    const ports = { kdc: await freePort(), cloud: await freePort(), cloudlet: await freePort() };
    const addresses: Addresses = {
      kdc: `http://127.0.0.1:${ports.kdc}`,
      cloud: `http://127.0.0.1:${ports.cloud}`,
      cloudlet: `http://127.0.0.1:${ports.cloudlet}`,
    };
    const prefix = `kill_${randomUUID().slice(0, 8)}`;
    const start = async (name: keyof typeof ports, env: Record<string, string> = {}) => {
      const flags = ["--data-dir", folder, "--port", String(ports[name]), "--database-prefix", prefix];
      flags.push("--rate-limit", "1000000");
      if (name !== "kdc") {
        flags.push("--kdc-url", addresses.kdc);
      }
      if (name === "cloudlet") {
        flags.push("--cloud-url", addresses.cloud);
      }
      running.set(name, await startService(name, flags, { ...backend.env, ...env }));
    };
    const killAndRestart = async (name: keyof typeof ports) => {
      await running.get(name)?.kill();
      await start(name);
    };

    await start("kdc");
    await start("cloud");
    const toolkit = await createToolkit(systemClock);
    const makePerson = async (handle: string, invitation: string): Promise<PersonAtWork> => {
      const home = join(folder, handle);
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
    const patient = await makePerson("quiet-otter", (await operator.session.invite("patient")).code);
    const doctor = await makePerson("dr-heron", (await operator.session.invite("doctor")).code);
    await start("cloudlet", { MEDCLOUDLET_INVITATION: (await operator.session.invite("cloudlet")).code });

    const owner = ownerOf(toolkit, patient);
    await owner.startEpoch("medical");
    const now = systemClock.now();
    await owner.share({
      reader: "dr-heron",
      expectedFingerprint: personFingerprint(doctor.keys),
      regions: ["medical"],
      purpose: "treatment",
      from: now,
      until: now + DAY_MS,
    });
    const pair = async (name: string) => {
      const deviceFolder = join(folder, name);
      await pairDevice({
        folder: deviceFolder,
        owner,
        ownerId: patient.contents.accountId,
        ownerKeys: patient.keys,
        region: "medical",
        until: now + DAY_MS,
        addresses,
      });
      expect(await isPaired(deviceFolder)).toBe(true);
      return deviceFolder;
    };

    const { device, store } = await openDeviceFolder(toolkit, await pair("steady"), addresses);
    const sealed = [];
    for (let i = 0; i < BATCHES; i++) {
      sealed.push(
        await device.record(
          [{ quantity: "heartRate", times: [now + i], values: [60 + (i % 40)] }],
          "regular",
        ),
      );
    }

    // The wearable that will be killed is a process of its own, with an outbox of its own.
    const wearableFolder = await pair("mortal");
    const simulate = ["simulate", "--device", wearableFolder, "--minutes", "60", "--speed", "0"];
    simulate.push("--kdc", addresses.kdc, "--cloudlet", addresses.cloudlet);
    const wearable = startCli(simulate);

    const acknowledged = new Set<number>();
    const victims = new Map<number, keyof typeof ports>([
      [20, "cloudlet"],
      [45, "cloud"],
      [70, "kdc"],
      [90, "cloudlet"],
    ]);
    const restarts: Promise<void>[] = [];
    await uploadAll(device, {
      signal: never,
      onReceipt: ({ sequence }) => {
        acknowledged.add(sequence);
        const victim = victims.get(acknowledged.size);
        if (victim !== undefined) {
          restarts.push(killAndRestart(victim));
        }
      },
    });
    await Promise.all(restarts);
    expect(restarts).toHaveLength(victims.size);
    expect(acknowledged.size).toBe(BATCHES);

    await wearable.kill();
    const revived = await openDeviceFolder(toolkit, wearableFolder, addresses);
    await uploadAll(revived.device, { signal: never });
    expect(await revived.device.waiting()).toBe(0);

    const reader = readerOf(toolkit, doctor);
    const [stream] = (await reader.shared()).streams;
    const readAll = async (): Promise<string[]> => {
      const opened: string[] = [];
      for await (const { batch } of reader.read(stream as NonNullable<typeof stream>)) {
        if (batch.status === "refused") {
          throw batch.error;
        }
        opened.push(`${batch.header.deviceId}:${batch.header.sequence}`);
      }
      return opened;
    };
    const expected = sealed.map(({ sequence }) => `${device.deviceId}:${sequence}`);
    await eventually(async () => {
      const opened = new Set(await readAll());
      return expected.every((name) => opened.has(name));
    }, 30_000);

    // A note that was acknowledged is there after the cloud was killed.
    const notesOfDoctor = () =>
      createPatientNotes({
        ...{ ...toolkit, session: doctor.session, keys: doctor.keys, name: "Dr. Heron" },
        cloudUrl: addresses.cloud,
      });
    const noted = await notesOfDoctor().write(stream as NonNullable<typeof stream>, { text: "Kept." });
    await killAndRestart("cloud");
    const { notes } = await notesOfDoctor().list(stream as NonNullable<typeof stream>);
    expect(notes).toMatchObject([{ noteId: noted.noteId, text: "Kept." }]);

    // Everything again, by its own device: all known, nothing twice.
    const before = await readAll();
    expect(new Set(before).size).toBe(before.length);
    const statuses: string[] = [];
    for (const { sequence } of sealed) {
      statuses.push((await device.resend(sealed[sequence] as (typeof sealed)[number])).status);
    }
    expect(new Set(statuses)).toEqual(new Set(["duplicate"]));
    expect((await readAll()).sort()).toEqual(before.sort());

    await store.close();
    await revived.store.close();
    for (const [name, service] of running) {
      expect(await service.stop(), name).toBe(0);
    }
  }, 180_000);
});
