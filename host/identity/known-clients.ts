import type { Clock } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import { newSecret, secretHash } from "./secrets.ts";

/** A program that logged in before; `_id` is the hash of the token it keeps. */
interface KnownClient {
  readonly _id: string;
  readonly accountId: string;
  readonly createdAt: number;
}

const LIFETIME_MS = 180 * 24 * 60 * 60 * 1000;
const MOST_OF_ACCOUNT = 20;

/**
 * Programs that logged in before, so that somebody who guesses at a handle from everywhere cannot lock its owner out
 * (OWASP, "Slow Down Online Guessing Attacks with Device Cookies"). A token opens nothing: it only earns tries of
 * its own.
 */
export interface KnownClients {
  /** A token for a program that just logged in. */
  remember(accountId: string): Promise<string>;
  /** A name for limits to count under, or null when the token is none of this account's. */
  recognise(accountId: string, token: string): Promise<string | null>;
}

export async function createKnownClients(store: Store, clock: Clock): Promise<KnownClients> {
  const clients = await store.collection<KnownClient>({
    name: "known_clients",
    indexes: [{ fields: { accountId: 1, createdAt: 1 } }],
  });
  return {
    async remember(accountId) {
      const token = newSecret();
      await clients.insertOne({ _id: secretHash(token), accountId, createdAt: clock.now() });
      const surplus = await clients.find(
        { accountId: { $eq: accountId } },
        { sort: { createdAt: -1, _id: 1 }, skip: MOST_OF_ACCOUNT },
      );
      if (surplus.length > 0) {
        await clients.deleteMany({ _id: { $in: surplus.map(({ _id }) => _id) } });
      }
      return token;
    },
    async recognise(accountId, token) {
      const client = await clients.findOne({
        _id: { $eq: secretHash(token) },
        accountId: { $eq: accountId },
        createdAt: { $gt: clock.now() - LIFETIME_MS },
      });
      return client?._id ?? null;
    },
  };
}
