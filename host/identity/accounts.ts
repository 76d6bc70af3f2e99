import { z } from "zod";
import { type Bytes, type Clock, MedcloudletError, randomBytes, toHex } from "../base/index.ts";
import { fingerprint, identityKeys, verifyIdentity } from "../sealing/index.ts";
import { type Collection, isDuplicate, type Store } from "../store/index.ts";
import { hashPassword } from "./passwords.ts";

export const ROLES = ["patient", "doctor", "researcher", "operator", "security-officer", "cloudlet"] as const;
export type Role = (typeof ROLES)[number];

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

export interface Accounts {
  /** @throws MedcloudletError `ACCOUNT_HANDLE_TAKEN`, `STATEMENT_INVALID` */
  create(input: { handle: string; role: Role; password: string | null; identity: string }): Promise<Account>;
  byId(accountId: string): Promise<Account | null>;
  byHandle(handle: string): Promise<Account | null>;
  /** True when somebody has the role. */
  hasRole(role: Role): Promise<boolean>;
  /** The public keys of an account, from its verified identity. */
  keysOf(account: Account): Promise<{ signingKey: Bytes; receivingKey: Bytes }>;
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
        passwordHash: password === null ? null : await hashPassword(password),
        identity,
        fingerprint: fingerprint(identityKeys(verified)),
        createdAt: clock.now(),
      };
      try {
        await accounts.insertOne(account);
      } catch (cause) {
        if (isDuplicate(cause)) {
          throw new MedcloudletError(
            "ACCOUNT_HANDLE_TAKEN",
            `The handle "${handle}" is taken: choose another.`,
            {
              status: 409,
              cause,
            },
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
  };
}
