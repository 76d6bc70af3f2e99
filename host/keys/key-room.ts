import type { Clock } from "../base/index.ts";
import type { Collection, Store } from "../store/index.ts";
import type { ConsentRecord } from "./consents.ts";
import { type KeyLimits, limitReached, WAITING_MS } from "./limits.ts";
import type { WrappedKeyRecord, WrappedKeys } from "./wrapped-keys.ts";

/** A consent that keys came for before it came itself. */
interface WaitingConsent {
  /** `owner, space, consent id`: nobody takes an id away from another. */
  readonly _id: string;
  readonly owner: string;
  readonly consentId: string;
  /** When the first keys came, ms since 1970 UTC. */
  readonly since: number;
}

/** Whether an owner's wrapped keys have room. */
export interface KeyRoom {
  /**
   * Lets keys in as far as the owner's are not too many. Where there is no room, what nobody can ever get is thrown away
   * first: keys of consents that are over, and keys that waited for a day for a consent that did not come.
   *
   * Requests at the same moment do not see one another's keys: each may go over by its own fifty.
   * @throws MedcloudletError `WRAPPED_KEYS_WAITING` where too many have no consent, `WRAPPED_KEYS_LIMIT`
   */
  require(
    owner: string,
    keys: readonly Pick<WrappedKeyRecord, "consentId" | "epochId">[],
    givenConsents: ReadonlySet<string>,
  ): Promise<void>;
  /** A consent that keys waited for has come. */
  claimed(owner: string, consentId: string): Promise<void>;
}

export async function createKeyRoom(
  store: Store,
  options: {
    readonly consents: Pick<Collection<ConsentRecord>, "find" | "findOne" | "updateOne">;
    readonly wrappedKeys: WrappedKeys;
    readonly clock: Clock;
    readonly limits: KeyLimits;
  },
): Promise<KeyRoom> {
  const { consents, wrappedKeys, clock, limits } = options;
  const waiting = await store.collection<WaitingConsent>({
    name: "waiting_consents",
    indexes: [{ fields: { owner: 1 } }],
  });
  const idOf = (owner: string, consentId: string) => `${owner} ${consentId}`;

  /** The consents that keys wait for, and how many keys that are. */
  const waitingOf = async (owner: string) => {
    const found = await waiting.find({ owner: { $eq: owner } });
    let keys = 0;
    for (const { consentId } of found) {
      keys += await wrappedKeys.count(owner, consentId);
    }
    return { consentIds: new Set(found.map(({ consentId }) => consentId)), keys };
  };

  /**
   * A consent that is given at this very moment may lose keys that waited for a day: the owner's next catching up finds
   * them missing and wraps them again.
   */
  const dropUnclaimed = async (owner: string): Promise<void> => {
    for (const { _id, consentId, since } of await waiting.find({ owner: { $eq: owner } })) {
      const given = (await consents.findOne({ _id: { $eq: consentId } })) !== null;
      if (!given && since <= clock.now() - WAITING_MS) {
        await wrappedKeys.discard(owner, consentId);
      }
      if (given || since <= clock.now() - WAITING_MS) {
        await waiting.deleteOne({ _id: { $eq: _id } });
      }
    }
  };

  /** Marks what it did, so that the next request with no room does not pay for it again. */
  const dropEnded = async (owner: string): Promise<void> => {
    const over = await consents.find(
      {
        owner: { $eq: owner },
        keysGone: { $ne: true },
        $or: [{ revokedAt: { $ne: null } }, { until: { $lte: clock.now() } }],
      },
      { projection: { _id: 1 } },
    );
    for (const { _id } of over) {
      await wrappedKeys.discard(owner, _id);
      await consents.updateOne({ _id: { $eq: _id } }, { $set: { keysGone: true } });
    }
  };

  /** Notes which consents keys come for, before the keys come. */
  const awaitConsents = async (owner: string, consentIds: readonly string[]): Promise<void> => {
    for (const consentId of consentIds) {
      await waiting.updateOne(
        { _id: { $eq: idOf(owner, consentId) } },
        { $setOnInsert: { owner, consentId, since: clock.now() } },
        { upsert: true },
      );
    }
  };

  return {
    async require(owner, keys, givenConsents) {
      const more = await wrappedKeys.missing(keys);
      if (more === 0) {
        return;
      }
      const unclaimed = keys.filter(({ consentId }) => !givenConsents.has(consentId));
      const expected = [...new Set(unclaimed.map(({ consentId }) => consentId))];
      const moreUnclaimed = unclaimed.length === 0 ? 0 : await wrappedKeys.missing(unclaimed);
      const mayWait = async (): Promise<boolean> => {
        const { consentIds, keys: count } = await waitingOf(owner);
        const newOnes = expected.filter((id) => !consentIds.has(id)).length;
        return (
          consentIds.size + newOnes <= limits.waitingConsents && count + moreUnclaimed <= limits.waitingKeys
        );
      };
      if (moreUnclaimed > 0 && !(await mayWait())) {
        await dropUnclaimed(owner);
        if (!(await mayWait())) {
          throw limitReached(
            "WRAPPED_KEYS_WAITING",
            `At most ${limits.waitingKeys} wrapped keys wait for at most ${limits.waitingConsents} consents: give those first, or wait a day.`,
            limits.waitingKeys,
          );
        }
      }
      const hasRoom = async () => (await wrappedKeys.count(owner)) + more <= limits.wrappedKeys;
      if (!(await hasRoom())) {
        await dropEnded(owner);
        await dropUnclaimed(owner);
        if (!(await hasRoom())) {
          throw limitReached(
            "WRAPPED_KEYS_LIMIT",
            `One account has at most ${limits.wrappedKeys} wrapped keys: revoke consents that are not needed.`,
            limits.wrappedKeys,
          );
        }
      }
      await awaitConsents(owner, expected);
    },
    async claimed(owner, consentId) {
      await waiting.deleteOne({ _id: { $eq: idOf(owner, consentId) } });
    },
  };
}
