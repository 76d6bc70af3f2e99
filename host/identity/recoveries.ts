import { sha256 } from "@noble/hashes/sha2.js";
import { type Clock, equalBytes, fromBase64Url, MedcloudletError } from "../base/index.ts";
import { isDuplicate, type Store } from "../store/index.ts";
import { type Account, type Accounts, NOBODY } from "./accounts.ts";
import type { GuardianSets } from "./guardian-sets.ts";
import { createPasswordVerifier, hashPassword } from "./passwords.ts";

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

/** That a code was used: one document, written before anything comes of it, so that of two uses one counts. */
interface Use {
  /** `account id, space, verifier`. */
  readonly _id: string;
  readonly usedAt: number;
  /** Hash of the password that it was used with: who lost the answer has it, and a thief of the paper has not. */
  readonly passwordHash: string;
  /** False until the account is changed. */
  readonly done: boolean;
}

/** How long a use can be said again with the same new password, where its answer got lost. */
const AGAIN_MS = 60 * 60 * 1000;

export interface Recoveries {
  /** Replaces the printed code: an earlier one is worth nothing from now on. */
  arm(accountId: string, recovery: ArmedRecovery): Promise<void>;
  /**
   * Takes a code's proof: changes the password, takes the second factor away, ends every session, and gives what the
   * code opens. A code is good once. Said again within the hour and with the same new password it gives what it gave, for
   * an answer that got lost must not lose all; it changes nothing then.
   * @throws MedcloudletError `RECOVERY_REFUSED` for an unknown handle, an account that is closed or has no code, a
   *   wrong proof; `RECOVERY_CODE_USED`
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
  const uses = await store.collection<Use>({ name: "recovery_uses", indexes: [] });
  const matches = await createPasswordVerifier();

  /** Uses a code up. False where it was used up before, by the same words, and its work is done. */
  const claim = async (_id: string, { handle }: Account, newPassword: string): Promise<boolean> => {
    const now = clock.now();
    const passwordHash = await hashPassword(newPassword, handle);
    try {
      await uses.insertOne({ _id, usedAt: now, passwordHash, done: false });
      return true;
    } catch (error) {
      if (!isDuplicate(error)) {
        throw error;
      }
    }
    const use = await uses.findOne({ _id: { $eq: _id } });
    if (use === null || use.usedAt < now - AGAIN_MS || !(await matches(use.passwordHash, newPassword))) {
      throw new MedcloudletError(
        "RECOVERY_CODE_USED",
        "This recovery code was used before, and each is good once: make another with `medcloudlet account recovery-code`.",
        { status: 403 },
      );
    }
    return !use.done;
  };

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
      const useId = `${account._id} ${recovery.verifier}`;
      if (!(await claim(useId, account, newPassword))) {
        return { account, locked: recovery.locked };
      }
      const renewed = await accounts.renew(account, { password: newPassword, secondFactor: null });
      await uses.updateOne({ _id: { $eq: useId } }, { $set: { done: true } });
      return { account: renewed, locked: recovery.locked };
    },
  };
}
