import { type Clock, randomBytes, toHex } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import { type Account, isStaff } from "./accounts.ts";
import { newSecret, secretHash } from "./secrets.ts";

/** A login. The token itself is never stored; `_id` is its hash. */
export interface Session {
  readonly _id: string;
  /** What the owner calls it by when ending it: neither the token nor its hash. */
  readonly sessionId: string;
  readonly accountId: string;
  /** The account's count of changes when it was opened: with the next change the session is over. */
  readonly generation: number;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** Behind by up to `TOUCH_EVERY_MS`, so that not every request is a write. */
  readonly lastUsedAt: number;
  /** What the client said it is, so that the owner can tell sessions apart. */
  readonly agent: string;
}

const LIFETIME_MS = 12 * 60 * 60 * 1000;
/** A machine on a ward that somebody walked away from. */
const STAFF_IDLE_MS = 30 * 60 * 1000;
const TOUCH_EVERY_MS = 5 * 60 * 1000;
const AGENT_CHARACTERS = 80;
/** Sessions of one account; the oldest goes first. */
const MOST_OF_ACCOUNT = 100;

export interface Sessions {
  open(account: Account, agent: string): Promise<{ token: string; expiresAt: number }>;
  /** The session of a token as far as it has not expired, or null; whether it is in force `isAlive` says. */
  find(token: string): Promise<Session | null>;
  /** False after a change of the account's credentials, and for staff after half an hour without a request. */
  isAlive(session: Session, account: Account): boolean;
  /** Notes that a session was used. */
  touch(session: Session): Promise<void>;
  ofAccount(account: Account): Promise<Session[]>;
  /** Takes the caller's own session over into the account's new count, after a change that ended all. */
  carryOver(token: string, account: Account): Promise<void>;
  revoke(token: string): Promise<void>;
  /** Ends one of an account's sessions; false when there is no such session. */
  end(accountId: string, sessionId: string): Promise<boolean>;
}

/** Printable ASCII alone: the words go to somebody's terminal. */
function readable(agent: string): string {
  return agent.replace(/[^\x20-\x7e]/g, "").slice(0, AGENT_CHARACTERS);
}

export async function createSessions(store: Store, clock: Clock): Promise<Sessions> {
  const sessions = await store.collection<Session>({
    name: "sessions",
    indexes: [{ fields: { accountId: 1 } }, { fields: { expiresAt: 1 } }],
  });
  const isAlive: Sessions["isAlive"] = (session, account) =>
    session.generation === account.generation &&
    (!isStaff(account) || clock.now() - session.lastUsedAt < STAFF_IDLE_MS);
  return {
    async open(account, agent) {
      const token = newSecret();
      const now = clock.now();
      const expiresAt = now + LIFETIME_MS;
      await sessions.deleteMany({ expiresAt: { $lte: now } });
      await sessions.insertOne({
        _id: secretHash(token),
        sessionId: toHex(randomBytes(16)),
        accountId: account._id,
        generation: account.generation,
        createdAt: now,
        expiresAt,
        lastUsedAt: now,
        agent: readable(agent),
      });
      const surplus = await sessions.find(
        { accountId: { $eq: account._id } },
        { sort: { createdAt: -1, _id: 1 }, skip: MOST_OF_ACCOUNT, projection: { _id: 1 } },
      );
      if (surplus.length > 0) {
        await sessions.deleteMany({ _id: { $in: surplus.map(({ _id }) => _id) } });
      }
      return { token, expiresAt };
    },
    find: (token) => sessions.findOne({ _id: { $eq: secretHash(token) }, expiresAt: { $gt: clock.now() } }),
    isAlive,
    async touch(session) {
      const now = clock.now();
      if (now - session.lastUsedAt >= TOUCH_EVERY_MS) {
        await sessions.updateOne({ _id: { $eq: session._id } }, { $set: { lastUsedAt: now } });
      }
    },
    async ofAccount(account) {
      const unexpired = await sessions.find(
        { accountId: { $eq: account._id }, expiresAt: { $gt: clock.now() } },
        { sort: { createdAt: 1, _id: 1 } },
      );
      return unexpired.filter((session) => isAlive(session, account));
    },
    async carryOver(token, { generation }) {
      await sessions.updateOne({ _id: { $eq: secretHash(token) } }, { $set: { generation } });
    },
    async revoke(token) {
      await sessions.deleteOne({ _id: { $eq: secretHash(token) } });
    },
    async end(accountId, sessionId) {
      const ended = await sessions.deleteOne({
        accountId: { $eq: accountId },
        sessionId: { $eq: sessionId },
      });
      return ended === 1;
    },
  };
}
