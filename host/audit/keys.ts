import { type Clock, toBase64Url } from "../base/index.ts";
import { AUDIT_KEY, type SigningKey, signStatement } from "../sealing/index.ts";
import { type Collection, isDuplicate } from "../store/index.ts";
import { entryId } from "./writer.ts";

/** A key that signs or signed heads. `_id` counts up. */
export interface StoredKey {
  readonly _id: string;
  /** Public Ed25519 key, base64url. */
  readonly key: string;
  /** The key before says so (`medcloudlet-audit-key`); null for the first, and after a key was lost. */
  readonly statement: string | null;
  readonly at: number;
}

/** What happened to the log's key at this start. */
export type KeyChange = "first" | "same" | "handed-over" | "lost";

/**
 * Finds out whether the log goes on with the key it had. A new key is handed over to when the previous one is here to
 * sign that; otherwise the break is recorded and everybody who pinned the old key has to be told by a person.
 */
export async function settleKey(options: {
  readonly log: string;
  readonly key: SigningKey;
  readonly previousKey: SigningKey | null;
  readonly clock: Clock;
  readonly collection: Collection<StoredKey>;
}): Promise<{ readonly change: KeyChange; readonly keys: readonly StoredKey[] }> {
  const { log, previousKey, clock, collection } = options;
  const known = await collection.find({}, { sort: { _id: 1 } });
  const last = known.at(-1);
  const key = toBase64Url(options.key.publicKey);
  if (last?.key === key) {
    return { change: "same", keys: known };
  }
  const at = clock.now();
  const knowsPrevious = previousKey !== null && last?.key === toBase64Url(previousKey.publicKey);
  const statement = knowsPrevious ? await signStatement(AUDIT_KEY, { log, key, at }, previousKey) : null;
  const added: StoredKey = { _id: entryId(known.length + 1), key, statement, at };
  try {
    await collection.insertOne(added);
  } catch (error) {
    if (isDuplicate(error)) {
      return settleKey(options); // another process was faster
    }
    throw error;
  }
  return {
    change: last === undefined ? "first" : knowsPrevious ? "handed-over" : "lost",
    keys: [...known, added],
  };
}
