import { type Bytes, type Clock, MedcloudletError } from "../base/index.ts";
import type { Account } from "../identity/index.ts";
import {
  CONSENT,
  type Consent,
  type Region,
  type Revocation,
  verifyStatement,
  WRAPPED_KEY,
} from "../sealing/index.ts";
import { isDuplicate, type Store } from "../store/index.ts";
import type { EpochRecord, Epochs } from "./epochs.ts";
import { createKeyRoom } from "./key-room.ts";
import { KEY_LIMITS, type KeyLimits, limitReached } from "./limits.ts";
import { READERS_BY_PURPOSE } from "./purposes.ts";
import { createWrappedKeys, type KeyOutline, type WrappedKeyRecord } from "./wrapped-keys.ts";

/** A consent in force, ended or revoked. Its wrapped keys lie in a collection of their own. */
export interface ConsentRecord {
  readonly _id: string;
  readonly owner: string;
  readonly reader: string;
  readonly from: number;
  readonly until: number;
  readonly consent: Consent;
  readonly statement: string;
  /** When the KDC took the revocation in, by its own clock; null while there is none. */
  readonly revokedAt: number | null;
  readonly revocation: string | null;
  /** True once it is over and its keys are thrown away. */
  readonly keysGone?: boolean;
}

export interface Consents {
  /**
   * Takes wrapped keys in, before or after their consent. A key that is there already counts as taken.
   * @returns how many were new
   * @throws MedcloudletError `STATEMENT_INVALID`, `WRAPPED_KEY_MISMATCH`, `CONSENT_ENDED`, `WRAPPED_KEYS_WAITING`,
   *   `WRAPPED_KEYS_LIMIT`; then none was taken
   */
  storeKeys(input: { owner: string; ownerKey: Bytes; statements: readonly string[] }): Promise<number>;
  /**
   * Takes an owner's consent. The keys that make it real are stored before it: at least the newest epoch's of each
   * region, and none that the consent does not cover.
   * @throws MedcloudletError `CONSENT_OWNER_MISMATCH`, `CONSENT_READER_MISMATCH`, `CONSENT_READER_CLOSED`,
   *   `CONSENT_ROLE_MISMATCH`,
   *   `EPOCH_MISSING`, `CONSENT_KEYS_MISSING`, `WRAPPED_KEY_MISMATCH`, `CONSENT_EXISTS`, `CONSENT_LIMIT`
   */
  grant(input: { owner: string; reader: Account | null; consent: Consent; statement: string }): Promise<void>;
  /**
   * Ends a consent for good; from when this fulfils no question here finds it in force. Doing so twice is fine.
   * @throws MedcloudletError `CONSENT_UNKNOWN` when the owner gave no such consent
   */
  revoke(owner: string, revocation: Revocation, statement: string): Promise<ConsentRecord>;
  /** A consent that the owner gave, or null. */
  given(consentId: string, owner: string): Promise<ConsentRecord | null>;
  /** A consent that is in force now and names the reader, or null. */
  live(consentId: string, reader: string): Promise<ConsentRecord | null>;
  /** Consents in force that name a reader, by id, from behind `after`. */
  liveOfReader(reader: string, page?: Page): Promise<ConsentRecord[]>;
  /** All consents of an owner, by id, from behind `after`. */
  ofOwner(owner: string, page?: Page): Promise<ConsentRecord[]>;
  /** Wrapped keys of a consent, by epoch id, from behind `after`: only what its owner wrapped and it covers. */
  keysOf(record: ConsentRecord, page: Page): Promise<{ keys: WrappedKeyRecord[]; next: string | null }>;
  /**
   * Consents, in force or to come, that cover an epoch's region and lack the epoch's key.
   * @returns what was found among the next `limit` consents of the owner, and the id to go on from or null
   */
  lacking(epoch: EpochRecord, page: Page): Promise<{ records: ConsentRecord[]; next: string | null }>;
  /** Until when (ms since 1970 UTC) the owner lets the reader read the region; null when not now. */
  allowedUntil(owner: string, reader: string, region: Region): Promise<number | null>;
}

export interface Page {
  readonly after: string;
  readonly limit: number;
}

/** Verifies a consent statement. @throws MedcloudletError `STATEMENT_INVALID` */
export function verifyConsent(statement: string, ownerKey: Bytes): Promise<Consent> {
  return verifyStatement(CONSENT, statement, ownerKey);
}

