import { mkdir, readFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { z } from "zod";
import {
  launchCloud,
  launchCloudlet,
  launchKdc,
  readSettings,
  type ServiceName,
  type SettingName,
} from "../apps/index.ts";
import { isMedcloudletError, randomBytes, systemClock, toBase64Url, toHex, utf8 } from "../base/index.ts";
import { personFingerprint } from "../client/index.ts";
import { createLog, type RunningService } from "../http/index.ts";
import { readBackupState, writeBackupState } from "./backup-file.ts";
import { demoCode, demoSecret, enrolDemoFactor } from "./demo-authenticator.ts";
import { isPaired, pairDevice } from "./device-folder.ts";
import {
  type Addresses,
  createToolkit,
  keepAddresses,
  ownerOf,
  type PersonAtWork,
  registerPerson,
  startWork,
  type Toolkit,
  writePrivateFile,
} from "./home.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const CLOUD_PORT = 4702;
const CLOUDLET_PORT = 4703;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Clearly invented people. */
const CAST = {
  operator: { role: "operator", handle: "night-shift", name: "Demo Operator" },
  patient: { role: "patient", handle: "quiet-otter", name: "Ada Quillfeather (demo)" },
  doctor: { role: "doctor", handle: "dr-heron", name: "Dr. Heron (demo)" },
  officer: { role: "security-officer", handle: "watchful-jay", name: "Wren Jay (demo)" },
} as const;
export type Part = keyof typeof CAST;

/** A demo account: where its keys are and the files with its secrets. */
export interface DemoLogin {
  readonly part: Part;
  readonly handle: string;
  readonly password: string;
  readonly home: string;
  readonly passwordFile: string;
  readonly passphraseFile: string;
  /** The TOTP secret of staff, base32; null for the patient. */
  readonly secondFactor: string | null;
}

/** Three running services with people and a paired wearable in them. */
export interface DemoWorld {
  readonly addresses: Addresses;
  /** The page with somebody's login behind `#`, which no server and no log sees. */
  pageOf(part: Part): Promise<string>;
  readonly folder: string;
  readonly storeName: string;
  readonly logFile: string;
  readonly logins: readonly DemoLogin[];
  readonly deviceFolder: string;
  /** False where the folder was there before, and the wearable has sent something. */
  readonly isNew: boolean;
  readonly toolkit: Toolkit;
  signIn(part: Part): Promise<PersonAtWork>;
  /** Stops the cloud, does what is to be done without it, and starts it again where it was. */
  withoutCloud(work: () => Promise<void>): Promise<void>;
  /** The same of the KDC, which serves the page too. */
  withoutKdc(work: () => Promise<void>): Promise<void>;
  /** Stops the services; a temporary folder goes away with them. */
  close(): Promise<void>;
}

const STATE = z.strictObject({ databasePrefix: z.string() });

/** The state of a demo folder; made at the first start. */
async function demoState(folder: string): Promise<z.infer<typeof STATE>> {
  const file = join(folder, "demo.json");
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text !== undefined) {
    return STATE.parse(JSON.parse(text));
  }
  const state = { databasePrefix: `medcloudlet_demo_${toHex(randomBytes(3))}` };
  await writePrivateFile(file, `${JSON.stringify(state)}\n`);
  return state;
}

/** A secret in a file of its own; made at the first start. */
async function keptSecret(file: string): Promise<string> {
  const kept = await readFile(file, "utf8").catch(() => undefined);
  if (kept !== undefined) {
    return kept.trim();
  }
  const secret = toHex(randomBytes(9)).replace(/(.{6})(?=.)/g, "$1-");
  await writePrivateFile(file, `${secret}\n`);
  return secret;
}

/** The usual port, or a free one where that is taken or not wanted: the KDC's page is told of it before anybody listens. */
async function findPort(usual: number): Promise<string> {
  const server = createServer();
  const listening = (port: number) =>
    new Promise<boolean>((done) => {
      server.once("error", () => done(false)).listen(port, "127.0.0.1", () => done(true));
    });
  if (!(await listening(usual))) {
    await listening(0);
  }
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return String(port);
}

