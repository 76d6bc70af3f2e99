import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { type Clock, fromBase64Url, MedcloudletError, toBase64Url } from "../base/index.ts";
import {
  createHttpClient,
  createIdentity,
  createKdcClient,
  createOwner,
  createReader,
  type HttpClient,
  type KdcClient,
  type KdcSession,
  type KeystoreContents,
  lockKeystore,
  type Owner,
  openIdentity,
  type PersonKeys,
  type Reader,
  unlockKeystore,
} from "../client/index.ts";
import { loadNtru } from "../ntru/index.ts";
import { createSealingSuite, type SealingSuite } from "../sealing/index.ts";

const ADDRESSES = z.strictObject({ kdc: z.url(), cloud: z.url(), cloudlet: z.url() });
/** Where the services are. */
export type Addresses = z.infer<typeof ADDRESSES>;

export const DEFAULT_HOME = join(homedir(), ".medcloudlet");
export const DEFAULT_ADDRESSES: Addresses = {
  kdc: "http://127.0.0.1:4701",
  cloud: "http://127.0.0.1:4702",
  cloudlet: "http://127.0.0.1:4703",
};

/** Tools that every command of a person or device needs. */
export interface Toolkit {
  readonly suite: SealingSuite;
  readonly http: HttpClient;
  readonly clock: Clock;
}

export async function createToolkit(clock: Clock): Promise<Toolkit> {
  return {
    suite: createSealingSuite(await loadNtru("ntruhps2048677")),
    http: createHttpClient({ clock }),
    clock,
  };
}

/** A person at work: keys unlocked, logged in. */
export interface PersonAtWork {
  readonly addresses: Addresses;
  readonly contents: KeystoreContents;
  readonly keys: PersonKeys;
  readonly kdc: KdcClient;
  readonly session: KdcSession;
  /** Locks and writes the keystore again with changes. */
  save(changes: Partial<KeystoreContents>): Promise<void>;
}

const keystoreFile = (home: string) => join(home, "keystore.json");
const addressesFile = (home: string) => join(home, "addresses.json");

/** Writes a file as a whole, for its owner alone: after a crash the old or the new one is there. */
export async function writePrivateFile(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

async function readText(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch(() => undefined);
}

/** The addresses kept in a home, or the defaults. */
export async function readAddresses(home: string, given: Partial<Addresses> = {}): Promise<Addresses> {
  const text = await readText(addressesFile(home));
  const kept = text === undefined ? DEFAULT_ADDRESSES : ADDRESSES.parse(JSON.parse(text));
  const parsed = ADDRESSES.safeParse({ ...kept, ...given });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new MedcloudletError(
      "CLI_ADDRESS",
      `--${issue?.path.join(".")}: expected a URL such as http://127.0.0.1:4701`,
    );
  }
  return parsed.data;
}

/** Keeps the addresses in a person's home or a device's folder. */
export function keepAddresses(folder: string, addresses: Addresses): Promise<void> {
  return writePrivateFile(addressesFile(folder), `${JSON.stringify(addresses, null, 2)}\n`);
}

/**
 * Makes an identity, registers it, and keeps its keys in `home`.
 * @throws MedcloudletError `CLI_HOME_TAKEN`, and the KDC's refusals
 */
export async function registerPerson(
  { suite, http, clock }: Toolkit,
  input: {
    readonly home: string;
    readonly addresses: Addresses;
    readonly invitation: string;
    readonly handle: string;
    readonly name: string;
    readonly password: string;
    readonly passphrase: string;
  },
): Promise<KeystoreContents> {
  const { home, addresses } = input;
  await mkdir(home, { recursive: true, mode: 0o700 });
  if ((await readText(keystoreFile(home))) !== undefined) {
    throw new MedcloudletError(
      "CLI_HOME_TAKEN",
      `${home} holds somebody's keys already: choose another with --home.`,
    );
  }
  const { secrets, statement } = await createIdentity(suite, clock);
  const { accountId, handle, role } = await createKdcClient({ http, url: addresses.kdc }).register({
    invitation: input.invitation,
    handle: input.handle,
    password: input.password,
    identity: statement,
  });
  const contents: KeystoreContents = {
    accountId,
    handle,
    role,
    name: input.name,
    signingSeed: toBase64Url(secrets.signingSeed),
    receivingKey: toBase64Url(secrets.receivingKey),
    epochs: [],
    known: {},
  };
  await writePrivateFile(keystoreFile(home), await lockKeystore(contents, input.passphrase));
  await keepAddresses(home, addresses);
  return contents;
}

/** The locked keystore of a home; asked for before any secret is. @throws MedcloudletError `CLI_HOME_EMPTY` */
export async function requireHome(home: string): Promise<string> {
  const text = await readText(keystoreFile(home));
  if (text === undefined) {
    throw new MedcloudletError(
      "CLI_HOME_EMPTY",
      `There are no keys in ${home}: make some with \`medcloudlet keys register\`, or name another --home.`,
    );
  }
  return text;
}

/** Reads and unlocks the keystore of a home. @throws MedcloudletError `CLI_HOME_EMPTY`, `KEYSTORE_PASSPHRASE` */
export async function openHome(home: string, passphrase: string): Promise<KeystoreContents> {
  return unlockKeystore(await requireHome(home), passphrase);
}

/** Unlocks a home and logs in. */
export async function startWork(
  { suite, http }: Toolkit,
  input: {
    readonly home: string;
    readonly addresses: Addresses;
    readonly password: string;
    readonly passphrase: string;
  },
): Promise<PersonAtWork> {
  const { home, addresses, passphrase } = input;
  const contents = await openHome(home, passphrase);
  const keys = await openIdentity(suite, {
    signingSeed: fromBase64Url(contents.signingSeed),
    receivingKey: fromBase64Url(contents.receivingKey),
  });
  const kdc = createKdcClient({ http, url: addresses.kdc });
  let current = contents;
  return {
    addresses,
    contents,
    keys,
    kdc,
    session: await kdc.login(contents.handle, input.password),
    async save(changes) {
      current = { ...current, ...changes };
      await writePrivateFile(keystoreFile(home), await lockKeystore(current, passphrase));
    },
  };
}

/** The owner's side of a person. */
export function ownerOf({ suite, clock }: Toolkit, person: PersonAtWork): Owner {
  return createOwner({
    suite,
    clock,
    session: person.session,
    keys: person.keys,
    name: person.contents.name,
    epochs: person.contents.epochs.map((epoch) => ({
      ...epoch,
      privateKey: fromBase64Url(epoch.privateKey),
    })),
    keepEpochs: (epochs) =>
      person.save({
        epochs: epochs.map((epoch) => ({ ...epoch, privateKey: toBase64Url(epoch.privateKey) })),
      }),
    revocations: {
      known: person.contents.revocations ?? [],
      keep: (revocations) => person.save({ revocations: [...revocations] }),
    },
  });
}

/** The reader's side of a person. */
export function readerOf({ suite, clock, http }: Toolkit, person: PersonAtWork): Reader {
  return createReader({
    suite,
    clock,
    http,
    session: person.session,
    keys: person.keys,
    cloudUrl: person.addresses.cloud,
  });
}
