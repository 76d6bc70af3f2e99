import type { Clock } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import { NOBODY } from "./accounts.ts";
import type { Notices } from "./notices.ts";

const ACCOUNT_EVENTS = [
  "password-changed",
  "second-factor-enrolled",
  "second-factor-reset-requested",
  "second-factor-reset",
  "recovery-code-set",
  "guardians-set",
  "guardians-withdrawn",
  "recovery-requested",
  "recovery-share-given",
  "recovered",
  "suspended",
  "suspension-lifted",
  "recovery-failed",
] as const;
export type AccountEventKind = (typeof ACCOUNT_EVENTS)[number];

/** What happened to an account's credentials on one day. */
interface AccountEvent {
  readonly _id: string;
  readonly accountId: string;
  readonly kind: AccountEventKind;
  /** The first and the last time that day, and how often: a guesser must not fill the store. */
  readonly firstAt: number;
  readonly lastAt: number;
  readonly count: number;
}

/** What happens to an account's credentials, kept so that its owner sees it whoever did it. */
export interface AccountEvents {
  /** Keeps the event and tells the owner. */
  note(accountId: string, kind: AccountEventKind): Promise<void>;
  /** The newest first, at most a hundred. */
  ofAccount(accountId: string): Promise<Omit<AccountEvent, "_id" | "accountId">[]>;
}

const MOST_SHOWN = 100;
const HOUR_MS = 60 * 60 * 1000;
/** What others can do to an account again and again. */
const TOLD_HOURLY: readonly AccountEventKind[] = ["recovery-requested", "second-factor-reset-requested"];

export async function createAccountEvents(
  store: Store,
  clock: Clock,
  notices: Pick<Notices, "send">,
): Promise<AccountEvents> {
  const events = await store.collection<AccountEvent>({
    name: "account_events",
    indexes: [{ fields: { accountId: 1, lastAt: 1 } }],
  });
  return {
    async note(accountId, kind) {
      const now = clock.now();
      const day = new Date(now).toISOString().slice(0, 10);
      const { upserted } = await events.updateOne(
        { _id: { $eq: `${accountId} ${kind} ${day}` } },
        { $set: { lastAt: now }, $inc: { count: 1 }, $setOnInsert: { accountId, kind, firstAt: now } },
        { upsert: true },
      );
      // Nobody must bury the owner in messages either, and an emergency's below them: wrong codes are told of once a
      // day, requests to guardians and for a reset once an hour.
      const told = TOLD_HOURLY.includes(kind) ? now - (now % HOUR_MS) : now;
      if (accountId !== NOBODY && (upserted || kind !== "recovery-failed")) {
        await notices.send({ to: accountId, kind: `account.${kind}`, object: `${told}` });
      }
    },
    async ofAccount(accountId) {
      const newest = await events.find(
        { accountId: { $eq: accountId } },
        { sort: { lastAt: -1, _id: 1 }, limit: MOST_SHOWN },
      );
      return newest.map(({ kind, firstAt, lastAt, count }) => ({ kind, firstAt, lastAt, count }));
    },
  };
}
