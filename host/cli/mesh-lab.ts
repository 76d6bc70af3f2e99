import { mkdir, readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import {
  createCloudApp,
  createCloudletApp,
  createKdcApp,
  meshKeyFile,
  readIdsParts,
  readMeshSettings,
  readSettings,
  type Settings,
} from "../apps/index.ts";
import { createAuditLog } from "../audit/index.ts";
import { isMedcloudletError, randomBytes, systemClock, toBase64Url, toHex } from "../base/index.ts";
import { createHttpClient, createIdentity, createKdcClient, createOwner } from "../client/index.ts";
import { createLog, type Log, listen, type RunningService } from "../http/index.ts";
import { loadOrCreateSigningKey, openTicketKeyRing } from "../identity/index.ts";
import { pseudonymEpoch, SCENARIOS, type SharedAlert, scenarioHash } from "../ids/index.ts";
import { type Mesh, signAlert, signRoster } from "../ids/mesh/index.ts";
import { loadNtru } from "../ntru/index.ts";
import {
  createSealingSuite,
  generateSigningSeed,
  importSigningKey,
  type SigningKey,
} from "../sealing/index.ts";
import { openStore, type Store } from "../store/index.ts";
import { createPhysiology, type Device, openDevice } from "../wearable/index.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const RATE_LIMIT = { points: 100_000, seconds: 1 };
const clock = systemClock;

/** One cloudlet of the laboratory, a real one on a loopback port. */
export interface LabCloudlet {
  readonly id: string;
  readonly operator: string;
  readonly url: string;
  /** Tells its peers nothing of what it finds, and whatever `lie` makes it tell. */
  readonly liar: boolean;
  readonly mesh: Mesh;
  /** All that its engine was told and what followed, so far. */
  journal(): Promise<string[]>;
}

/** A patient with a wearable for each cloudlet. */
export interface LabPatient {
  /** Sends one batch; "accepted", or the code of the refusal. */
  upload(cloudlet: number): Promise<string>;
}

/** Five cloudlets of distinct operators in one mesh, with a KDC and a cloud. Nothing in it is a mock. */
export interface MeshLab {
  readonly cloudlets: readonly LabCloudlet[];
  patient(handle: string, address: string): Promise<LabPatient>;
  /** A request from an address, without any key: its status, and its code where it was refused. */
  knock(cloudlet: number, address: string, path: string): Promise<{ status: number; code: string | null }>;
  /** A liar tells everybody that an address scans. */
  lie(liar: number, address: string): Promise<void>;
  close(): Promise<void>;
}

/** A port that is free now: the roster names addresses before anybody listens there. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Brings the laboratory up in a folder; each service has a store of its own, on MongoDB where a URL is given. */
export async function startMeshLab(options: {
  readonly folder: string;
  readonly count: number;
  /** Numbers of the cloudlets that lie, from 0. */
  readonly liars: readonly number[];
  readonly mongodbUrl?: string;
  readonly onStep?: (text: string) => void;
  readonly log?: Log;
}): Promise<MeshLab> {
  const { folder, count, liars, mongodbUrl, onStep = () => {} } = options;
  const log = options.log ?? createLog({ service: "lab", level: "silent" });
  const run = toHex(randomBytes(3));
  const running: RunningService[] = [];
  const stores: Store[] = [];
  const open = (name: string) =>
    openStore({ mongodbUrl, database: `lab_${run}_${name}`, directory: join(folder, name, "store") });
  const http = createHttpClient({ clock });
  const suite = createSealingSuite(await loadNtru("ntruhps2048677"));
  const common = { clock, log, rateLimit: RATE_LIMIT, trustProxies: 1 };
  const address = { host: "127.0.0.1", log, graceMs: 200 };

  onStep("starting KDC and cloud");
  const kdcStore = await open("kdc");
  const signer = await importSigningKey(generateSigningSeed());
  const kdcApp = await createKdcApp({
    ...common,
    store: kdcStore,
    ticketKeys: await openTicketKeyRing({
      clock,
      kept: undefined,
      keep: async () => {},
      rotateEveryMs: 30 * DAY_MS,
    }),
    audit: await createAuditLog({ store: kdcStore, clock, key: signer, onTrouble: () => {} }),
    factorKey: randomBytes(32),
  });
  const kdc = await listen(kdcApp, { ...address, port: 0 });
  running.push(kdc);
  const client = createKdcClient({ http, url: kdc.url });
  const cloudApp = await createCloudApp({ ...common, store: await open("cloud"), kdcUrl: kdc.url });
  const cloud = await listen(cloudApp, { ...address, port: 0 });
  running.push(cloud);

  onStep(`starting ${count} cloudlets of ${count} operators`);
  const operatorKey = await importSigningKey(generateSigningSeed());
  const secret = toHex(randomBytes(32));
  const planned: { id: string; operator: string; settings: Settings; key: SigningKey; url: string }[] = [];
  for (let i = 0; i < count; i++) {
    const port = await freePort();
    const dataDir = join(folder, `cloudlet-${i + 1}`);
    const settings = readSettings("cloudlet", {
      flags: {
        dataDir,
        port: String(port),
        kdcUrl: kdc.url,
        cloudUrl: cloud.url,
        trustProxies: "1",
        idsMode: "enforce",
        meshMember: `cloudlet-${i + 1}`,
        meshSecret: secret,
        meshOperators: toBase64Url(operatorKey.publicKey),
      },
      environment: {},
      file: {},
    });
    await mkdir(join(dataDir, "cloudlet"), { recursive: true });
    planned.push({
      id: `cloudlet-${i + 1}`,
      operator: `clinic-${i + 1}`,
      settings,
      key: await loadOrCreateSigningKey(meshKeyFile("cloudlet", dataDir)),
      url: `http://127.0.0.1:${port}`,
    });
  }
  const meshId = toHex(randomBytes(16));
  const members = planned.map(({ id, operator, url, key }) => {
    return { id, operator, url, signingKey: toBase64Url(key.publicKey) };
  });
  const roster = await signRoster({ mesh: meshId, version: 1, createdAt: clock.now(), members }, operatorKey);

  const cloudlets: LabCloudlet[] = [];
  for (const [i, { id, operator, settings, url }] of planned.entries()) {
    const { keys, statement } = await createIdentity(suite, clock);
    const { accountId } = await client.register({
      invitation: (await kdcApp.invitations.create("cloudlet", null)).code,
      handle: id,
      identity: statement,
    });
    const liar = liars.includes(i);
    const mesh = await readMeshSettings("cloudlet", settings);
    const app = await createCloudletApp({
      ...common,
      store: await open(id),
      kdcUrl: kdc.url,
      cloudUrl: cloud.url,
      cloudletId: accountId,
      key: keys.signing,
      spoolCapacity: 10_000,
      ids: await readIdsParts("cloudlet", { settings, clock, log }),
      mesh: mesh === undefined ? undefined : { ...mesh, roster, ...(liar ? { tells: () => false } : {}) },
    });
    running.push(await listen(app, { ...address, port: settings.port }));
    const logs = join(settings.dataDir, "cloudlet", "ids");
    cloudlets.push({
      ...{ id, operator, url, liar },
      mesh: app.ids.mesh as Mesh,
      async journal() {
        const files = (await readdir(logs)).filter((name) => name.startsWith("observations-")).sort();
        const texts = await Promise.all(files.map((name) => readFile(join(logs, name), "utf8")));
        return texts.join("").split("\n");
      },
    });
  }

  const at = (i: number): LabCloudlet => {
    const found = cloudlets[i];
    if (found === undefined) {
      throw new Error(`there is no cloudlet ${i}`);
    }
    return found;
  };

  return {
    cloudlets,
    async patient(handle, from) {
      const { keys, statement } = await createIdentity(suite, clock);
      const password = toHex(randomBytes(12));
      const invitation = (await kdcApp.invitations.create("patient", null)).code;
      await client.register({ invitation, handle, password, identity: statement });
      const session = await client.login(handle, password);
      const keepEpochs = async () => {};
      const owner = createOwner({ suite, clock, keys, session, name: handle, epochs: [], keepEpochs });
      await owner.startEpoch("medical");
      const own = createHttpClient({
        clock,
        fetch: (url, init) =>
          fetch(url, { ...init, headers: { ...(init.headers as object), "X-Forwarded-For": from } }),
      });
      const physiology = createPhysiology({ seed: 7, startTime: clock.now() - DAY_MS });
      const devices = new Map<number, Device>();
      const deviceOf = async (i: number): Promise<Device> => {
        const deviceId = toHex(randomBytes(16));
        const seed = generateSigningSeed();
        const { publicKey } = await importSigningKey(seed);
        const until = clock.now() + DAY_MS;
        const { streamId } = await owner.enrolDevice({
          deviceId,
          signingKey: publicKey,
          region: "medical",
          until,
        });
        const store = await openStore({
          mongodbUrl: undefined,
          database: deviceId,
          directory: join(folder, "devices", deviceId),
        });
        stores.push(store);
        return openDevice({
          pairing: {
            deviceId,
            signingSeed: toHex(seed),
            ownerId: session.account.accountId,
            ownerKey: toBase64Url(keys.signing.publicKey),
            region: "medical",
            streamId,
          },
          ...{ store, suite, clock, http: own, kdc: client, cloudletUrl: at(i).url },
        });
      };
      return {
        async upload(i) {
          const device = devices.get(i) ?? (await deviceOf(i));
          devices.set(i, device);
          await device.record(physiology.nextBatch(2), "regular");
          const receipts: string[] = [];
          try {
            await device.flush(({ status }) => void receipts.push(status));
          } catch (error) {
            if (isMedcloudletError(error)) {
              return error.code;
            }
            throw error;
          }
          return receipts.at(-1) ?? "nothing";
        },
      };
    },
    async knock(i, from, path) {
      const response = await fetch(at(i).url + path, { headers: { "X-Forwarded-For": from } });
      const problem = (await response.json().catch(() => null)) as { code?: unknown } | null;
      return { status: response.status, code: typeof problem?.code === "string" ? problem.code : null };
    },
    async lie(i, about) {
      const liar = planned[i];
      const scanner = SCENARIOS.find(({ id }) => id === "scanner");
      if (liar === undefined || scanner === undefined) {
        throw new Error("there is no such liar");
      }
      const now = clock.now();
      const alert: SharedAlert = {
        id: toHex(randomBytes(16)),
        member: liar.id,
        epoch: pseudonymEpoch(now),
        subject: { kind: "source", shared: at(i).mesh.pseudonyms.now("source", about, now) },
        rule: scanner.id,
        ruleHash: scenarioHash(scanner),
        score: 1,
        count: 1000,
        from: now - 1000,
        to: now,
      };
      const statement = await signAlert({ mesh: meshId, issuedAt: now, alert }, liar.key);
      for (const { url, id } of cloudlets) {
        if (id !== liar.id) {
          await http.json({
            method: "POST",
            url: `${url}/v1/mesh/alerts`,
            credentials: { key: liar.key },
            json: { alerts: [statement] },
          });
        }
      }
    },
    async close() {
      for (const service of running.reverse()) {
        await service.close();
      }
      await Promise.all(stores.map((store) => store.close()));
    },
  };
}
