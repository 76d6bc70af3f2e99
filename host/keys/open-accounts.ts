import type { ServerResponse } from "node:http";
import { type Clock, MedcloudletError } from "../base/index.ts";
import type { Account, Accounts, Devices } from "../identity/index.ts";
import type { Consents } from "./consents.ts";
import type { Releases } from "./releases.ts";

/**
 * What closing an account means for keys and tickets. Statements stay what their owner signed: nothing is deleted or
 * revoked, and once the account is open again all of it counts again.
 */
export interface OpenAccounts {
  /**
   * Counts an answer that hands something out to an account. Its session was looked at before, so the account may have
   * been closed since; a closing after this waits for the answer.
   * @throws MedcloudletError `ACCOUNT_SUSPENDED`
   */
  begin(account: Account, response: ServerResponse): Promise<void>;
  /** False for an account that is closed or is not there. Ask behind `Releases.begin`. */
  isOpen(accountId: string): Promise<boolean>;
  /**
   * Fulfils when no key and no ticket is on its way that rests on a closed account: to itself, to its devices, and to
   * those who read by its consents. Call it once the account is closed.
   */
  settled(closed: Account): Promise<void>;
}

const CONSENTS_A_PAGE = 500;

export function createOpenAccounts(rooms: {
  readonly accounts: Accounts;
  readonly devices: Devices;
  readonly consents: Consents;
  readonly releases: Releases;
  readonly clock: Clock;
}): OpenAccounts {
  const { accounts, devices, consents, releases, clock } = rooms;

  const isOpen = async (accountId: string): Promise<boolean> => {
    const account = await accounts.byId(accountId);
    return account !== null && account.suspendedAt === null;
  };

  /** Everybody whom consents of the owner that run now let read. */
  const readersOf = async (owner: string): Promise<Set<string>> => {
    const readers = new Set<string>();
    let after = "";
    for (;;) {
      const page = await consents.ofOwner(owner, { after, limit: CONSENTS_A_PAGE });
      const now = clock.now();
      for (const { reader, revokedAt, until } of page) {
        if (revokedAt === null && until > now) {
          readers.add(reader);
        }
      }
      const last = page.at(-1);
      if (last === undefined || page.length < CONSENTS_A_PAGE) {
        return readers;
      }
      after = last._id;
    }
  };

  return {
    async begin({ _id }, response) {
      releases.begin(_id, response);
      if (!(await isOpen(_id))) {
        throw new MedcloudletError(
          "ACCOUNT_SUSPENDED",
          "This account is closed: a security officer can open it again.",
          { status: 403 },
        );
      }
    },
    isOpen,
    async settled({ _id }) {
      const owned = (await devices.ofOwner(_id)).map((device) => device._id);
      const receivers = [_id, ...owned, ...(await readersOf(_id))];
      await Promise.all(receivers.map((receiver) => releases.settled(receiver)));
    },
  };
}
