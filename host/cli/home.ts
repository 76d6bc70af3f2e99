import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import {
  type Clock,
  fromBase64Url,
  isMedcloudletError,
  MedcloudletError,
  toBase64Url,
} from "../base/index.ts";
import {
  createChanges,
  createHttpClient,
  createIdentity,
  createKdcClient,
  createOwner,
  createReader,
  type HttpClient,
  type KdcClient,
  type KdcSession,
  type KeystoreContents,
  type LockedKeystore,
  lockKeystoreWithKey,
  type Owner,
  openIdentity,
  openKeystore,
  type PersonKeys,
  type Reader,
  requirePassphrase,
  syncBackup,
  takeIn,
  unlockKeystore,
} from "../client/index.ts";
import { loadNtru } from "../ntru/index.ts";
import { createSealingSuite, type SealingSuite } from "../sealing/index.ts";
import { readBackupState, writeBackupState } from "./backup-file.ts";
import { forgetSession, type LoginSecrets, openSession } from "./kept-session.ts";
import { writePrivateFile } from "./private-file.ts";

export { DEFAULT_HOME } from "./command.ts";
export { writePrivateFile } from "./private-file.ts";

const ADDRESSES = z.strictObject({ kdc: z.url(), cloud: z.url(), cloudlet: z.url() });
/** Where the services are. */
export type Addresses = z.infer<typeof ADDRESSES>;

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
  /**
   * Locks and writes the keystore again with changes, and backs it up where that is switched on.
   * @throws MedcloudletError `KEYSTORE_PASSPHRASE_CHANGED` where another command gave it another passphrase meanwhile
   */
  save(changes: Partial<KeystoreContents>): Promise<void>;
  /**
   * Locks the keystore with another passphrase, and the backup that this home made, too.
   * @returns the renewed backup's version, or null where this home made none
   * @throws MedcloudletError `KEYSTORE_PASSPHRASE_WEAK`, `BACKUP_NOT_RENEWED` where the keystore is done and the backup
   *   is not
   */
  changePassphrase(next: string): Promise<number | null>;
  /** Whether a passphrase is the one in force. */
  hasPassphrase(other: string): boolean;
  /**
   * Backs the keystore up at the KDC and gives the backup's version. What another machine of the same person kept there
   * is taken in first.
   * @throws MedcloudletError `KEYSTORE_PASSPHRASE_CHANGED`, `KEYSTORE_FOREIGN`
   */
  backUp(): Promise<number>;
  /** Takes in what another machine of the same person kept, where this home backs up by itself. */
  catchUpWithBackup(): Promise<void>;
  /** Ends the session that is kept for the next command. */
  logout(): Promise<void>;
}

const keystoreFile = (home: string) => join(home, "keystore.json");
const addressesFile = (home: string) => join(home, "addresses.json");

/** The text of a file, or undefined where there is none. */
export async function readText(file: string): Promise<string | undefined> {
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
  requirePassphrase(input.passphrase);
  await requireEmptyHome(home);
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
  await keepContents(home, contents, input.passphrase);
  await keepAddresses(home, addresses);
  return contents;
}

/** Makes a home's folder, which must not hold keys yet. @throws MedcloudletError `CLI_HOME_TAKEN` */
export async function requireEmptyHome(home: string): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  if ((await readText(keystoreFile(home))) !== undefined) {
    throw new MedcloudletError(
      "CLI_HOME_TAKEN",
      `${home} holds somebody's keys already: choose another with --home.`,
    );
  }
}