const mismatch = () =>
  new MedcloudletError(
    "WRAPPED_KEY_MISMATCH",
    "A wrapped key belongs to something else than its consent: another owner, reader, region or time.",
    { status: 400 },
  );

const exists = (cause?: unknown) =>
  new MedcloudletError("CONSENT_EXISTS", "This consent was given already.", { status: 409, cause });

/** A consent is its owner's own, and names an open account with the key that the owner saw and a role for the purpose. */
function assertParties(consent: Consent, owner: string, reader: Account | null): asserts reader is Account {
  if (consent.owner !== owner) {
    throw new MedcloudletError(
      "CONSENT_OWNER_MISMATCH",
      "A consent is given by the owner of the data alone.",
      { status: 403 },
    );
  }
  if (reader?._id !== consent.reader || reader.fingerprint !== consent.readerFingerprint) {
    throw new MedcloudletError(
      "CONSENT_READER_MISMATCH",
      "The reader is unknown or has another key than the consent names: look the reader up again and compare.",
      { status: 409 },
    );
  }
  if (reader.suspendedAt !== null) {
    throw new MedcloudletError(
      "CONSENT_READER_CLOSED",
      "The reader's account is closed: nobody shares with them until it is open again.",
      { status: 409 },
    );
  }
  const roles = READERS_BY_PURPOSE[consent.purpose];
  if (!roles.includes(reader.role)) {
    throw new MedcloudletError(
      "CONSENT_ROLE_MISMATCH",
      `A consent for ${consent.purpose} names a ${roles.join(" or ")}, not a ${reader.role}.`,
      { status: 409 },
    );
  }
}