/** Starts on the usual port, or on a free one where that is taken. */
async function onFreePort<T>(
  port: string | undefined,
  launch: (port: string | undefined) => Promise<T>,
): Promise<T> {
  try {
    return await launch(port);
  } catch (error) {
    if (port === undefined && isMedcloudletError(error, "SERVICE_PORT_UNAVAILABLE")) {
      return launch("0");
    }
    throw error;
  }
}

/** Brings the whole system up in this process, in a temporary folder unless one is named. */
export async function startDemoWorld(options: {
  readonly folder?: string;
  readonly freePorts: boolean;
  readonly onStep: (text: string) => void;
}): Promise<DemoWorld> {
  const { onStep } = options;
  const temporary =
    options.folder === undefined ? temporaryFolder(join(tmpdir(), "medcloudlet-demo-")) : undefined;
  const folder = temporary?.path ?? (options.folder as string);
  await mkdir(join(folder, "people"), { recursive: true, mode: 0o700 });
  const { databasePrefix } = await demoState(folder);
  const logFile = join(folder, "services.log");
  const destination = pino.destination({ dest: logFile, sync: true, mode: 0o600 });
  const running: RunningService[] = [];

  const launchOptions = (
    service: ServiceName,
    flags: Partial<Record<SettingName, string>>,
    port?: string,
  ) => ({
    settings: readSettings(service, {
      flags: { dataDir: folder, databasePrefix, ...flags, ...(port === undefined ? {} : { port }) },
      environment: process.env,
      file: {},
    }),
    clock: systemClock,
    log: createLog({ service, level: "info", destination }),
  });
  const usualPort = options.freePorts ? "0" : undefined;

  const close = async (): Promise<void> => {
    for (const service of running.reverse()) {
      await service.close();
    }
    await temporary?.remove();
  };

  try {
    onStep("starting the KDC");
    const cloudPort = await findPort(options.freePorts ? 0 : CLOUD_PORT);
    const cloudUrl = `http://127.0.0.1:${cloudPort}`;
    const cloudletPort = await findPort(options.freePorts ? 0 : CLOUDLET_PORT);
    const cloudletUrls = `http://127.0.0.1:${cloudletPort}`;
    const startKdc = (port: string | undefined) =>
      launchKdc({ ...launchOptions("kdc", { cloudUrl, cloudletUrls }, port), handOver: true });
    const kdc = await onFreePort(usualPort, startKdc);
    running.push(kdc);
    onStep("starting the cloud");
    const startCloud = () => launchCloud(launchOptions("cloud", { kdcUrl: kdc.url }, cloudPort));
    const cloud = await startCloud();
    running.push(cloud);

    const toolkit = await createToolkit(systemClock);
    const withoutCloudlet = { kdc: kdc.url, cloud: cloud.url, cloudlet: cloud.url };
    const logins: Omit<DemoLogin, "secondFactor">[] = [];
    for (const part of Object.keys(CAST) as Part[]) {
      const home = join(folder, "people", part);
      await mkdir(home, { recursive: true, mode: 0o700 });
      const [passwordFile, passphraseFile] = [join(home, "password"), join(home, "passphrase")];
      const password = await keptSecret(passwordFile);
      await keptSecret(passphraseFile);
      logins.push({ part, handle: CAST[part].handle, password, home, passwordFile, passphraseFile });
    }
    const loginOf = (part: Part) => logins.find((login) => login.part === part) as (typeof logins)[number];
    const signInAt = async (part: Part, addresses: Addresses) => {
      const { home, password, passphraseFile } = loginOf(part);
      const passphrase = await keptSecret(passphraseFile);
      const code = () => demoCode(home, systemClock);
      const person = await startWork(toolkit, { home, addresses, password, passphrase, code });
      if (person.session.secondFactor === "missing") {
        await enrolDemoFactor(person.session, { home, password, clock: systemClock });
      }
      return person;
    };
    const register = async (part: Part, invitation: string) => {
      const { home, password, passphraseFile } = loginOf(part);
      await registerPerson(toolkit, {
        home,
        addresses: withoutCloudlet,
        invitation,
        handle: CAST[part].handle,
        name: CAST[part].name,
        password,
        passphrase: await keptSecret(passphraseFile),
      });
    };

    let cloudletInvitation: string | undefined;
    if (kdc.firstInvitation !== undefined) {
      onStep("making demo accounts");
      await register("operator", (await readFile(kdc.firstInvitation, "utf8")).trim());
      const { session } = await signInAt("operator", withoutCloudlet);
      for (const part of ["patient", "doctor", "officer"] as const) {
        await register(part, (await session.invite(CAST[part].role)).code);
      }
      cloudletInvitation = (await session.invite("cloudlet")).code;
    }

    onStep("starting the cloudlet");
    const cloudlet = await launchCloudlet(
      launchOptions(
        "cloudlet",
        {
          kdcUrl: kdc.url,
          cloudUrl: cloud.url,
          ...(cloudletInvitation === undefined ? {} : { invitation: cloudletInvitation }),
        },
        cloudletPort,
      ),
    );
    running.push(cloudlet);
    const addresses: Addresses = { kdc: kdc.url, cloud: cloud.url, cloudlet: cloudlet.url };
    const signIn = (part: Part) => signInAt(part, addresses);
    const pageOf = async (part: Part): Promise<string> => {
      const atWork = await signIn(part);
      // The page gets the keys from the backup, and what it keeps there the commands of this home take in.
      const { home } = loginOf(part);
      const { automatic } = await readBackupState(home);
      if (!automatic) {
        await writeBackupState(home, { automatic: true, version: await atWork.backUp() });
      }
      const { token, expiresAt } = atWork.session;
      const handedOver = {
        handle: CAST[part].handle,
        passphrase: await keptSecret(loginOf(part).passphraseFile),
        session: { token, expiresAt },
      };
      return `${kdc.url}/#login=${toBase64Url(utf8(JSON.stringify(handedOver)))}`;
    };

    const deviceFolder = join(folder, "wearable");
    const isNew = !(await isPaired(deviceFolder));
    if (isNew) {
      onStep("pairing the wearable, sharing with the doctor");
      const person = await signIn("patient");
      const owner = ownerOf(toolkit, person);
      await owner.startEpoch("medical");
      const from = systemClock.now();
      const { keys: doctorKeys } = await signIn("doctor");
      await owner.share({
        reader: CAST.doctor.handle,
        // Both stand in one room here, so the fingerprint is compared in person.
        expectedFingerprint: personFingerprint(doctorKeys),
        regions: ["medical"],
        purpose: "treatment",
        from,
        until: from + 30 * DAY_MS,
      });
      await pairDevice({
        folder: deviceFolder,
        owner,
        ownerId: person.contents.accountId,
        ownerKeys: person.keys,
        region: "medical",
        until: from + 365 * DAY_MS,
        addresses,
      });
    }
    for (const folder of [...logins.map(({ home }) => home), deviceFolder]) {
      await keepAddresses(folder, addresses);
    }
    const mongodb = process.env.MONGODB_URL !== undefined && process.env.MONGODB_URL !== "";
    const without = async (url: string, start: () => Promise<RunningService>, work: () => Promise<void>) => {
      const at = running.findIndex((service) => service.url === url);
      await running[at]?.close();
      await work();
      running[at] = await start();
    };
    return {
      addresses,
      pageOf,
      folder,
      storeName: mongodb ? `MongoDB, databases ${databasePrefix}_*` : "embedded",
      logFile,
      logins: await Promise.all(
        logins.map(async (login) => ({ ...login, secondFactor: await demoSecret(login.home) })),
      ),
      deviceFolder,
      isNew,
      toolkit,
      signIn,
      withoutCloud: (work) => without(cloud.url, startCloud, work),
      withoutKdc: (work) => without(kdc.url, () => startKdc(new URL(kdc.url).port), work),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
