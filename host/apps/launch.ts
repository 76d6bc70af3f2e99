import { existsSync } from "node:fs";
import { access, chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { type AuditLog, createAuditLog, openWitnessFile } from "../audit/index.ts";
import {
  type Bytes,
  bareUrl,
  type Clock,
  fromHex,
  MedcloudletError,
  randomBytes,
  toHex,
} from "../base/index.ts";
import { createHttpClient, createIdentity, createKdcClient } from "../client/index.ts";
import { errorFields, type Log, listen, type PageOptions, type RunningService } from "../http/index.ts";
import {
  loadOrCreateSecret,
  loadOrCreateSigningKey,
  moveFactors,
  openTicketKeyRing,
  type TicketKeyRing,
  type TicketKeyState,
} from "../identity/index.ts";
import { loadNtru } from "../ntru/index.ts";
import { createSealingSuite, idSchema, importSigningKey, type SigningKey } from "../sealing/index.ts";
import { openStore, type Store } from "../store/index.ts";
import { createCloudApp } from "./cloud.ts";
import { createCloudletApp } from "./cloudlet.ts";
import { readIdsParts } from "./ids-parts.ts";
import { createKdcApp } from "./kdc.ts";
import { readMeshSettings } from "./mesh-settings.ts";
import type { Settings } from "./settings.ts";

/** What every launcher gets. */
export interface LaunchOptions {
  readonly settings: Settings;
  /** True at a demo: its page takes a login from the address, which anybody could write into a link. */
  readonly handOver?: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

const RATE_SECONDS = 10;

export function commonOf({ settings, clock, log }: LaunchOptions) {
  return {
    clock,
    log,
    rateLimit: { points: settings.rateLimit, seconds: RATE_SECONDS },
    trustProxies: settings.trustProxies,
  };
}

export function addressOf({ settings, log }: LaunchOptions) {
  const { host, port, publicUrl } = settings;
  return {
    host,
    port,
    log,
    ...(publicUrl === undefined ? {} : { publicUrl: bareUrl(publicUrl) }),
  };
}

/** Opens a service's store for `launch`, and closes it again when the launch fails. */
export async function withStore<T>(
  { settings }: LaunchOptions,
  service: string,
  launch: (store: Store) => Promise<T>,
): Promise<T> {
  const store = await openStore({
    mongodbUrl: settings.mongodbUrl,
    database: `${settings.databasePrefix}_${service}`,
    directory: join(settings.dataDir, service),
  });
  try {
    return await launch(store);
  } catch (error) {
    await store.close();
    throw error;
  }
}

type Kdc = Awaited<ReturnType<typeof createKdcApp>>;

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * The KDC's ticket keys, in a file that only its user can read. It lies beside the database, not in it: whoever copies
 * the database gets no key.
 */
async function openTicketKeys({ settings, clock }: LaunchOptions, file: string): Promise<TicketKeyRing> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") {
      return undefined;
    }
    throw error;
  });
  try {
    return await openTicketKeyRing({
      clock,
      kept: text === undefined ? undefined : JSON.parse(text),
      keep: (state) => replaceFile(file, state),
      rotateEveryMs: settings.ticketKeyDays * DAY_MS,
    });
  } catch (cause) {
    throw new MedcloudletError(
      "TICKET_KEY_FILE",
      `${file} cannot be used: restore it from the backup, or remove it to begin with a new key.`,
      { cause },
    );
  }
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/**
 * Locks second factors with the new key where an operator put the earlier one aside, and destroys that. Cut off anywhere,
 * the next start goes on: the earlier key is there until nothing needs it.
 */
async function exchangeFactorKey(
  { log }: LaunchOptions,
  store: Store,
  factorKey: Bytes,
  previous: string,
): Promise<void> {
  if (!(await exists(previous))) {
    return;
  }
  const { moved, unreadable } = await moveFactors(store, {
    from: await loadOrCreateSecret(previous),
    to: factorKey,
  });
  await rm(previous);
  log.info({ event: "factor_key_exchanged", count: moved });
  if (unreadable > 0) {
    log.error({ event: "second_factors_unreadable", count: unreadable });
  }
}

