import { z } from "zod";
import { type Bytes, type Clock, MedcloudletError, randomBytes, toHex } from "../base/index.ts";
import { fingerprint, identityKeys, verifyIdentity } from "../sealing/index.ts";
import { type Collection, isDuplicate, type Store } from "../store/index.ts";
import { hashPassword } from "./passwords.ts";

export const ROLES = [
  "patient",
  "doctor",
  "researcher",
  "operator",
  "security-officer",
  "moderator",
  "cloudlet",
] as const;
export type Role = (typeof ROLES)[number];

/** Roles that can do nothing before they have a second factor. */
const STAFF: readonly Role[] = ["doctor", "researcher", "operator", "security-officer", "moderator"];

/** A second factor in force: the secret under the service's key, what of it was used, the codes on paper. */
export interface SecondFactor {
  /** Base64url of the sealed TOTP secret. */
  readonly sealed: string;
  readonly confirmedAt: number;
  /** The newest TOTP step that let somebody in: it and those before are used up. */
  readonly lastStep: number;
  /** Hashes of the backup codes that are left. */
  readonly backupCodes: readonly string[];
}

/** A second factor that waits for its first code. */
export interface PendingFactor {
  readonly sealed: string;
  readonly createdAt: number;
}

/**
 * An account as the KDC keeps it. It has a handle, not a name: who the person is stays with the people they share
 * with.
 */
export interface Account {
  readonly _id: string;
  readonly handle: string;
  readonly role: Role;
  /** Absent for machines, which sign instead of logging in. */
  readonly passwordHash: string | null;
  /** Self-signed identity statement. */
  readonly identity: string;
  readonly fingerprint: string;
  readonly createdAt: number;
  /** Counts changes of password and factor. A session of an earlier count is over, without anybody deleting it. */
  readonly generation: number;
  readonly secondFactor: SecondFactor | null;
  readonly pendingFactor: PendingFactor | null;
  /** When a security officer closed the account, until one opens it again. */
  readonly suspendedAt: number | null;
  /** When its owner deleted it, ms since 1970 UTC: it is closed for good, and nobody else gets its handle. */
  readonly deletedAt?: number;
}

/** What other people may see of an account. */
export interface DirectoryEntry {
  readonly accountId: string;
  readonly handle: string;
  readonly role: Role;
  readonly identity: string;
}

export const handleSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{2,39}$/, "3 to 40 of a-z, 0-9 and -, beginning with a letter");

export const passwordSchema = z
  .string()
  .min(12, "a password has at least 12 characters")
  .max(256, "a password has at most 256 characters");

/** Shows an account to others. */
export function presentAccount(account: Account): DirectoryEntry {
  return { accountId: account._id, handle: account.handle, role: account.role, identity: account.identity };
}

/** True for people whose password alone opens nothing. */
export function isStaff(account: Account): boolean {
  return STAFF.includes(account.role);
}

/** What stands where an account would: work for a handle that nobody has costs what it costs for a known one. */
export const NOBODY = "0".repeat(32);

/** What an account's owner is told about their second factor. */
export function secondFactorState(account: Account): "none" | "missing" | "active" {
  if (account.secondFactor !== null) {
    return "active";
  }
  return isStaff(account) ? "missing" : "none";
}

export interface Accounts {
  /** @throws MedcloudletError `ACCOUNT_HANDLE_TAKEN`, `STATEMENT_INVALID`, `PASSWORD_WEAK` */
  create(input: { handle: string; role: Role; password: string | null; identity: string }): Promise<Account>;
  byId(accountId: string): Promise<Account | null>;
  byHandle(handle: string): Promise<Account | null>;
  /** True when somebody has the role. */
  hasRole(role: Role): Promise<boolean>;
  /** The public keys of an account, from its verified identity. */
  keysOf(account: Account): Promise<{ signingKey: Bytes; receivingKey: Bytes }>;
  /**
   * Changes password, factor or suspension, and by the same write ends every session: one document, so that no
   * crash leaves an old session behind a new password. Without a change it ends the sessions alone.
   * @throws MedcloudletError `ACCOUNT_CHANGED` when somebody else changed them first, `PASSWORD_WEAK`
   */
  renew(
    account: Account,
    changes: {
      readonly password?: string;
      readonly secondFactor?: SecondFactor | null;
      readonly suspendedAt?: number | null;
    },
  ): Promise<Account>;
  /** Closes an account for good and forgets its password and factor; what stays keeps others from taking its name. */
  bury(accountId: string): Promise<void>;
  /** Keeps a factor until its first code comes; a later one replaces it. */
  proposeFactor(accountId: string, pending: PendingFactor): Promise<void>;
  /** Uses up a TOTP step and those before it; false when it was used up already. */
  useStep(accountId: string, step: number): Promise<boolean>;
  /** Uses up a backup code; false when there is no such code (any more). */
  useBackupCode(accountId: string, codeHash: string): Promise<boolean>;
}

