import { sha256 } from "@noble/hashes/sha2.js";
import { type Clock, equalBytes, fromBase64Url, MedcloudletError } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import { type Account, type Accounts, NOBODY } from "./accounts.ts";
import type { GuardianSets } from "./guardian-sets.ts";

/** What lets the holder of a recovery code back in; one for the printed code, one for the guardians'. */
export interface ArmedRecovery {
  /** Base64url SHA-256 of the proof, which follows from the code and not the other way round. */
  readonly verifier: string;
  /** The keystore's contents locked with a key from the code; nothing here opens it. */
  readonly locked: string;
}

interface Recovery extends ArmedRecovery {
  readonly _id: string;
  readonly armedAt: number;
}

export interface Recoveries {
  /** Replaces the printed code: an earlier one is worth nothing from now on. */
  arm(accountId: string, recovery: ArmedRecovery): Promise<void>;
  /**
   * Takes a code's proof: changes the password, takes the second factor away, ends every session, and gives what the
   * code opens. The code stays good until its owner makes another: an answer that got lost must not lose all.
   * @throws MedcloudletError `RECOVERY_REFUSED` for an unknown handle, an account that is closed or has no code, a
   *   wrong proof
   */
  use(
    account: Account | null,
    proof: string,
    newPassword: string,
  ): Promise<{ account: Account; locked: string }>;
}

/** True when a proof fits; nothing to compare with costs the same. */
function fits(recovery: ArmedRecovery | null, shown: Uint8Array): recovery is ArmedRecovery {
  const expected = recovery === null ? new Uint8Array(32) : fromBase64Url(recovery.verifier);
  return equalBytes(shown, expected) && recovery !== null;
}

export async function createRecoveries(rooms: {
  readonly store: Store;
  readonly clock: Clock;
  readonly accounts: Accounts;
  readonly sets: GuardianSets;
}): Promise<Recoveries> {
  const { store, clock, accounts, sets } = rooms;
  const recoveries = await store.collection<Recovery>({ name: "recoveries", indexes: [] });
  return {
    async arm(accountId, { verifier, locked }) {
      await recoveries.updateOne(
        { _id: { $eq: accountId } },
        { $set: { verifier, locked, armedAt: clock.now() } },
        { upsert: true },
      );
    },
    async use(account, proof, newPassword) {
      const accountId = account?._id ?? NOBODY;
      const shown = sha256(fromBase64Url(proof));
      const armed = [await recoveries.findOne({ _id: { $eq: accountId } }), await sets.ofOwner(accountId)];
      const [recovery] = armed.filter((candidate) => fits(candidate, shown));
      const open = account !== null && account.suspendedAt === null;
      if (recovery === null || recovery === undefined || !open) {
        throw new MedcloudletError(
          "RECOVERY_REFUSED",
          "Handle and recovery code do not fit together, or a newer code was made.",
          { status: 401 },
        );
      }
      const renewed = await accounts.renew(account, { password: newPassword, secondFactor: null });
      return { account: renewed, locked: recovery.locked };
    },
  };
}