/** The key that hands the audit log over to a new one; an operator puts it there for that. */
async function previousAuditKey(file: string): Promise<{ previousKey?: SigningKey }> {
  return (await exists(file)) ? { previousKey: await loadOrCreateSigningKey(file) } : {};
}

/**
 * The KDC's audit log. Its key and the witness of its heads lie beside the database: whoever edits the database cannot
 * edit those.
 */
async function openAudit({ clock, log }: LaunchOptions, store: Store, folder: string): Promise<AuditLog> {
  return createAuditLog({
    store,
    clock,
    key: await loadOrCreateSigningKey(join(folder, "audit-key")),
    ...(await previousAuditKey(join(folder, "audit-key.previous"))),
    witness: await openWitnessFile(join(folder, "audit-witness")),
    onTrouble: (error) => log.error({ event: "audit_head_failed", ...errorFields(error) }),
  });
}

/**
 * Starts the KDC. As long as it has no operator, each start writes an invitation for the first into a file that only
 * its user can read, and `firstInvitation` names that file. Once there is one the file goes.
 */
export async function launchKdc(
  options: LaunchOptions,
): Promise<RunningService & { readonly firstInvitation?: string }> {
  const folder = join(options.settings.dataDir, "kdc");
  const ticketKeys = await openTicketKeys(options, join(folder, "ticket-keys.json"));
  const factorKey = await loadOrCreateSecret(join(folder, "factor-key"));
  const firstInvitation = join(folder, "first-operator-invitation");
  const withdraw = async ({ invitations }: Kdc) => {
    await invitations.withdrawFirst();
    await rm(firstInvitation, { force: true });
  };
  return withStore(options, "kdc", async (store) => {
    await exchangeFactorKey(options, store, factorKey, join(folder, "factor-key.previous"));
    const audit = await openAudit(options, store, folder);
    const service: Kdc = await createKdcApp({
      ...commonOf(options),
      store,
      ticketKeys,
      audit,
      factorKey,
      ...pageOf(options),
      ids: await readIdsParts("kdc", options),
      mesh: await readMeshSettings("kdc", options.settings),
      onRegistered: async ({ role }) => {
        if (role === "operator") {
          await withdraw(service);
        }
      },
    });
    // One at a time: a code from an earlier start may lie somewhere still.
    await withdraw(service);
    if (await service.hasOperator()) {
      return listen(service, addressOf(options));
    }
    const { code } = await service.invitations.create("operator", null);
    await writeFile(firstInvitation, `${code}\n`, { mode: 0o600 });
    options.log.info({ event: "first_invitation_written", file: firstInvitation });
    return { ...(await listen(service, addressOf(options))), firstInvitation };
  });
}

/** The built page, where there is one: whoever runs from sources without building has none. */
function pageOf({ settings, log, handOver = false }: LaunchOptions): { readonly page?: PageOptions } {
  const folder = import.meta.url.endsWith(".ts") ? "../../build/web/" : "../../web/";
  const directory = fileURLToPath(new URL(folder, import.meta.url));
  if (!existsSync(join(directory, "index.html"))) {
    return {};
  }
  const cloudUrl = bareUrl(settings.cloudUrl);
  const cloudletUrls = settings.cloudletUrls.map(bareUrl);
  return {
    page: {
      directory,
      settings: { cloudUrl, cloudletUrls, ...(handOver ? { handOver: "demo" } : {}) },
      connectTo: [...new Set([cloudUrl, ...cloudletUrls].map((url) => new URL(url).origin))],
      log,
    },
  };
}

/** Where people's browsers have the page from: it may ask this service, too. */
function pageOriginOf({ settings: { pageOrigin, kdcUrl } }: LaunchOptions): string {
  return new URL(pageOrigin ?? kdcUrl).origin;
}

