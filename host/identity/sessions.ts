import type { Clock } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import { newSecret, secretHash } from "./secrets.ts";

/** A login. The token itself is never stored; `_id` is its hash. */
export interface Session {
  readonly _id: string;
  readonly accountId: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

const LIFETIME_MS = 12 * 60 * 60 * 1000;

export interface Sessions {
  open(accountId: string): Promise<{ token: string; expiresAt: number }>;
  /** The live session of a token, or null. */
  find(token: string): Promise<Session | null>;
  revoke(token: string): Promise<void>;
}

export async function createSessions(store: Store, clock: Clock): Promise<Sessions> {
  const sessions = await store.collection<Session>({
    name: "sessions",
    indexes: [{ fields: { accountId: 1 } }, { fields: { expiresAt: 1 } }],
  });
  return {
    async open(accountId) {
      const token = newSecret();
      const now = clock.now();
      const expiresAt = now + LIFETIME_MS;
      await sessions.deleteMany({ expiresAt: { $lte: now } });
      await sessions.insertOne({ _id: secretHash(token), accountId, createdAt: now, expiresAt });
      return { token, expiresAt };
    },
    find: (token) => sessions.findOne({ _id: { $eq: secretHash(token) }, expiresAt: { $gt: clock.now() } }),
    async revoke(token) {
      await sessions.deleteOne({ _id: { $eq: secretHash(token) } });
    },
  };
}
