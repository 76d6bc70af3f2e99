import {
  type Bytes,
  type Clock,
  fromBase64Url,
  MedcloudletError,
  randomBytes,
  toHex,
} from "../base/index.ts";
import { readAuditHead, type SignedHead, type SigningKey } from "../sealing/index.ts";
import type { Collection, Store } from "../store/index.ts";
import type { AuditEntry, AuditEvent } from "./chain.ts";
import { createHeadSigner, type StoredHead } from "./heads.ts";
import { type KeyChange, type StoredKey, settleKey } from "./keys.ts";
import type { StoredTurn } from "./turns.ts";
import type { WitnessFile } from "./witness.ts";
import { createChainWriter, entryId, type StoredEntry } from "./writer.ts";

/** Entries after which a head is signed, and the longest that an entry waits for one. */
const EVERY_ENTRIES = 1000;
const EVERY_MS = 10_000;
/** Entries and heads that one call gives. */
export const MAX_PAGE = 1000;

/** Which entries to give. */
export interface EntryQuery {
  /** Only entries behind this sequence number. */
  readonly after: number;
  /** At most so many, and at most `MAX_PAGE`. */
  readonly limit: number;
  /** Only entries that concern this patient. */
  readonly owner?: string;
  /** Only entries of what this account or device did. */
  readonly actor?: string;
  /** Only entries of which this account is the owner or the actor. */
  readonly about?: string;
}

/** A head with the entry that it vouches for. */
export type NumberedHead = Omit<StoredHead, "_id">;

/** The log of a service. */
export interface AuditLog {
  /** 16 random bytes as hex, made with the log. */
  readonly id: string;
  /** Public key that signs heads now. */
  readonly key: Bytes;
  /** What happened to the key when the log was opened. */
  readonly keyChange: KeyChange;
  /** Statements by which each key handed over to the next, the oldest first. */
  readonly keyStatements: readonly string[];
  /**
   * Fulfils once the entry is on disk.
   * @throws MedcloudletError `AUDIT_EVENT_INVALID`, `AUDIT_LOG_DAMAGED`, and the store's errors, after which the entry
   *   may be there or not
   */
  append(event: AuditEvent): Promise<AuditEntry>;
  /** A signed head of everything that is in the log now. */
  head(): Promise<SignedHead>;
  /** In the order of the chain. */
  entries(query: EntryQuery): Promise<AuditEntry[]>;
  /** Signed heads for entries behind `after`, in order; at most `MAX_PAGE`. */
  heads(query: { readonly after: number; readonly limit: number }): Promise<NumberedHead[]>;
  /** Signs what has no head yet. The log is not to be used afterwards. */
  close(): Promise<void>;
}

interface Meta {
  readonly _id: string;
  readonly log: string;
  readonly createdAt: number;
}

/**
 * An append-only log: a chain of hashes whose end is signed again and again.
 *
 * What it withstands. Whoever can edit the database, and has no key, cannot change, remove, add or move an entry below
 * the newest signed head without being found by the verifier; removing the newest entries together with their heads is
 * found by the witness file, which lies beside the key, at the next start, and by every head that somebody else kept.
 * Entries without a head yet (the last 10 seconds at most) are held by the memory of the running process only.
 *
 * What it does not. Whoever has the database AND the key file can write a new history from any entry on and sign it. It
 * is found only by heads kept elsewhere: by patients, who get one with their own log, and by the security officer, who
 * exports them. Below the newest of those nothing can be changed unseen. Whoever runs the process can also leave out
 * what they do from the start; no log of its own can tell that.
 *
 * @throws MedcloudletError `AUDIT_LOG_BEHIND` when the log lacks entries that a signed head has seen
 */
export async function createAuditLog(options: {
  readonly store: Store;
  readonly clock: Clock;
  /** Signs heads; lies in a file beside the database. */
  readonly key: SigningKey;
  /** The key before, at the first start after a change of keys. */
  readonly previousKey?: SigningKey;
  readonly witness?: WitnessFile;
  readonly everyEntries?: number;
  readonly everyMs?: number;
  /** Told of a head that could not be written. */
  readonly onTrouble: (error: unknown) => void;
}): Promise<AuditLog> {
  const { store, clock, key, witness = null } = options;
  const entries = await store.collection<StoredEntry>({
    name: "audit",
    indexes: [{ fields: { owner: 1, sequence: 1 } }, { fields: { actor: 1, sequence: 1 } }],
  });
  const heads = await store.collection<StoredHead>({ name: "audit_heads", indexes: [] });
  const storedKeys = await store.collection<StoredKey>({ name: "audit_keys", indexes: [] });
  const id = await logId(store, clock);
  const { change, keys } = await settleKey({
    log: id,
    key,
    previousKey: options.previousKey ?? null,
    clock,
    collection: storedKeys,
  });
  const newest = await newestHead({ id, keys, entries, heads, witness });

  const signer = createHeadSigner({
    log: id,
    key,
    clock,
    collection: heads,
    witness,
    newest,
    everyEntries: options.everyEntries ?? EVERY_ENTRIES,
    everyMs: options.everyMs ?? EVERY_MS,
    onTrouble: options.onTrouble,
  });
  const turns = await store.collection<StoredTurn>({ name: "audit_turns", indexes: [] });
  const writer = createChainWriter({ log: id, collection: entries, turns, clock, onCommitted: signer.grown });
  await recordStart(writer.append, change, keys);

  return {
    id,
    key: key.publicKey,
    keyChange: change,
    keyStatements: keys.flatMap(({ statement }) => statement ?? []),
    append: writer.append,
    head: async () => signer.sign(await writer.end()),
    entries: (query) => readEntries(entries, query),
    async heads({ after, limit }) {
      const found = await heads.find(
        { _id: { $gt: entryId(after) } },
        { sort: { _id: 1 }, limit: Math.min(limit, MAX_PAGE) },
      );
      return found.map(({ sequence, statement }) => ({ sequence, statement }));
    },
    async close() {
      await writer.end().then(signer.sign).catch(options.onTrouble);
      await signer.stop();
      await witness?.close();
    },
  };
}