/** Starts the cloud. */
export function launchCloud(options: LaunchOptions): Promise<RunningService> {
  return withStore(options, "cloud", async (store) => {
    const { kdcUrl } = options.settings;
    const service = await createCloudApp({
      ...commonOf(options),
      store,
      kdcUrl,
      pageOrigin: pageOriginOf(options),
      acknowledgementKey: await loadOrCreateSigningKey(
        join(options.settings.dataDir, "cloud", "acknowledgement-key"),
      ),
      ids: await readIdsParts("cloud", options),
      mesh: await readMeshSettings("cloud", options.settings),
    });
    return listen(service, addressOf(options));
  });
}

const REGISTRATION = z.strictObject({
  signingSeed: z.string().regex(/^[0-9a-f]{64}$/),
  /** Null between making the key and the KDC's answer. */
  cloudletId: idSchema.nullable(),
  /** What `account suspend` calls the account; files of earlier versions do not say it. */
  handle: z.string().optional(),
});
type Registration = z.infer<typeof REGISTRATION>;

/** Replaces a file as a whole: after a crash the old or the new one is there. */
async function replaceFile(file: string, content: Registration | TicketKeyState): Promise<void> {
  const draft = `${file}.new`;
  await writeFile(draft, `${JSON.stringify(content)}\n`, { mode: 0o600, flush: true });
  await chmod(draft, 0o600);
  await rename(draft, file);
}

function parseRegistration(text: string, file: string): Registration {
  try {
    return REGISTRATION.parse(JSON.parse(text));
  } catch (cause) {
    throw new MedcloudletError(
      "CLOUDLET_REGISTRATION_DAMAGED",
      `${file} is damaged: restore it from the backup, or remove it and start with a new invitation.`,
      { status: 400, cause },
    );
  }
}

/** The cloudlet's key and account; registers it at the KDC when it has none. */
async function registerCloudlet({
  settings,
  clock,
}: LaunchOptions): Promise<{ cloudletId: string; key: SigningKey }> {
  const folder = join(settings.dataDir, "cloudlet");
  const file = join(folder, "registration.json");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text !== undefined) {
    const { cloudletId, signingSeed } = parseRegistration(text, file);
    if (cloudletId !== null) {
      return { cloudletId, key: await importSigningKey(fromHex(signingSeed)) };
    }
  }
  if (settings.invitation === undefined) {
    throw new MedcloudletError(
      "CLOUDLET_NOT_REGISTERED",
      "This cloudlet is new to the KDC: an operator makes an invitation with `medcloudlet keys invite --role " +
        "cloudlet > FILE`, and you start the cloudlet once with MEDCLOUDLET_INVITATION_FILE=FILE.",
      { status: 400 },
    );
  }
  const suite = createSealingSuite(await loadNtru("ntruhps2048677"));
  const { secrets, statement } = await createIdentity(suite, clock);
  const signingSeed = toHex(secrets.signingSeed);
  const handle = `cloudlet-${toHex(randomBytes(4))}`;
  await replaceFile(file, { signingSeed, cloudletId: null, handle });
  const kdc = createKdcClient({ http: createHttpClient({ clock }), url: settings.kdcUrl });
  const { accountId } = await kdc.register({
    invitation: settings.invitation,
    handle,
    identity: statement,
  });
  await replaceFile(file, { signingSeed, cloudletId: accountId, handle });
  return { cloudletId: accountId, key: await importSigningKey(secrets.signingSeed) };
}

/**
 * Starts a cloudlet; at the first start it registers with its invitation.
 * @throws MedcloudletError `CLOUDLET_NOT_REGISTERED`, `INVITATION_INVALID`
 */
export async function launchCloudlet(options: LaunchOptions): Promise<RunningService> {
  const { kdcUrl, cloudUrl, spoolCapacity } = options.settings;
  const { cloudletId, key } = await registerCloudlet(options);
  return withStore(options, "cloudlet", async (store) => {
    const service = await createCloudletApp({
      ...commonOf(options),
      store,
      kdcUrl,
      cloudUrl,
      cloudletId,
      key,
      spoolCapacity,
      pageOrigin: pageOriginOf(options),
      ids: await readIdsParts("cloudlet", options),
      mesh: await readMeshSettings("cloudlet", options.settings),
    });
    return listen(service, addressOf(options));
  });
}
