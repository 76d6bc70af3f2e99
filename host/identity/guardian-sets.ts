import { type Bytes, type Clock, MedcloudletError } from "../base/index.ts";
import { GUARDIANS, type Guardians, verifyStatement } from "../sealing/index.ts";
import type { Store } from "../store/index.ts";
import type { Account, Accounts } from "./accounts.ts";
import type { ArmedRecovery } from "./recoveries.ts";

/** Whom an owner named; one set an account, a later one replaces it. */
export interface GuardianSet extends ArmedRecovery {
  readonly _id: string;
  readonly statement: string;
  readonly set: Guardians;
  readonly namedAt: number;
}

export interface GuardianSets {
  /**
   * Keeps an owner's signed choice, and what the code that the guardians share lets back in to.
   * @throws MedcloudletError `STATEMENT_INVALID`, `GUARDIANS_OWNER_MISMATCH`, `GUARDIAN_UNKNOWN`
   */
  name(owner: Account, ownerKey: Bytes, statement: string, recovery: ArmedRecovery): Promise<Guardians>;
  ofOwner(accountId: string): Promise<GuardianSet | null>;
  /** From now on nobody's share is worth anything. False where nobody was named. */
  withdraw(accountId: string): Promise<boolean>;
}

const GUARDIAN_ROLES: readonly string[] = ["patient", "doctor"];

export async function createGuardianSets(
  store: Store,
  clock: Clock,
  accounts: Accounts,
): Promise<GuardianSets> {
  const sets = await store.collection<GuardianSet>({ name: "guardian_sets", indexes: [] });
  return {
    async name(owner, ownerKey, statement, { verifier, locked }) {
      const set = await verifyStatement(GUARDIANS, statement, ownerKey);
      if (set.owner !== owner._id) {
        throw new MedcloudletError("GUARDIANS_OWNER_MISMATCH", "Guardians are named by the owner alone.", {
          status: 403,
        });
      }
      for (const { guardian, fingerprint } of set.guardians) {
        const account = await accounts.byId(guardian);
        const suits =
          account !== null &&
          account._id !== owner._id &&
          account.suspendedAt === null &&
          GUARDIAN_ROLES.includes(account.role) &&
          account.fingerprint === fingerprint;
        if (!suits) {
          throw new MedcloudletError(
            "GUARDIAN_UNKNOWN",
            "A guardian is another patient or doctor here, under the fingerprint they told you.",
            { status: 404 },
          );
        }
      }
      await sets.updateOne(
        { _id: { $eq: owner._id } },
        { $set: { statement, set, verifier, locked, namedAt: clock.now() } },
        { upsert: true },
      );
      return set;
    },
    ofOwner: (accountId) => sets.findOne({ _id: { $eq: accountId } }),
    withdraw: async (accountId) => (await sets.deleteOne({ _id: { $eq: accountId } })) > 0,
  };
}
