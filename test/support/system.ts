import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCloudApp, createCloudletApp, createKdcApp } from "../../host/apps/index.ts";
import { createAuditLog } from "../../host/audit/index.ts";
import { type Clock, randomBytes, toBase64Url, toHex } from "../../host/base/index.ts";
import {
  createHttpClient,
  createIdentity,
  createKdcClient,
  createOwner,
  createReader,
  type Fetch,
  type KdcSession,
  type Owner,
  type PersonKeys,
  personFingerprint,
  type Reader,
} from "../../host/client/index.ts";
import { createLog, errorFields, listen, type RunningService, type Service } from "../../host/http/index.ts";
import { openTicketKeyRing, type Role, type TicketKeyRing } from "../../host/identity/index.ts";
import type { Ids, IdsParts } from "../../host/ids/live/index.ts";
import type { Mesh, MeshSettings } from "../../host/ids/mesh/index.ts";
import { loadNtru } from "../../host/ntru/index.ts";
import {
  createSealingSuite,
  generateSigningSeed,
  importSigningKey,
  type Region,
  type SealingSuite,
  type SigningKey,
} from "../../host/sealing/index.ts";
import { createEmbeddedStore, type Store } from "../../host/store/index.ts";
import { type Device, openDevice, type Pairing } from "../../host/wearable/index.ts";
import { type Authenticator, attended, enrol } from "./authenticator.ts";
import type { Backend } from "./stores.ts";

export const DAY_MS = 24 * 60 * 60 * 1000;
export const PASSWORD = "correct horse battery staple";

/** A clock that tests set. */
export function createTestClock(start = Date.now()): Clock & { advance(ms: number): void } {
  let offset = 0;
  const origin = Date.now();
  return {
    now: () => start + (Date.now() - origin) + offset,
    advance(ms) {
      offset += ms;
    },
  };
}

/** Somebody with an account, logged in. */
export interface Person {
  readonly keys: PersonKeys;
  readonly session: KdcSession;
  readonly secrets: readonly Uint8Array[];
}

export interface Patient extends Person {
  readonly owner: Owner;
}

export interface Doctor extends Person {
  readonly handle: string;
  /** What patients compare before they share. */
  readonly fingerprint: string;
  readonly reader: Reader;
}

/** KDC, cloud and cloudlet on loopback ports, and ways to make people and devices. Nothing in it is a mock. */
export interface System {
  readonly clock: Clock & { advance(ms: number): void };
  readonly suite: SealingSuite;
  readonly kdc: RunningService;
  readonly cloud: RunningService;
  readonly cloudlet: RunningService;
  readonly stores: Readonly<Record<"kdc" | "cloud" | "cloudlet", Store>>;
  /** What each service serves. */
  readonly services: Readonly<
    Record<
      "kdc" | "cloud" | "cloudlet",
      Pick<Service, "app" | "endpoints"> & { readonly ids: Ids & { readonly mesh: Mesh | null } }
    >
  >;
  /** The cloudlet's account and key. */
  readonly cloudletAccount: { readonly accountId: string; readonly key: SigningKey };
  /** Who may sign the roster of the mesh that the services could take part in. */
  readonly meshOperator: SigningKey;
  /** Every log line of the three services. */
  readonly logLines: string[];
  operator: Person;
  /** An invitation by whoever may make it. */
  invitation(role: Role): Promise<string>;
  person(role: Role, handle: string): Promise<Person>;
  /** A code that the KDC has not seen, of staff that this system made; uses up time where it must. */
  code(handle: string): string;
  /** The secret of a second factor, base32, of staff that this system made. */
  secondFactor(handle: string): string;
  /** Another session of anybody that this system made. */
  login(handle: string): Promise<KdcSession>;
  patient(handle: string, name: string): Promise<Patient>;
  doctor(handle: string): Promise<Doctor>;
  device(patient: Patient, region?: Region): Promise<{ device: Device; pairing: Pairing; store: Store }>;
  stop(): Promise<void>;
}

