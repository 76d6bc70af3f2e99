import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  launchCloud,
  launchCloudlet,
  launchKdc,
  meshKeyFile,
  readSettings,
  type ServiceName,
  type SettingName,
} from "../../host/apps/index.ts";
import { randomBytes, systemClock, toBase64Url, toHex } from "../../host/base/index.ts";
import { demoCode, enrolDemoFactor } from "../../host/cli/demo-authenticator.ts";
import { createToolkit, registerPerson, startWork } from "../../host/cli/home.ts";
import { createLog, type RunningService } from "../../host/http/index.ts";
import { loadOrCreateSigningKey } from "../../host/identity/index.ts";
import { signRoster } from "../../host/ids/mesh/index.ts";
import { generateSigningSeed, importSigningKey } from "../../host/sealing/index.ts";

const PASSWORD = "a password of one test";
const PASSPHRASE = "a passphrase of one test";

/** Members of the mesh, each a cloudlet of an operator of its own. */
export const MEMBERS = ["harbour-clinic", "hillside-practice"] as const;

/** A KDC with its page, a cloud, and two cloudlets that are one mesh. Nothing in it is a mock. */
export interface MeshPage {
  readonly cloudlets: readonly string[];
  /** The officer's page with their login. */
  readonly address: string;
  /** As an operator, lets the KDC sign tickets with a new key. */
  turnKeys(): Promise<unknown>;
  close(): Promise<void>;
}

async function freePort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return String(port);
}

export async function startMeshPage(): Promise<MeshPage> {
  const folder = await mkdtemp(join(tmpdir(), "medcloudlet-mesh-page-"));
  const running: RunningService[] = [];
  const close = async () => {
    for (const service of running.reverse()) {
      await service.close();
    }
    await rm(folder, { recursive: true, force: true });
  };
  const optionsOf = (service: ServiceName, dataDir: string, flags: Partial<Record<SettingName, string>>) => ({
    settings: readSettings(service, {
      flags: { dataDir, databasePrefix: `page_${toHex(randomBytes(3))}`, trustProxies: "1", ...flags },
      environment: {},
      file: {},
    }),
    clock: systemClock,
    log: createLog({ service, level: "silent" }),
  });
  try {
    const ports = [await freePort(), await freePort()];
    const cloudlets = ports.map((port) => `http://127.0.0.1:${port}`);
    const cloudPort = await freePort();
    const cloudUrl = `http://127.0.0.1:${cloudPort}`;
    const kdc = await launchKdc({
      ...optionsOf("kdc", folder, { port: "0", cloudUrl, cloudletUrls: cloudlets.join(",") }),
      handOver: true,
    });
    running.push(kdc);
    running.push(await launchCloud(optionsOf("cloud", folder, { port: cloudPort, kdcUrl: kdc.url })));

    const toolkit = await createToolkit(systemClock);
    const addresses = { kdc: kdc.url, cloud: cloudUrl, cloudlet: cloudlets[0] as string };
    const arrive = async (handle: string, name: string, invitation: string) => {
      const home = join(folder, "people", handle);
      await mkdir(home, { recursive: true });
      const person = { home, addresses, password: PASSWORD, passphrase: PASSPHRASE };
      await registerPerson(toolkit, { ...person, invitation, handle, name });
      const code = () => demoCode(home, systemClock);
      const atWork = await startWork(toolkit, { ...person, code });
      await enrolDemoFactor(atWork.session, { home, password: PASSWORD, clock: systemClock });
      return atWork;
    };
    const first = (await readFile(kdc.firstInvitation as string, "utf8")).trim();
    const operator = await arrive("night-shift", "Operator", first);
    const officer = await arrive(
      "watchful-jay",
      "Wren Jay",
      (await operator.session.invite("security-officer")).code,
    );

    const operatorKey = await importSigningKey(generateSigningSeed());
    const members = await Promise.all(
      MEMBERS.map(async (id, i) => {
        await mkdir(join(folder, id, "cloudlet"), { recursive: true });
        const key = await loadOrCreateSigningKey(meshKeyFile("cloudlet", join(folder, id)));
        const signingKey = toBase64Url(key.publicKey);
        return { id, operator: `operator-of-${id}`, url: cloudlets[i] as string, signingKey };
      }),
    );
    const roster = { mesh: toHex(randomBytes(16)), version: 1, createdAt: systemClock.now(), members };
    const meshRoster = join(folder, "roster.jws");
    await writeFile(meshRoster, await signRoster(roster, operatorKey));
    const meshSecret = toHex(randomBytes(32));
    const meshOperators = toBase64Url(operatorKey.publicKey);
    for (const [i, meshMember] of MEMBERS.entries()) {
      const invitation = (await operator.session.invite("cloudlet")).code;
      const own = { port: ports[i] as string, kdcUrl: kdc.url, cloudUrl, invitation };
      running.push(
        await launchCloudlet(
          optionsOf("cloudlet", join(folder, meshMember), {
            ...{ ...own, idsMode: "enforce", idsExemptLoopback: "no" },
            ...{ meshMember, meshSecret, meshOperators, meshRoster },
          }),
        ),
      );
    }
    await officer.backUp();
    const { token, expiresAt } = officer.session;
    const login = { handle: "watchful-jay", passphrase: PASSPHRASE, session: { token, expiresAt } };
    const fragment = Buffer.from(JSON.stringify(login)).toString("base64url");
    return {
      cloudlets,
      address: `${kdc.url}/#login=${fragment}`,
      turnKeys: () => operator.session.rotateTicketKeys({ revoke: false }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
