import { z } from "zod";
import { type Clock, MedcloudletError } from "../base/index.ts";
import type { AccountEvents } from "./account-events.ts";
import { type Account, type Accounts, handleSchema } from "./accounts.ts";
import type { Routes } from "./routes.ts";

const BY_HANDLE = z.strictObject({ handle: handleSchema });
const SUSPENSION = z.strictObject({ suspended: z.boolean() });

/** Closing the account of somebody who left, or whose account somebody else uses, and opening it again. */
export function addSuspensionRoutes(
  routes: Routes,
  rooms: {
    readonly accounts: Accounts;
    readonly events: AccountEvents;
    readonly clock: Clock;
    /** Waits until nothing is on its way any more that rests on an account which was just closed. */
    readonly settled: (closed: Account) => Promise<void>;
  },
): void {
  const { accounts, events, clock, settled } = rooms;

  routes.session({
    method: "put",
    path: "/suspensions/:handle",
    action: "account.suspend",
    params: BY_HANDLE,
    body: SUSPENSION,
    async handle({ account, params: { handle }, body: { suspended }, concerning }) {
      const subject = await accounts.byHandle(handle);
      if (subject === null) {
        throw new MedcloudletError(
          "ACCOUNT_UNKNOWN",
          `Nobody here has the handle "${handle}": ask them how they wrote it.`,
          { status: 404 },
        );
      }
      concerning({ owner: subject._id, details: { suspended: String(suspended) } });
      if (subject._id === account._id) {
        throw new MedcloudletError(
          "SUSPENSION_OWN",
          "Nobody closes their own account: another security officer does.",
          { status: 403 },
        );
      }
      if (subject.deletedAt !== undefined) {
        throw new MedcloudletError(
          "ACCOUNT_DELETED",
          "The owner has deleted this account: it is closed for good.",
          { status: 409 },
        );
      }
      if ((subject.suspendedAt !== null) !== suspended) {
        await accounts.renew(subject, { suspendedAt: suspended ? clock.now() : null });
        await events.note(subject._id, suspended ? "suspended" : "suspension-lifted");
      }
      // Also where it was closed before: the first answer may have been lost.
      if (suspended) {
        await settled(subject);
      }
      return { status: 200, json: { handle, suspended } };
    },
  });
}
