import type { Region, WrappedKey } from "../sealing/index.ts";
import { isDuplicate, type Store } from "../store/index.ts";

/** An epoch key sealed to the reader of one consent. Region and number are its epoch's, to check and sort by. */
export interface WrappedKeyRecord {
  /** `consent id, space, epoch id`: a key is kept once, however often it comes. */
  readonly _id: string;
  readonly consentId: string;
  readonly epochId: string;
  readonly owner: string;
  readonly reader: string;
  readonly region: Region;
  readonly number: number;
  readonly statement: string;
}

/** What is known of a key without its statement. */
export type KeyOutline = Omit<WrappedKeyRecord, "statement">;

/** A key by what it belongs to. */
type KeyPlace = Pick<WrappedKeyRecord, "consentId" | "epochId">;

/** Wrapped keys, a document each, so that no consent grows with the epochs. */
export interface WrappedKeys {
  /** Keeps a key; one that is there already stays as it is. False when it was there. */
  add(key: WrappedKey, epoch: { region: Region; number: number }, statement: string): Promise<boolean>;
  /** Every key that anybody stored under a consent's id, without the statements. */
  outlines(consentId: string): Promise<KeyOutline[]>;
  /** Keys of a consent in the order of epoch ids, from behind `after`. */
  page(consentId: string, after: string, limit: number): Promise<WrappedKeyRecord[]>;
  /** Those of the consents that have the epoch's key. */
  holders(epochId: string, consentIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** How many of some keys are not there yet. */
  missing(keys: readonly KeyPlace[]): Promise<number>;
  /** How many keys an owner has here, under any consent or under one. */
  count(owner: string, consentId?: string): Promise<number>;
  /** Throws an owner's keys under a consent away. */
  discard(owner: string, consentId: string): Promise<void>;
}

const idOf = (consentId: string, epochId: string) => `${consentId} ${epochId}`;

export async function createWrappedKeys(store: Store): Promise<WrappedKeys> {
  const keys = await store.collection<WrappedKeyRecord>({
    name: "wrapped_keys",
    indexes: [{ fields: { consentId: 1, epochId: 1 } }, { fields: { owner: 1, consentId: 1 } }],
  });
  return {
    async add({ consentId, epochId, owner, reader }, { region, number }, statement) {
      const _id = idOf(consentId, epochId);
      try {
        await keys.insertOne({ _id, consentId, epochId, owner, reader, region, number, statement });
        return true;
      } catch (error) {
        if (!isDuplicate(error)) {
          throw error;
        }
        return false;
      }
    },
    outlines: (consentId) => keys.find({ consentId: { $eq: consentId } }, { projection: { statement: 0 } }),
    page: (consentId, after, limit) =>
      keys.find({ consentId: { $eq: consentId }, epochId: { $gt: after } }, { sort: { epochId: 1 }, limit }),
    async holders(epochId, consentIds) {
      if (consentIds.length === 0) {
        return new Set();
      }
      const ids = consentIds.map((consentId) => idOf(consentId, epochId));
      const found = await keys.find({ _id: { $in: ids } }, { projection: { consentId: 1 } });
      return new Set(found.map(({ consentId }) => consentId));
    },
    async missing(places) {
      const ids = new Set(places.map(({ consentId, epochId }) => idOf(consentId, epochId)));
      return ids.size - (await keys.countDocuments({ _id: { $in: [...ids] } }));
    },
    count: (owner, consentId) =>
      keys.countDocuments({
        owner: { $eq: owner },
        ...(consentId === undefined ? {} : { consentId: { $eq: consentId } }),
      }),
    async discard(owner, consentId) {
      await keys.deleteMany({ owner: { $eq: owner }, consentId: { $eq: consentId } });
    },
  };
}