export async function createAccounts(store: Store, clock: Clock): Promise<Accounts> {
  const accounts: Collection<Account> = await store.collection<Account>({
    name: "accounts",
    indexes: [{ fields: { handle: 1 }, unique: true }],
  });
  return {
    async create({ handle, role, password, identity }) {
      const verified = await verifyIdentity(identity);
      const account: Account = {
        _id: toHex(randomBytes(16)),
        handle,
        role,
        passwordHash: password === null ? null : await hashPassword(password, handle),
        identity,
        fingerprint: fingerprint(identityKeys(verified)),
        createdAt: clock.now(),
        generation: 1,
        secondFactor: null,
        pendingFactor: null,
        suspendedAt: null,
      };
      try {
        await accounts.insertOne(account);
      } catch (cause) {
        if (isDuplicate(cause)) {
          throw new MedcloudletError(
            "ACCOUNT_HANDLE_TAKEN",
            `The handle "${handle}" is taken: choose another.`,
            { status: 409, cause },
          );
        }
        throw cause;
      }
      return account;
    },
    byId: (accountId) => accounts.findOne({ _id: { $eq: accountId } }),
    byHandle: (handle) => accounts.findOne({ handle: { $eq: handle } }),
    hasRole: async (role) => (await accounts.findOne({ role: { $eq: role } })) !== null,
    keysOf: async (account) => identityKeys(await verifyIdentity(account.identity)),
    async renew(account, { password, secondFactor, suspendedAt }) {
      const renewed = await accounts.findOneAndUpdate(
        { _id: { $eq: account._id }, generation: { $eq: account.generation } },
        {
          $set: {
            ...(password === undefined ? {} : { passwordHash: await hashPassword(password, account.handle) }),
            ...(secondFactor === undefined ? {} : { secondFactor, pendingFactor: null }),
            ...(suspendedAt === undefined ? {} : { suspendedAt }),
            generation: account.generation + 1,
          },
        },
        { returnDocument: "after" },
      );
      if (renewed === null) {
        throw new MedcloudletError(
          "ACCOUNT_CHANGED",
          "The account was changed from elsewhere at the same time: look at it and try again.",
          { status: 409 },
        );
      }
      return renewed;
    },
    async bury(accountId) {
      const now = clock.now();
      await accounts.updateOne(
        { _id: { $eq: accountId }, deletedAt: { $exists: false } },
        {
          $set: {
            ...{ passwordHash: null, secondFactor: null, pendingFactor: null },
            ...{ suspendedAt: now, deletedAt: now },
          },
          $inc: { generation: 1 },
        },
      );
    },
    async proposeFactor(accountId, pendingFactor) {
      await accounts.updateOne({ _id: { $eq: accountId } }, { $set: { pendingFactor } });
    },
    async useStep(accountId, step) {
      const { modified } = await accounts.updateOne(
        { _id: { $eq: accountId }, "secondFactor.lastStep": { $lt: step } },
        { $set: { "secondFactor.lastStep": step } },
      );
      return modified === 1;
    },
    async useBackupCode(accountId, codeHash) {
      const { modified } = await accounts.updateOne(
        { _id: { $eq: accountId }, "secondFactor.backupCodes": { $eq: codeHash } },
        { $pull: { "secondFactor.backupCodes": codeHash } },
      );
      return modified === 1;
    },
  };
}
