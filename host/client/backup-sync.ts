import { isMedcloudletError, MedcloudletError } from "../base/index.ts";
import type { SealingSuite } from "../sealing/index.ts";
import type { KdcSession } from "./kdc-client.ts";
import type { KeystoreContents, LockedKeystore } from "./keystore.ts";
import { inOrder, mergeContents } from "./keystore-merge.ts";
import type { PersonKeys } from "./person-keys.ts";
import { fetchBackup, keepBackup } from "./recovery.ts";

/** What a person does with their keystore on one machine, while another machine may have it, too. */
export interface Changes {
  /** Puts changes in; epochs that another machine has started stay, whoever does not know them. */
  apply(contents: KeystoreContents, changes: Partial<KeystoreContents>): KeystoreContents;
  /** To be told of what another machine kept. */
  noteTakenIn(before: KeystoreContents, after: KeystoreContents): void;
}

/**
 * Those who hand in "all epochs" know only the ones that they started with: what was taken in from another machine
 * meanwhile must not be forgotten by it.
 */
export function createChanges(): Changes {
  const takenIn = new Map<string, KeystoreContents["epochs"][number]>();
  return {
    apply(contents, changes) {
      const changed = { ...contents, ...changes };
      const known = new Set(changed.epochs.map(({ epochId }) => epochId));
      const missing = [...takenIn.values()].filter(({ epochId }) => !known.has(epochId));
      return missing.length === 0
        ? changed
        : { ...changed, epochs: inOrder([...changed.epochs, ...missing]) };
    },
    noteTakenIn(before, after) {
      const known = new Set(before.epochs.map(({ epochId }) => epochId));
      for (const epoch of after.epochs) {
        if (!known.has(epoch.epochId)) {
          takenIn.set(epoch.epochId, epoch);
        }
      }
    },
  };
}

/** Tries until it is given up: each one lost means that another machine kept something meanwhile. */
const TRIES = 5;

/** A keystore as it went to the KDC. */
export interface SyncedKeystore {
  readonly contents: KeystoreContents;
  readonly locked: LockedKeystore;
  /** The backup's version at the KDC. */
  readonly version: number;
}

/**
 * Keeps a keystore at the KDC as the version after `version`. Where another machine of the same person was faster, what
 * that one kept is taken in first: neither loses an epoch or a revocation.
 * @param input.openCopy opens what the other machine kept
 * @param input.lock locks the contents as they are after that
 * @throws MedcloudletError `KEYSTORE_FOREIGN`, `KEYSTORE_PASSPHRASE_CHANGED` where the other machine has another
 *   passphrase, `BACKUP_STALE` where others were faster time and again
 */
export async function syncBackup(input: {
  readonly session: KdcSession;
  readonly suite: SealingSuite;
  readonly keys: PersonKeys;
  readonly contents: KeystoreContents;
  readonly version: number;
  readonly openCopy: (text: string) => Promise<KeystoreContents>;
  readonly lock: (contents: KeystoreContents) => Promise<LockedKeystore>;
}): Promise<SyncedKeystore> {
  const { session, suite, keys, openCopy, lock } = input;
  let { contents, version } = input;
  for (let left = TRIES; ; left--) {
    const locked = await lock(contents);
    try {
      await keepBackup({ session, suite, keys, locked, version: version + 1 });
      return { contents, locked, version: version + 1 };
    } catch (error) {
      if (!isMedcloudletError(error, "BACKUP_STALE") || left === 0) {
        throw error;
      }
    }
    ({ contents, version } = await takeIn({ session, contents, openCopy }));
  }
}

/**
 * What this machine and the backup know together.
 * @throws MedcloudletError `BACKUP_MISSING`, `KEYSTORE_FOREIGN`, `KEYSTORE_PASSPHRASE_CHANGED`
 */
export async function takeIn(input: {
  readonly session: KdcSession;
  readonly contents: KeystoreContents;
  readonly openCopy: (text: string) => Promise<KeystoreContents>;
}): Promise<{ readonly contents: KeystoreContents; readonly version: number }> {
  const { keystore, version } = await fetchBackup(input.session);
  const theirs = await input.openCopy(keystore).catch((error) => {
    if (!isMedcloudletError(error, "KEYSTORE_PASSPHRASE")) {
      throw error;
    }
    throw new MedcloudletError(
      "KEYSTORE_PASSPHRASE_CHANGED",
      "The backup at the KDC has another passphrase than this machine: another machine of yours changed it. Bring the " +
        "keystore back from there (medcloudlet account restore), or change the passphrase here, too.",
      { status: 409, cause: error },
    );
  });
  return { contents: mergeContents(input.contents, theirs), version };
}