/** Locks contents into a home. @throws MedcloudletError `KEYSTORE_PASSPHRASE_WEAK` */
export async function keepContents(
  home: string,
  contents: KeystoreContents,
  passphrase: string,
): Promise<LockedKeystore> {
  const locked = await lockKeystoreWithKey(contents, passphrase);
  await writePrivateFile(keystoreFile(home), locked.text);
  return locked;
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

/** Unlocks a home and goes on with its session, or logs in. */
export async function startWork(
  { suite, http, clock }: Toolkit,
  input: LoginSecrets & {
    readonly home: string;
    readonly addresses: Addresses;
    readonly passphrase: string;
  },
): Promise<PersonAtWork> {
  const { home, addresses } = input;
  let { passphrase } = input;
  let seen = await requireHome(home);
  let opened = await openKeystore(seen, passphrase);
  const { contents } = opened;
  const keys = await openIdentity(suite, {
    signingSeed: fromBase64Url(contents.signingSeed),
    receivingKey: fromBase64Url(contents.receivingKey),
  });
  const kdc = createKdcClient({ http, url: addresses.kdc, accountKey: keys.signing });
  const place = { home, kdcUrl: addresses.kdc, signingSeed: fromBase64Url(contents.signingSeed) };
  const session = await openSession({ kdc, clock, place, handle: contents.handle }, input);
  let current = contents;

  const changes = createChanges();

  /** Writes the keystore, unless another command changed the passphrase: its old one must not come back. */
  const keep = async (): Promise<LockedKeystore> => {
    const now = await requireHome(home);
    if (now !== seen) {
      await opened.openCopy(now).catch((cause) => {
        throw new MedcloudletError(
          "KEYSTORE_PASSPHRASE_CHANGED",
          "Another command changed the passphrase meanwhile, so this change was not kept: run the command again.",
          { status: 409, cause },
        );
      });
    }
    const locked = await opened.relock(current);
    await writePrivateFile(keystoreFile(home), locked.text);
    seen = locked.text;
    return locked;
  };

  const takeOver = async (merged: KeystoreContents): Promise<void> => {
    changes.noteTakenIn(current, merged);
    current = merged;
    await keep();
  };

  const sendBackup = async (first?: LockedKeystore): Promise<number> => {
    const state = await readBackupState(home);
    const ours = current;
    const { contents: synced, version } = await syncBackup({
      ...{ session, suite, keys },
      ...{ contents: ours, version: state.version, openCopy: opened.openCopy },
      lock: async (contents) => (first !== undefined && contents === ours ? first : opened.relock(contents)),
    });
    if (synced !== ours) {
      await takeOver(synced);
    }
    await writeBackupState(home, { ...state, version });
    return version;
  };

  /** What is wrong with the backup says the first change that is to be kept there; until then work goes on. */
  const takeInNewer = async (): Promise<void> => {
    const state = await readBackupState(home);
    try {
      const { contents, version } = await takeIn({ session, contents: current, openCopy: opened.openCopy });
      if (version > state.version) {
        await takeOver(contents);
        await writeBackupState(home, { ...state, version });
      }
    } catch (error) {
      const passing = ["KEYSTORE_PASSPHRASE_CHANGED", "KEYSTORE_MALFORMED", "BACKUP_MISSING"];
      if (!isMedcloudletError(error) || !passing.includes(error.code)) {
        throw error;
      }
    }
  };

  return {
    addresses,
    get contents() {
      return current;
    },
    keys,
    kdc,
    session,
    async save(changed) {
      current = changes.apply(current, changed);
      const locked = await keep();
      if ((await readBackupState(home)).automatic) {
        await sendBackup(locked);
      }
    },
    async catchUpWithBackup() {
      if ((await readBackupState(home)).automatic) {
        await takeInNewer();
      }
    },
    async changePassphrase(next) {
      requirePassphrase(next);
      const { version } = await readBackupState(home);
      if (version > 0) {
        // What another machine kept has the old passphrase still.
        await takeInNewer();
      }
      const locked = await lockKeystoreWithKey(current, next);
      await writePrivateFile(keystoreFile(home), locked.text);
      seen = locked.text;
      passphrase = next;
      opened = await openKeystore(locked.text, next);
      if ((await readBackupState(home)).version === 0) {
        return null;
      }
      try {
        return await sendBackup(locked);
      } catch (cause) {
        const why = cause instanceof Error ? ` (${cause.message})` : "";
        throw new MedcloudletError(
          "BACKUP_NOT_RENEWED",
          `The keystore has the new passphrase, but its backup at the KDC still has the old one${why}: run \`medcloudlet account backup\`.`,
          { status: isMedcloudletError(cause) ? cause.status : 500, cause },
        );
      }
    },
    hasPassphrase: (other) => other.normalize("NFKC") === passphrase.normalize("NFKC"),
    backUp: () => sendBackup(),
    async logout() {
      await forgetSession(place);
      await session.logout();
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
