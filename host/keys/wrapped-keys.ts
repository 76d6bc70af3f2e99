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

/** Wrapped keys, a document each, so that no consent grows with the epochs. */
export interface WrappedKeys {
  /** Keeps a key; one that is there already stays as it is. False when it was there. */
  add(key: WrappedKey, epoch: { region: Region; number: number }, statement: string): Promise<boolean>;
  /** Every key that an owner stored for a consent, without the statements. */
  outlines(consentId: string, owner: string): Promise<KeyOutline[]>;
  /** Keys of a consent in the order of epoch ids, from behind `after`. */
  page(consentId: string, after: string, limit: number): Promise<WrappedKeyRecord[]>;
  /** Those of the consents that have the epoch's key. */
  holders(epochId: string, consentIds: readonly string[]): Promise<ReadonlySet<string>>;
}

const idOf = (consentId: string, epochId: string) => `${consentId} ${epochId}`;

export async function createWrappedKeys(store: Store): Promise<WrappedKeys> {
  const keys = await store.collection<WrappedKeyRecord>({
    name: "wrapped_keys",
    indexes: [{ fields: { consentId: 1, epochId: 1 } }],
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
  };
}