/** A ring of ticket keys that is kept nowhere. */
export function ticketKeyRing(clock: Clock): Promise<TicketKeyRing> {
  return openTicketKeyRing({ clock, kept: undefined, keep: async () => {}, rotateEveryMs: 30 * DAY_MS });
}

const RATE_LIMIT = { points: 1_000_000, seconds: 1 };

export async function startSystem(
  backend: Backend,
  options: {
    /** The intrusion detection of the three services. It only simulates unless told to enforce: tests do what attackers do. */
    readonly ids?: Partial<IdsParts["settings"]>;
    /** Proxies in front, whose word on clients' addresses counts. */
    readonly trustProxies?: number;
    /** The cloudlet's way to KDC and cloud: a test can cut it. */
    readonly cloudletFetch?: Fetch;
    /** How often the KDC looks for emergencies that ended by themselves, ms. */
    readonly expiriesEveryMs?: number;
  } = {},
): Promise<System> {
  const clock = createTestClock();
  const logLines: string[] = [];
  const logOf = (service: string) =>
    createLog({ service, level: "debug", destination: { write: (line) => void logLines.push(line) } });
  const suite = createSealingSuite(await loadNtru("ntruhps2048677"));
  const stores = {
    kdc: await backend.open("kdc"),
    cloud: await backend.open("cloud"),
    cloudlet: await backend.open("cloudlet"),
  };
  const common = { clock, rateLimit: RATE_LIMIT, trustProxies: options.trustProxies ?? 0 };
  const ids = (): IdsParts => ({ settings: { key: randomBytes(32), mode: "simulate", ...options.ids } });
  const meshOperator = await importSigningKey(generateSigningSeed());
  const meshSecret = randomBytes(32);
  const mesh = async (self: string): Promise<MeshSettings> => ({
    self,
    key: await importSigningKey(generateSigningSeed()),
    secret: meshSecret,
    anchors: [toBase64Url(meshOperator.publicKey)],
  });
  const address = { host: "127.0.0.1", port: 0, graceMs: 500 };

  const kdcApp = await createKdcApp({
    ...common,
    store: stores.kdc,
    log: logOf("kdc"),
    ticketKeys: await ticketKeyRing(clock),
    audit: await createAuditLog({
      store: stores.kdc,
      clock,
      key: await importSigningKey(generateSigningSeed()),
      onTrouble: (error) => logOf("kdc").error({ event: "audit_head_failed", ...errorFields(error) }),
    }),
    factorKey: randomBytes(32),
    ...(options.expiriesEveryMs === undefined ? {} : { expiriesEveryMs: options.expiriesEveryMs }),
    ids: ids(),
    mesh: await mesh("kdc"),
  });
  const kdc = await listen(kdcApp, { ...address, log: logOf("kdc") });
  const http = createHttpClient({ clock });
  const client = createKdcClient({ http, url: kdc.url });

  const authenticators = new Map<string, Authenticator>();
  const authenticatorOf = (handle: string): Authenticator => {
    const authenticator = authenticators.get(handle);
    if (authenticator === undefined) {
      throw new Error(`${handle} has no second factor here`);
    }
    return authenticator;
  };
  const codeOf = (handle: string): string => authenticatorOf(handle).code();
  const loginAs = (handle: string) =>
    client.login(handle, PASSWORD, authenticators.has(handle) ? { code: codeOf(handle) } : {});
  const register = async (code: string, handle: string): Promise<Person> => {
    const { secrets, keys, statement } = await createIdentity(suite, clock);
    await client.register({ invitation: code, handle, password: PASSWORD, identity: statement });
    let session = await client.login(handle, PASSWORD);
    if (session.secondFactor === "missing") {
      const { authenticator } = await enrol(session, PASSWORD, clock);
      authenticators.set(handle, authenticator);
      session = attended(session, clock, () => loginAs(handle));
    }
    return {
      keys,
      session,
      secrets: [secrets.signingSeed, secrets.receivingKey],
    };
  };
  const operator = await register((await kdcApp.invitations.create("operator", null)).code, "operator");
  // The first security officer is invited by the operator, the others by the first.
  let officer: Person | undefined;
  const invited = async (role: string) =>
    (await (role === "security-officer" ? (officer ?? operator) : operator).session.invite(role)).code;

  const cloudletIdentity = await createIdentity(suite, clock);
  const { accountId: cloudletId } = await client.register({
    invitation: await invited("cloudlet"),
    handle: "cloudlet-one",
    identity: cloudletIdentity.statement,
  });

  const cloudApp = await createCloudApp({
    ...common,
    store: stores.cloud,
    log: logOf("cloud"),
    kdcUrl: kdc.url,
    ids: ids(),
    mesh: await mesh("cloud"),
  });
  const cloud = await listen(cloudApp, { ...address, log: logOf("cloud") });
  const cloudletApp = await createCloudletApp({
    ...common,
    store: stores.cloudlet,
    log: logOf("cloudlet"),
    kdcUrl: kdc.url,
    cloudUrl: cloud.url,
    cloudletId,
    key: cloudletIdentity.keys.signing,
    spoolCapacity: 10_000,
    ...(options.cloudletFetch === undefined ? {} : { fetch: options.cloudletFetch }),
    ids: ids(),
    mesh: await mesh("cloudlet"),
  });
  const cloudlet = await listen(cloudletApp, { ...address, log: logOf("cloudlet") });
  const deviceStores: Store[] = [];

  return {
    clock,
    suite,
    kdc,
    cloud,
    cloudlet,
    stores,
    services: { kdc: kdcApp, cloud: cloudApp, cloudlet: cloudletApp },
    cloudletAccount: { accountId: cloudletId, key: cloudletIdentity.keys.signing },
    meshOperator,
    logLines,
    operator,
    invitation: invited,
    async person(role, handle) {
      const person = await register(await invited(role), handle);
      officer ??= role === "security-officer" ? person : undefined;
      return person;
    },
    code: codeOf,
    secondFactor: (handle) => authenticatorOf(handle).secret,
    login: loginAs,
    async patient(handle, name) {
      const person = await register(await invited("patient"), handle);
      return {
        ...person,
        owner: createOwner({ suite, clock, ...person, name, epochs: [], keepEpochs: async () => {} }),
      };
    },
    async doctor(handle) {
      const person = await register(await invited("doctor"), handle);
      return {
        ...person,
        handle,
        fingerprint: personFingerprint(person.keys),
        reader: createReader({ suite, clock, http, ...person, cloudUrl: cloud.url }),
      };
    },
    async device(patient, region = "medical") {
      const deviceId = toHex(randomBytes(16));
      const seed = generateSigningSeed();
      const { publicKey } = await importSigningKey(seed);
      const until = clock.now() + 365 * DAY_MS;
      const { streamId } = await patient.owner.enrolDevice({
        deviceId,
        signingKey: publicKey,
        region,
        until,
      });
      const pairing: Pairing = {
        deviceId,
        signingSeed: toHex(seed),
        ownerId: patient.session.account.accountId,
        ownerKey: toBase64Url(patient.keys.signing.publicKey),
        region,
        streamId,
      };
      const store = createEmbeddedStore({ directory: await mkdtemp(join(tmpdir(), "medcloudlet-device-")) });
      deviceStores.push(store);
      const device = await openDevice({
        pairing,
        store,
        suite,
        clock,
        http,
        kdc: client,
        cloudletUrl: cloudlet.url,
      });
      return { device, pairing, store };
    },
    async stop() {
      await cloudlet.close();
      await cloud.close();
      await kdc.close();
      await Promise.all(deviceStores.map((store) => store.close()));
    },
  };
}

/** Waits until `condition` holds. */
export async function eventually(condition: () => Promise<boolean>, withinMs = 15_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > end) {
      throw new Error("the condition did not come true in time");
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Every document of a store with its collection. */
export async function dumpOf(
  store: Store,
): Promise<{ collection: string; document: Record<string, unknown> }[]> {
  const documents = [];
  for await (const entry of store.dump()) {
    documents.push(entry);
  }
  return documents;
}
