import { z } from "zod";
import {
  type Bytes,
  fromBase64Url,
  fromHex,
  isMedcloudletError,
  MedcloudletError,
  toBase64Url,
  utf8,
} from "../base/index.ts";
import { idSchema, type Recipient, type SealingSuite } from "../sealing/index.ts";
import type { Reauthentication } from "./account.ts";
import type { KdcClient, KdcSession, KnownAccount } from "./kdc-client.ts";
import {
  decodeContents,
  encodeContents,
  type KeystoreContents,
  type LockedKeystore,
  unlockKeystore,
} from "./keystore.ts";
import type { PersonKeys } from "./person-keys.ts";
import { RECOVERY_LOCK, recoveryProof, recoveryVerifier } from "./recovery-code.ts";
import { lockWith, unlockWith } from "./small-lock.ts";

const BACKUP = z.object({
  version: z.number(),
  keystore: z.string(),
  escrow: z.object({ enc: z.string(), ciphertext: z.string() }),
  keptAt: z.number(),
});
const KEPT = z.object({ version: z.number() });
const RECOVERED = z.object({
  account: z.object({
    accountId: idSchema,
    handle: z.string(),
    role: z.string(),
    identity: z.string(),
  }),
  locked: z.string(),
});

export type Backup = z.infer<typeof BACKUP>;

const ESCROW = utf8("medcloudlet backup key v1");

/**
 * Keeps a locked keystore at the KDC. Its key goes along, sealed to the owner's receiving key: who lost the
 * passphrase and kept a recovery code has that key's private half.
 * @throws MedcloudletError `BACKUP_STALE`
 */
export async function keepBackup(input: {
  readonly session: KdcSession;
  readonly suite: SealingSuite;
  readonly keys: PersonKeys;
  readonly locked: LockedKeystore;
  readonly version: number;
}): Promise<void> {
  const { session, suite, keys, locked, version } = input;
  const aad = fromHex(session.account.accountId);
  const sealed = await suite.seal(keys.receiving.publicKey, ESCROW, aad, locked.key);
  const escrow = { enc: toBase64Url(sealed.enc), ciphertext: toBase64Url(sealed.ciphertext) };
  await session.call(KEPT, {
    method: "PUT",
    path: "/backup",
    json: { version, keystore: locked.text, escrow },
    key: keys.signing,
  });
}

/** @throws MedcloudletError `BACKUP_MISSING` */
export function fetchBackup(session: KdcSession): Promise<Backup> {
  return session.call(BACKUP, { method: "GET", path: "/backup" });
}

/** A keystore's contents locked with a code, as the KDC keeps them. */
export async function lockForRecovery(code: Bytes, contents: KeystoreContents): Promise<string> {
  return toBase64Url(await lockWith(code, RECOVERY_LOCK, encodeContents(contents)));
}

/** Makes a code the account's printed one; an earlier one is worth nothing from then on. */
export async function armRecovery(
  session: KdcSession,
  code: Bytes,
  contents: KeystoreContents,
  given: Reauthentication,
): Promise<void> {
  const locked = await lockForRecovery(code, contents);
  const verifier = recoveryVerifier(code);
  await session.call(z.null(), { method: "PUT", path: "/recovery", json: { ...given, verifier, locked } });
}

/**
 * Goes back in with a code: sets a new password and gives what the keystore held when the code was made.
 * @throws MedcloudletError `RECOVERY_REFUSED`, `RATE_LIMITED`, `PASSWORD_WEAK`, `RECOVERY_DAMAGED`
 */
export async function recoverAccount(
  kdc: KdcClient,
  input: { readonly handle: string; readonly code: Bytes; readonly newPassword: string },
): Promise<{ account: KnownAccount; contents: KeystoreContents }> {
  const { handle, code, newPassword } = input;
  const { account, locked } = await kdc.call(RECOVERED, {
    method: "POST",
    path: "/recoveries",
    json: { handle, proof: toBase64Url(recoveryProof(code)), newPassword },
  });
  const opened = await unlockWith(code, RECOVERY_LOCK, fromBase64Url(locked));
  const contents = opened === null ? null : decodeContents(opened);
  if (contents === null || contents.accountId !== account.accountId) {
    throw new MedcloudletError(
      "RECOVERY_DAMAGED",
      "The password is changed, but what the KDC kept for this code is damaged: it gives no keys back.",
      { status: 502 },
    );
  }
  return { account, contents };
}

/**
 * The newest contents there are: those of the backup, where there is one that this identity can open, else the ones
 * the code gave. Whoever can seal to the receiving key could make a backup up; only its owner knows the signing seed.
 */
export async function newestContents(
  session: KdcSession,
  recovered: KeystoreContents,
  receiving: Recipient,
): Promise<{ contents: KeystoreContents; version: number }> {
  const asRecovered = { contents: recovered, version: 0 };
  try {
    const { keystore, escrow, version } = await fetchBackup(session);
    const sealed = { enc: fromBase64Url(escrow.enc), ciphertext: fromBase64Url(escrow.ciphertext) };
    const key = await receiving.open(sealed, ESCROW, fromHex(recovered.accountId));
    const contents = await unlockKeystore(keystore, key);
    const same =
      contents.accountId === recovered.accountId &&
      contents.signingSeed === recovered.signingSeed &&
      contents.receivingKey === recovered.receivingKey;
    return same && contents.epochs.length >= recovered.epochs.length ? { contents, version } : asRecovered;
  } catch (error) {
    if (isMedcloudletError(error) && error.status < 500) {
      return asRecovered;
    }
    throw error;
  }
}
