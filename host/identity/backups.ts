import { type Clock, MedcloudletError } from "../base/index.ts";
import { isDuplicate, type Store } from "../store/index.ts";

/** A person's locked keystore; the service can open none of it. */
export interface Backup {
  readonly _id: string;
  /** Counts up: an older machine must not overwrite what a newer one kept. */
  readonly version: number;
  /** The keystore as its owner's passphrase locked it. */
  readonly keystore: string;
  /** The keystore's key sealed to its owner's receiving key, for those who lost the passphrase and kept a code. */
  readonly escrow: { readonly enc: string; readonly ciphertext: string };
  readonly keptAt: number;
}

export interface Backups {
  /** @throws MedcloudletError `BACKUP_STALE` for a version that is not higher than the one there is */
  keep(accountId: string, backup: Pick<Backup, "version" | "keystore" | "escrow">): Promise<void>;
  /** @throws MedcloudletError `BACKUP_MISSING` */
  fetch(accountId: string): Promise<Backup>;
}

export async function createBackups(store: Store, clock: Clock): Promise<Backups> {
  const backups = await store.collection<Backup>({ name: "backups", indexes: [] });
  return {
    async keep(accountId, { version, keystore, escrow }) {
      try {
        // Where there is one that is not older, nothing matches and the insert meets its id.
        await backups.updateOne(
          { _id: { $eq: accountId }, version: { $lt: version } },
          { $set: { version, keystore, escrow, keptAt: clock.now() } },
          { upsert: true },
        );
      } catch (cause) {
        if (!isDuplicate(cause)) {
          throw cause;
        }
        throw new MedcloudletError(
          "BACKUP_STALE",
          "A newer backup is kept already, from another machine perhaps: restore it first.",
          { status: 409, cause },
        );
      }
    },
    async fetch(accountId) {
      const backup = await backups.findOne({ _id: { $eq: accountId } });
      if (backup === null) {
        throw new MedcloudletError(
          "BACKUP_MISSING",
          "There is no backup of this account: make one where its keys are.",
          { status: 404 },
        );
      }
      return backup;
    },
  };
}
