import { z } from "zod";
import {
  type Bytes,
  fromBase64Url,
  isMedcloudletError,
  MedcloudletError,
  toBase64Url,
  utf8,
} from "../../base/index.ts";
import {
  createChanges,
  fetchBackup,
  type KdcSession,
  type KeystoreContents,
  lockKeystore,
  lockWith,
  openKeystore,
  type PersonKeys,
  requirePassphrase,
  syncBackup,
  takeIn,
  unlockWith,
} from "../../client/index.ts";
import type { SealingSuite } from "../../sealing/index.ts";
import type { KeptSession, LockedVault } from "./session-questions.ts";

const MEMORY = z.strictObject({
  session: z.strictObject({ token: z.string(), expiresAt: z.number() }),
  notes: z.record(z.string(), z.string()),
});
type Memory = z.infer<typeof MEMORY>;

const LABEL = "medcloudlet page memory v1";

/** A person's keystore, open in the worker, and what this machine keeps of them. */
export interface Vault {
  readonly contents: KeystoreContents;
  readonly session: KeptSession | null;
  locked(): Promise<LockedVault>;
  recall(name: string): string | null;
  /** From now on goes into what is kept. */
  note(name: string, text: string): void;
  keepSession(session: KeptSession): void;
  /** How to put together what several tabs noted under a name; without, the last one's word stands. */
  joinNotes(name: string, join: (theirs: string) => string): void;
  /** The locked vault, with what another tab kept in this browser meanwhile. */
  lockedWith(kept: LockedVault): Promise<LockedVault>;
  /** Takes in what other machines of the same person kept at the KDC. */
  catchUp(session: KdcSession): Promise<void>;
  save(changes: Partial<KeystoreContents>, by: VaultWork): Promise<void>;
  /**
   * Locks keystore and backup with another passphrase.
   * @throws MedcloudletError `KEYSTORE_PASSPHRASE` where `current` is not the one in force, `KEYSTORE_PASSPHRASE_WEAK`,
   *   `KEYSTORE_PASSPHRASE_SAME`
   */
  changePassphrase(how: { readonly current: string; readonly next: string }, by: VaultWork): Promise<void>;
}

/** Whose work a vault is for. */
interface VaultWork {
  readonly session: KdcSession;
  readonly suite: SealingSuite;
  readonly keys: PersonKeys;
}

/**
 * Opens a keystore that the KDC or this machine kept.
 * @param memory as `LockedVault` has it; null where this machine kept nothing
 * @throws MedcloudletError `KEYSTORE_PASSPHRASE`, `KEYSTORE_MALFORMED`
 */
export async function openVault(
  kept: { readonly keystore: string; readonly version: number; readonly memory: string | null },
  givenPassphrase: string,
): Promise<Vault> {
  let passphrase = givenPassphrase;
  let opened = await openKeystore(kept.keystore, passphrase);
  const changes = createChanges();
  let { contents } = opened;
  let { keystore, version } = kept;
  const seed: Bytes = fromBase64Url(contents.signingSeed);
  let memory: Memory | null = await readMemory(kept.memory, seed);
  const notes: Record<string, string> = { ...memory?.notes };
  const noted = new Set<string>();
  const joins = new Map<string, (theirs: string) => string>();

  const locked = async (): Promise<LockedVault> => {
    const text = JSON.stringify({ session: memory?.session, notes });
    return {
      handle: contents.handle,
      keystore,
      version,
      memory: toBase64Url(await lockWith(seed, LABEL, utf8(text))),
    };
  };

  return {
    get contents() {
      return contents;
    },
    get session() {
      return memory?.session ?? null;
    },
    locked,
    joinNotes(name, join) {
      joins.set(name, join);
    },
    async lockedWith(kept) {
      // Another person's vault does not open, and is replaced.
      const theirs = await readMemory(kept.memory, seed);
      for (const [name, text] of Object.entries(theirs?.notes ?? {})) {
        const join = joins.get(name);
        if (join !== undefined) {
          notes[name] = join(text);
        } else if (!noted.has(name)) {
          notes[name] = text;
        }
      }
      const ours = await locked();
      // Where another tab has gone on with the keystore, and perhaps changed its passphrase, that one is in force.
      return theirs === null || kept.version <= version
        ? ours
        : { ...ours, keystore: kept.keystore, version: kept.version };
    },
    recall: (name) => notes[name] ?? null,
    note(name, text) {
      notes[name] = text;
      noted.add(name);
    },
    keepSession({ token, expiresAt }) {
      memory = { session: { token, expiresAt }, notes };
    },
    async catchUp(session) {
      const backup = await fetchBackup(session);
      if (backup.version <= version) {
        return;
      }
      const taken = await takeIn({ session, contents, openCopy: opened.openCopy });
      changes.noteTakenIn(contents, taken.contents);
      ({ contents, version } = taken);
      keystore = (await opened.relock(contents)).text;
    },
    async save(changed, { session, suite, keys }) {
      const ours = changes.apply(contents, changed);
      const synced = await syncBackup({
        ...{ session, suite, keys },
        ...{ contents: ours, version, openCopy: opened.openCopy, lock: opened.relock },
      });
      changes.noteTakenIn(ours, synced.contents);
      ({ contents, version } = synced);
      keystore = synced.locked.text;
    },
    async changePassphrase({ current, next }, { session, suite, keys }) {
      if (current !== passphrase) {
        throw new MedcloudletError("KEYSTORE_PASSPHRASE", "This is not the passphrase of your keys.", {
          status: 401,
        });
      }
      requirePassphrase(next);
      if (next === passphrase) {
        throw new MedcloudletError(
          "KEYSTORE_PASSPHRASE_SAME",
          "This is the passphrase in force: choose another.",
          { status: 400 },
        );
      }
      const reopened = await openKeystore(await lockKeystore(contents, next), next);
      const synced = await syncBackup({
        ...{ session, suite, keys },
        ...{ contents, version, openCopy: opened.openCopy, lock: reopened.relock },
      });
      changes.noteTakenIn(contents, synced.contents);
      ({ contents, version } = synced);
      keystore = synced.locked.text;
      opened = reopened;
      passphrase = next;
    },
  };
}

async function readMemory(locked: string | null, seed: Bytes): Promise<Memory | null> {
  if (locked === null) {
    return null;
  }
  try {
    const bytes = await unlockWith(seed, LABEL, fromBase64Url(locked));
    return bytes === null
      ? null
      : (MEMORY.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data ?? null);
  } catch (error) {
    // What this machine noted is a convenience: damaged, it is as if there were none.
    if (isMedcloudletError(error) || error instanceof SyntaxError) {
      return null;
    }
    throw error;
  }
}
