import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import {
  type Bytes,
  type Clock,
  concatBytes,
  equalBytes,
  fromHex,
  MedcloudletError,
  randomBytes,
  toHex,
  utf8,
} from "../base/index.ts";
import {
  fingerprint,
  GUARDIAN_SHARE,
  identityKeys,
  keyThumbprint,
  verifyIdentity,
  verifyStatement,
} from "../sealing/index.ts";
import type { Store } from "../store/index.ts";
import { type Account, NOBODY } from "./accounts.ts";
import type { GuardianSet } from "./guardian-sets.ts";

/** Somebody who says they are an owner who lost everything, and what the guardians answered. */
export interface RecoveryRequest {
  readonly _id: string;
  readonly owner: string;
  readonly setId: string;
  readonly guardians: readonly string[];
  /** The requester's temporary identity and its fingerprint. */
  readonly identity: string;
  readonly fingerprint: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly state: "open" | "vetoed";
  /** Who gave their share, beside the shares themselves. */
  readonly answered: readonly string[];
  readonly shares: readonly string[];
}

/** What strangers can make of one handle in an hour: a guardian sees the newest so many, however many they made. */
const MOST_SHOWN_OF_OWNER = 20;
const LIFETIME_MS = 7 * 24 * 60 * 60 * 1000;
const TAG_BYTES = 8;

/**
 * Ids of requests: `minute 4 | random 4 | tag 8`, the tag over the rest and the requester's key. A request for a
 * handle that nobody has, or that has no guardians, need not be kept and is known by its id: strangers neither see the
 * difference nor fill the store.
 */
function createRequestIds(key: Bytes, clock: Clock) {
  const tagOf = (head: Bytes, thumbprint: string) =>
    hmac(sha256, key, concatBytes(head, utf8(thumbprint))).subarray(0, TAG_BYTES);
  return {
    make(thumbprint: string): string {
      const head = concatBytes(new Uint8Array(4), randomBytes(4));
      new DataView(head.buffer).setUint32(0, Math.floor(clock.now() / 60_000));
      return toHex(concatBytes(head, tagOf(head, thumbprint)));
    },
    /** True for an id that was made for this key and is not over. */
    isOf(requestId: string, thumbprint: string): boolean {
      const bytes = fromHex(requestId);
      const head = bytes.slice(0, bytes.length - TAG_BYTES);
      const madeAt = new DataView(head.buffer).getUint32(0) * 60_000;
      return (
        equalBytes(bytes.slice(head.length), tagOf(head, thumbprint)) && clock.now() < madeAt + LIFETIME_MS
      );
    },
  };
}

export interface RecoveryRequests {
  /** Keeps a request where there are guardians to ask. @throws MedcloudletError `STATEMENT_INVALID` */
  open(
    owner: Account | null,
    set: GuardianSet | null,
    identity: string,
  ): Promise<{ requestId: string; expiresAt: number }>;
  /** True for the key that a request was made with, kept or not. */
  isOf(requestId: string, thumbprint: string): boolean;
  /** A request that has not expired, whatever became of it. */
  byId(requestId: string): Promise<RecoveryRequest | null>;
  ofOwner(accountId: string): Promise<RecoveryRequest[]>;
  /** Open requests that a guardian has yet to answer, of each owner the newest twenty. */
  ofGuardian(accountId: string): Promise<RecoveryRequest[]>;
  /** Ends a request and forgets the shares. */
  veto(requestId: string): Promise<void>;
  /**
   * Takes a guardian's share, sealed to the requester's temporary key.
   * @throws MedcloudletError `STATEMENT_INVALID`, `RECOVERY_SHARE_MISMATCH`, `RECOVERY_REQUEST_CLOSED`
   */
  answer(request: RecoveryRequest, guardian: Account, guardianKey: Bytes, statement: string): Promise<void>;
}

/** `idKey`: 32 bytes that ids are made with. */
export async function createRecoveryRequests(
  store: Store,
  clock: Clock,
  idKey: Bytes,
): Promise<RecoveryRequests> {
  const ids = createRequestIds(idKey, clock);
  const requests = await store.collection<RecoveryRequest>({
    name: "recovery_requests",
    indexes: [{ fields: { owner: 1 } }, { fields: { expiresAt: 1 } }],
  });
  return {
    async open(owner, set, identity) {
      const keys = identityKeys(await verifyIdentity(identity));
      const requestId = ids.make(await keyThumbprint(keys.signingKey));
      const now = clock.now();
      const expiresAt = now - (now % 60_000) + LIFETIME_MS;
      await requests.deleteMany({ expiresAt: { $lte: now } });
      const real = owner !== null && set !== null;
      const request: Omit<RecoveryRequest, "_id"> = {
        owner: real ? owner._id : NOBODY,
        setId: real ? set.set.setId : NOBODY,
        guardians: real ? set.set.guardians.map(({ guardian }) => guardian) : [],
        identity,
        fingerprint: fingerprint(keys),
        createdAt: now,
        expiresAt,
        state: "open",
        answered: [],
        shares: [],
      };
      // What asks nobody is written over the last such request: it costs the same and fills no store.
      await requests.updateOne(
        { _id: { $eq: real ? requestId : NOBODY } },
        { $set: request },
        { upsert: true },
      );
      return { requestId, expiresAt };
    },
    isOf: ids.isOf,
    byId: (requestId) => requests.findOne({ _id: { $eq: requestId }, expiresAt: { $gt: clock.now() } }),
    ofOwner: (accountId) =>
      requests.find(
        { owner: { $eq: accountId }, expiresAt: { $gt: clock.now() } },
        { sort: { createdAt: 1, _id: 1 } },
      ),
    async ofGuardian(accountId) {
      const open = await requests.find(
        {
          guardians: { $eq: accountId },
          answered: { $ne: accountId },
          state: { $eq: "open" },
          expiresAt: { $gt: clock.now() },
        },
        { sort: { createdAt: -1, _id: -1 } },
      );
      const counts = new Map<string, number>();
      const shown = open.filter(({ owner }) => {
        const count = (counts.get(owner) ?? 0) + 1;
        counts.set(owner, count);
        return count <= MOST_SHOWN_OF_OWNER;
      });
      return shown.reverse();
    },
    async veto(requestId) {
      await requests.updateOne({ _id: { $eq: requestId } }, { $set: { state: "vetoed", shares: [] } });
    },
    async answer(request, guardian, guardianKey, statement) {
      const share = await verifyStatement(GUARDIAN_SHARE, statement, guardianKey);
      if (
        share.requestId !== request._id ||
        share.setId !== request.setId ||
        share.owner !== request.owner ||
        share.guardian !== guardian._id ||
        share.requesterFingerprint !== request.fingerprint
      ) {
        throw new MedcloudletError(
          "RECOVERY_SHARE_MISMATCH",
          "The share was given for another request, another key or by somebody else.",
          { status: 403 },
        );
      }
      const { modified } = await requests.updateOne(
        { _id: { $eq: request._id }, state: { $eq: "open" }, answered: { $ne: guardian._id } },
        { $push: { answered: guardian._id, shares: statement } },
      );
      if (modified === 0) {
        throw new MedcloudletError(
          "RECOVERY_REQUEST_CLOSED",
          "This request was vetoed by the owner, or you gave your share already.",
          { status: 409 },
        );
      }
    },
  };
}
