import { type Clock, MedcloudletError, randomBytes, toHex } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import type { Account, Accounts } from "./accounts.ts";

/** An operator's word that somebody lost their second factor; it waits for a security officer's. */
export interface FactorReset {
  readonly _id: string;
  readonly accountId: string;
  readonly handle: string;
  /** Which factor was lost: one enrolled since then stays. */
  readonly factorConfirmedAt: number;
  readonly requestedBy: string;
  readonly requestedAt: number;
  readonly expiresAt: number;
}

const LIFETIME_MS = 24 * 60 * 60 * 1000;

/** Taking a second factor away takes two people: one alone could take over any account whose password they have. */
export interface FactorResets {
  /** @throws MedcloudletError `FACTOR_RESET_OWN`, `FACTOR_RESET_NEEDLESS` */
  request(account: Account, by: Account): Promise<FactorReset>;
  open(): Promise<FactorReset[]>;
  /**
   * Takes the factor away and ends the account's sessions.
   * @throws MedcloudletError `FACTOR_RESET_UNKNOWN`, `FACTOR_RESET_OWN`
   */
  confirm(resetId: string, by: Account): Promise<FactorReset>;
}

function own(): MedcloudletError {
  return new MedcloudletError(
    "FACTOR_RESET_OWN",
    "Nobody takes part in the reset of their own second factor: ask somebody else of your role.",
    { status: 403 },
  );
}

export async function createFactorResets(
  store: Store,
  clock: Clock,
  accounts: Accounts,
): Promise<FactorResets> {
  const resets = await store.collection<FactorReset>({
    name: "factor_resets",
    indexes: [{ fields: { expiresAt: 1 } }],
  });
  return {
    async request(account, by) {
      if (account._id === by._id) {
        throw own();
      }
      if (account.secondFactor === null) {
        throw new MedcloudletError("FACTOR_RESET_NEEDLESS", "This account has no second factor.", {
          status: 409,
        });
      }
      const now = clock.now();
      await resets.deleteMany({ expiresAt: { $lte: now } });
      const reset: FactorReset = {
        _id: toHex(randomBytes(16)),
        accountId: account._id,
        handle: account.handle,
        factorConfirmedAt: account.secondFactor.confirmedAt,
        requestedBy: by.handle,
        requestedAt: now,
        expiresAt: now + LIFETIME_MS,
      };
      await resets.insertOne(reset);
      return reset;
    },
    open: () => resets.find({ expiresAt: { $gt: clock.now() } }, { sort: { expiresAt: 1, _id: 1 } }),
    async confirm(resetId, by) {
      const reset = await resets.findOne({ _id: { $eq: resetId }, expiresAt: { $gt: clock.now() } });
      const account = reset === null ? null : await accounts.byId(reset.accountId);
      // What somebody asked whose account was closed since is one person's word, and that the confirming one's.
      const requester = reset === null ? null : await accounts.byHandle(reset.requestedBy);
      if (
        account?.secondFactor?.confirmedAt !== reset?.factorConfirmedAt ||
        reset === null ||
        account === null ||
        requester === null ||
        requester.suspendedAt !== null
      ) {
        throw new MedcloudletError(
          "FACTOR_RESET_UNKNOWN",
          "There is no such reset (any more): an operator has to ask for it.",
          { status: 404 },
        );
      }
      if (account._id === by._id) {
        throw own();
      }
      // The account first: what a crash in between leaves behind names a factor that is gone, and expires.
      await accounts.renew(account, { secondFactor: null });
      await resets.deleteOne({ _id: { $eq: resetId } });
      return reset;
    },
  };
}
