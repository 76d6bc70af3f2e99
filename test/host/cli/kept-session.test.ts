import { cp, mkdtemp, readFile, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeBackupState } from "../../../host/cli/backup-file.ts";
import {
  type Addresses,
  createToolkit,
  ownerOf,
  registerPerson,
  requireHome,
  startWork,
  type Toolkit,
} from "../../../host/cli/home.ts";
import { fetchBackup, unlockKeystore } from "../../../host/client/index.ts";
import { enrol } from "../../support/authenticator.ts";
import { backends } from "../../support/stores.ts";
import { PASSWORD, type System, startSystem } from "../../support/system.ts";
import { documentsOf } from "../http/attack.ts";

const PASSPHRASE = "a passphrase for the keys";
const never = () => Promise.reject(new Error("this was not to be asked for"));

describe("a home that keeps its session", () => {
  let system: System;
  let toolkit: Toolkit;
  let addresses: Addresses;
  let home: string;

  const start = (secrets: Partial<Parameters<typeof startWork>[1]> = {}) =>
    startWork(toolkit, {
      home,
      addresses,
      passphrase: PASSPHRASE,
      password: PASSWORD,
      code: never,
      ...secrets,
    });

  const newHome = async (role: string, handle: string): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), "medcloudlet-home-"));
    const { code: invitation } = await system.operator.session.invite(role);
    await registerPerson(toolkit, {
      home: folder,
      addresses,
      invitation,
      handle,
      name: handle,
      password: PASSWORD,
      passphrase: PASSPHRASE,
    });
    return folder;
  };

  beforeAll(async () => {
    system = await startSystem(backends()[0] as ReturnType<typeof backends>[0]);
    toolkit = { ...(await createToolkit(system.clock)) };
    addresses = { kdc: system.kdc.url, cloud: system.cloud.url, cloudlet: system.cloudlet.url };
    home = await newHome("patient", "quiet-otter");
  });
  afterAll(() => system?.stop());

  it("asks for the password once, and for nothing the next time", async () => {
    const { session } = await start();
    const again = await start({ password: never });
    expect(again.session.token).toBe(session.token);
    expect(again.session.account.handle).toBe("quiet-otter");
  });

  it("has the token in a file of its own, which says nothing to who has no passphrase", async () => {
    const { session } = await start({ password: never });
    const file = join(home, "session");
    const text = await readFile(file, "utf8");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    for (const text2 of [text, Buffer.from(text.trim(), "base64url").toString("latin1")]) {
      expect(text2).not.toContain(session.token);
      expect(text2).not.toContain("http");
    }
  });

  it("does not show the token to another KDC, and logs in there", async () => {
    const seen: string[] = [];
    const spying: Toolkit = {
      ...toolkit,
      http: {
        ...toolkit.http,
        json: async (request) => {
          seen.push(JSON.stringify(request));
          throw new Error("no KDC");
        },
      },
    };
    const { session } = await start({ password: never });
    await expect(
      startWork(spying, {
        home,
        addresses: { ...addresses, kdc: "http://127.0.0.1:9" },
        passphrase: PASSPHRASE,
        password: PASSWORD,
      }),
    ).rejects.toThrow("no KDC");
    expect(seen).toHaveLength(1);
    expect(seen[0]).not.toContain(session.token);
    expect((await start({ password: never })).session.token).toBe(session.token);
  });

  it("logs in anew after a logout, after twelve hours, and where the file is damaged", async () => {
    const first = await start({ password: never });
    await first.logout();
    await expect(start({ password: never })).rejects.toThrow("not to be asked for");
    const second = await start();
    expect(second.session.token).not.toBe(first.session.token);
    system.clock.advance(12 * 60 * 60_000);
    await expect(start({ password: never })).rejects.toThrow("not to be asked for");
    const third = await start();
    await writeFile(join(home, "session"), "damaged\n");
    expect((await start()).session.token).not.toBe(third.session.token);
  });

  it("is one known program to the KDC, however often it logs in", async () => {
    const known = async () => {
      const accounts = await documentsOf(system.stores.kdc, "accounts");
      const otter = accounts.find(({ handle }) => handle === "quiet-otter");
      const clients = await documentsOf(system.stores.kdc, "known_clients");
      return clients.filter(({ accountId }) => accountId === otter?._id).length;
    };
    const before = await known();
    for (let i = 0; i < 3; i++) {
      await (await start()).logout();
    }
    expect(await known()).toBe(before);
  });

  it("asks staff for a code only where it logs in", async () => {
    home = await newHome("doctor", "dr-heron");
    const person = await start();
    expect(person.session.secondFactor).toBe("missing");
    const { authenticator } = await enrol(person.session, PASSWORD, system.clock);
    const again = await start({ password: never });
    expect(again.session.secondFactor).toBe("active");
    system.clock.advance(31 * 60_000);
    await expect(start()).rejects.toThrow("not to be asked for");
    await start({ code: async () => authenticator.code() });
    await start({ password: never });
  });

  it("is not made with a passphrase that is none, and then there is no account either", async () => {
    const { code: invitation } = await system.operator.session.invite("patient");
    const folder = await mkdtemp(join(tmpdir(), "medcloudlet-home-"));
    const input = { home: folder, addresses, invitation, handle: "loud-magpie", name: "Bo" };
    await expect(
      registerPerson(toolkit, { ...input, password: PASSWORD, passphrase: "" }),
    ).rejects.toMatchObject({ code: "KEYSTORE_PASSPHRASE_WEAK" });
    await registerPerson(toolkit, { ...input, password: PASSWORD, passphrase: PASSPHRASE });
  });

  it("backs every change up where that is on, before anything is sealed to a new epoch", async () => {
    home = await newHome("patient", "marsh-hen");
    const person = await start();
    await person.backUp();
    await writeBackupState(home, { automatic: true, version: 1 });
    await ownerOf(toolkit, person).startEpoch("medical");
    const { keystore, version } = await fetchBackup(person.session);
    expect(version).toBe(2);
    expect((await unlockKeystore(keystore, PASSPHRASE)).epochs).toHaveLength(1);
  });

  it("takes in what another machine of the same person kept, and loses nothing of either", async () => {
    home = await newHome("patient", "reed-bunting");
    const here = await start();
    await here.backUp();
    await writeBackupState(home, { automatic: true, version: 1 });
    const elsewhere = await mkdtemp(join(tmpdir(), "medcloudlet-elsewhere-"));
    await cp(home, elsewhere, { recursive: true });
    const there = await start({ home: elsewhere });

    const owner = ownerOf(toolkit, here);
    await owner.startEpoch("medical");
    await there.save({ known: { "dr-stork": "f".repeat(64) } });
    expect(there.contents.epochs).toHaveLength(1);
    // This owner began before the other machine's epoch was there, and must not forget it.
    await ownerOf(toolkit, there).startEpoch("profile");
    await owner.startEpoch("identity");
    expect(here.contents.epochs.map(({ region }) => region).sort()).toEqual([
      "identity",
      "medical",
      "profile",
    ]);
    expect(here.contents.known).toEqual({ "dr-stork": "f".repeat(64) });
    await there.catchUpWithBackup();
    expect(there.contents.epochs).toHaveLength(3);
    expect((await unlockKeystore(await requireHome(elsewhere), PASSPHRASE)).epochs).toHaveLength(3);
    expect(await here.session.epochs()).toHaveLength(3);
  });

  it("says so where another machine has another passphrase, and lets one have the same again", async () => {
    home = await newHome("patient", "corn-bunting");
    const here = await start();
    await here.backUp();
    await writeBackupState(home, { automatic: true, version: 1 });
    const elsewhere = await mkdtemp(join(tmpdir(), "medcloudlet-elsewhere-"));
    await cp(home, elsewhere, { recursive: true });
    const there = await start({ home: elsewhere });
    await there.changePassphrase("quite another passphrase");
    await here.catchUpWithBackup();
    await expect(here.save({ known: {} })).rejects.toMatchObject({ code: "KEYSTORE_PASSPHRASE_CHANGED" });
    await there.save({ known: { "dr-stork": "e".repeat(64) } });
    await here.changePassphrase("quite another passphrase");
    expect(here.contents.known).toEqual({ "dr-stork": "e".repeat(64) });
  });
});