export async function createConsents(
  store: Store,
  epochs: Epochs,
  clock: Clock,
  limits: KeyLimits = KEY_LIMITS,
): Promise<Consents> {
  const consents = await store.collection<ConsentRecord>({
    name: "consents",
    indexes: [{ fields: { reader: 1, until: 1 } }, { fields: { owner: 1, reader: 1 } }],
  });
  const wrappedKeys = await createWrappedKeys(store);
  const room = await createKeyRoom(store, { consents, wrappedKeys, clock, limits });

  const inForce = () => {
    const now = clock.now();
    return { from: { $lte: now }, until: { $gt: now }, revokedAt: { $eq: null } };
  };
  const paged = (page: Page | undefined) =>
    page === undefined ? {} : { sort: { _id: 1 } as const, limit: page.limit };
  const behind = (page: Page | undefined) => (page === undefined ? {} : { _id: { $gt: page.after } });

  /** Whether a consent lets its reader have an epoch's key at all. */
  const covers = async (consent: Consent, epoch: EpochRecord): Promise<boolean> => {
    if (
      epoch.owner !== consent.owner ||
      !consent.regions.includes(epoch.region) ||
      epoch.epoch.createdAt >= consent.until
    ) {
      return false;
    }
    if (consent.history !== "from-now") {
      return true;
    }
    const successor = await epochs.numbered(epoch.owner, epoch.region, epoch.number + 1);
    return successor === null || successor.epoch.createdAt > consent.from;
  };

  const assertCovered = async (
    consent: Consent,
    keys: readonly Pick<KeyOutline, "owner" | "reader" | "epochId">[],
  ): Promise<void> => {
    const known = await epochs.withIds(keys.map(({ epochId }) => epochId));
    for (const { owner, reader, epochId } of keys) {
      const epoch = known.get(epochId);
      const fits =
        owner === consent.owner &&
        reader === consent.reader &&
        epoch !== undefined &&
        (await covers(consent, epoch));
      if (!fits) {
        throw mismatch();
      }
    }
  };

  return {
    async storeKeys({ owner, ownerKey, statements }) {
      const keys = await Promise.all(
        statements.map(async (statement) => ({
          statement,
          key: await verifyStatement(WRAPPED_KEY, statement, ownerKey),
        })),
      );
      const known = await epochs.withIds(keys.map(({ key }) => key.epochId));
      if (keys.some(({ key }) => key.owner !== owner || known.get(key.epochId)?.owner !== owner)) {
        throw mismatch();
      }
      const consentIds = [...new Set(keys.map(({ key }) => key.consentId))];
      const given = await consents.find({ _id: { $in: consentIds } });
      for (const record of given) {
        if (record.owner === owner && (record.revokedAt !== null || record.until <= clock.now())) {
          throw new MedcloudletError("CONSENT_ENDED", "The consent is over: nothing is wrapped for it.", {
            status: 409,
            details: { consentId: record._id },
          });
        }
        const own = keys.filter(({ key }) => key.consentId === record._id).map(({ key }) => key);
        await assertCovered(record.consent, own);
      }
      await room.require(
        owner,
        keys.map(({ key }) => key),
        new Set(given.map(({ _id }) => _id)),
      );
      const added = await Promise.all(
        keys.map(({ key, statement }) =>
          wrappedKeys.add(key, known.get(key.epochId) as EpochRecord, statement),
        ),
      );
      return added.filter(Boolean).length;
    },
    async grant({ owner, reader, consent, statement }) {
      assertParties(consent, owner, reader);
      const { consentId, from, until } = consent;
      if ((await consents.findOne({ _id: { $eq: consentId } })) !== null) {
        throw exists();
      }
      if ((await consents.countDocuments({ owner: { $eq: owner } })) >= limits.consents) {
        throw limitReached(
          "CONSENT_LIMIT",
          `One account gives at most ${limits.consents} consents in all: somebody who reads already needs no other.`,
          limits.consents,
        );
      }
      const keys = await wrappedKeys.outlines(consentId);
      await assertCovered(consent, keys);
      for (const region of consent.regions) {
        const { _id: newest } = await epochs.current(owner, region);
        if (!keys.some(({ epochId }) => epochId === newest)) {
          throw new MedcloudletError(
            "CONSENT_KEYS_MISSING",
            `Store the wrapped key of the newest epoch of ${region} first: a consent without it lets nobody read.`,
            { status: 409 },
          );
        }
      }
      try {
        await consents.insertOne({
          _id: consentId,
          owner,
          reader: consent.reader,
          from,
          until,
          consent,
          statement,
          revokedAt: null,
          revocation: null,
        });
      } catch (cause) {
        if (!isDuplicate(cause)) {
          throw cause;
        }
        throw exists(cause);
      }
      await room.claimed(owner, consentId);
    },
    async revoke(owner, { consentId }, statement) {
      const own = { _id: { $eq: consentId }, owner: { $eq: owner } };
      await consents.updateOne(
        { ...own, revokedAt: { $eq: null } },
        { $set: { revokedAt: clock.now(), revocation: statement } },
      );
      const record = await consents.findOne(own);
      if (record === null) {
        throw new MedcloudletError(
          "CONSENT_UNKNOWN",
          "You gave no consent with this id: look it up in the list of your consents.",
          { status: 404 },
        );
      }
      return record;
    },
    given: (consentId, owner) => consents.findOne({ _id: { $eq: consentId }, owner: { $eq: owner } }),
    live: (consentId, reader) =>
      consents.findOne({ _id: { $eq: consentId }, reader: { $eq: reader }, ...inForce() }),
    liveOfReader: (reader, page) =>
      consents.find({ reader: { $eq: reader }, ...inForce(), ...behind(page) }, paged(page)),
    ofOwner: (owner, page) => consents.find({ owner: { $eq: owner }, ...behind(page) }, paged(page)),
    async keysOf({ _id, owner, reader, consent }, { after, limit }) {
      const found = await wrappedKeys.page(_id, after, limit);
      // A key of another owner or region can lie here only if it came before its consent; it opens nothing.
      const keys = found.filter(
        (key) => key.owner === owner && key.reader === reader && consent.regions.includes(key.region),
      );
      return { keys, next: found.length < limit ? null : (found.at(-1)?.epochId ?? null) };
    },
    async lacking({ _id: epochId, owner, region, epoch }, page) {
      const open = await consents.find(
        {
          owner: { $eq: owner },
          until: { $gt: Math.max(clock.now(), epoch.createdAt) },
          revokedAt: { $eq: null },
          ...behind(page),
        },
        paged(page),
      );
      const covering = open.filter(({ consent }) => consent.regions.includes(region));
      const have = await wrappedKeys.holders(
        epochId,
        covering.map(({ _id }) => _id),
      );
      return {
        records: covering.filter(({ _id }) => !have.has(_id)),
        next: open.length < page.limit ? null : (open.at(-1)?._id ?? null),
      };
    },
    async allowedUntil(owner, reader, region) {
      const live = await consents.find({ owner: { $eq: owner }, reader: { $eq: reader }, ...inForce() });
      const fitting = live.filter(({ consent }) => consent.regions.includes(region));
      return fitting.length === 0 ? null : Math.max(...fitting.map(({ until }) => until));
    },
  };
}