/** Each query has an index of its own: the two of `about` are merged here. */
async function readEntries(entries: Collection<StoredEntry>, query: EntryQuery): Promise<AuditEntry[]> {
  const { after, owner, actor, about } = query;
  const limit = Math.min(query.limit, MAX_PAGE);
  if (about !== undefined) {
    const { about: _, ...rest } = query;
    const found = [
      ...(await readEntries(entries, { ...rest, owner: about })),
      ...(await readEntries(entries, { ...rest, actor: about })),
    ];
    const unique = [...new Map(found.map((entry) => [entry.sequence, entry])).values()];
    return unique.sort((a, b) => a.sequence - b.sequence).slice(0, limit);
  }
  const found =
    owner === undefined && actor === undefined
      ? await entries.find({ _id: { $gt: entryId(after) } }, { sort: { _id: 1 }, limit })
      : await entries.find(
          {
            sequence: { $gt: after },
            ...(owner === undefined ? {} : { owner: { $eq: owner } }),
            ...(actor === undefined ? {} : { actor: { $eq: actor } }),
          },
          { sort: { sequence: 1 }, limit },
        );
  return found.map(({ _id, writer, ...entry }) => entry);
}

/** The log's own id, made once. */
async function logId(store: Store, clock: Clock): Promise<string> {
  const metas = await store.collection<Meta>({ name: "audit_log", indexes: [] });
  await metas.updateOne(
    { _id: "log" },
    { $setOnInsert: { log: toHex(randomBytes(16)), createdAt: clock.now() } },
    { upsert: true },
  );
  const meta = await metas.findOne({ _id: "log" });
  return (meta as Meta).log;
}

/** The newest head of store and witness, once the log is known to hold what it vouches for. */
async function newestHead(options: {
  readonly id: string;
  readonly keys: readonly StoredKey[];
  readonly entries: Collection<StoredEntry>;
  readonly heads: Collection<StoredHead>;
  readonly witness: WitnessFile | null;
}): Promise<SignedHead | null> {
  const { id, entries, witness } = options;
  const keys = options.keys.map(({ key }) => fromBase64Url(key));
  const stored = await options.heads.find({}, { sort: { _id: -1 }, limit: 1 });
  const witnessed = (await witness?.tail()) ?? [];
  const statements = [
    ...stored.map(({ statement }) => statement),
    ...witnessed.flatMap((line) => (line.kind === "head" ? line.statement : [])).slice(-1),
  ];
  let newest: SignedHead | null = null;
  for (const statement of statements) {
    const signed = await readAuditHead(statement, keys);
    const { head } = signed ?? {};
    const entry = head?.log === id ? await entries.findOne({ _id: entryId(head.sequence) }) : null;
    if (head === undefined || entry?.hash !== head.hash) {
      throw new MedcloudletError(
        "AUDIT_LOG_BEHIND",
        "The audit log lacks entries that were there when the last head was signed" +
          `${head === undefined ? "" : ` (entry ${head.sequence}, ${new Date(head.at).toISOString()})`}: somebody ` +
          "removed or changed them, or an older backup was restored. Restore the newest database; OPERATIONS, " +
          '"The audit log", says what to do when there is none.',
        { details: { log: id, ...(head === undefined ? {} : { sequence: head.sequence }) } },
      );
    }
    if (newest === null || head.sequence > newest.head.sequence) {
      newest = signed;
    }
  }
  return newest;
}

/** The log's first entries are about itself. */
async function recordStart(
  append: (event: AuditEvent) => Promise<AuditEntry>,
  change: KeyChange,
  keys: readonly StoredKey[],
): Promise<void> {
  const action = {
    first: "audit.begin",
    "handed-over": "audit.key-change",
    lost: "audit.key-loss",
    same: null,
  }[change];
  if (action !== null) {
    await append({
      action,
      actor: null,
      actorRole: "service",
      owner: null,
      object: null,
      outcome: "success",
      code: null,
      requestId: null,
      details: { key: keys.at(-1)?.key ?? "" },
    });
  }
}
