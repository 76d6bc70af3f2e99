import { type Bytes, type Clock, MedcloudletError, randomBytes, toHex } from "../base/index.ts";
import {
  fingerprint,
  GUARDIAN_SHARE,
  identityKeys,
  keyThumbprint,
  verifyIdentity,
  verifyStatement,
} from "../sealing/index.ts";
import type { Store } from "../store/index.ts";
import type { Account } from "./accounts.ts";
import type { GuardianSet } from "./guardian-sets.ts";

/** Somebody who says they are an owner who lost everything, and what the guardians answered. */
export interface RecoveryRequest {
  readonly _id: string;
  /** Null where nobody of that handle has guardians: such a request looks alike and comes to nothing. */
  readonly owner: string | null;
  readonly setId: string | null;
  readonly guardians: readonly string[];
  /** The requester's temporary identity, its fingerprint, and the thumbprint of its signing key. */
  readonly identity: string;
  readonly fingerprint: string;
  readonly thumbprint: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly state: "open" | "vetoed";
  /** Who gave their share, beside the shares themselves. */
  readonly answered: readonly string[];
  readonly shares: readonly string[];
}

const LIFETIME_MS = 7 * 24 * 60 * 60 * 1000;

export interface RecoveryRequests {
  /** @throws MedcloudletError `STATEMENT_INVALID` */
  open(owner: Account | null, set: GuardianSet | null, identity: string): Promise<RecoveryRequest>;
  /** A request that has not expired, whatever became of it. */
  byId(requestId: string): Promise<RecoveryRequest | null>;
  ofOwner(accountId: string): Promise<RecoveryRequest[]>;
  /** Open requests that a guardian has yet to answer. */
  ofGuardian(accountId: string): Promise<RecoveryRequest[]>;
  /** Ends a request and forgets the shares. */
  veto(requestId: string): Promise<void>;
  /**
   * Takes a guardian's share, sealed to the requester's temporary key.
   * @throws MedcloudletError `STATEMENT_INVALID`, `RECOVERY_SHARE_MISMATCH`, `RECOVERY_REQUEST_CLOSED`
   */
  answer(request: RecoveryRequest, guardian: Account, guardianKey: Bytes, statement: string): Promise<void>;
}

export async function createRecoveryRequests(store: Store, clock: Clock): Promise<RecoveryRequests> {
  const requests = await store.collection<RecoveryRequest>({
    name: "recovery_requests",
    indexes: [{ fields: { owner: 1 } }, { fields: { expiresAt: 1 } }],
  });
  return {
    async open(owner, set, identity) {
      const keys = identityKeys(await verifyIdentity(identity));
      const now = clock.now();
      await requests.deleteMany({ expiresAt: { $lte: now } });
      const real = owner !== null && set !== null;
      const request: RecoveryRequest = {
        _id: toHex(randomBytes(16)),
        owner: real ? owner._id : null,
        setId: real ? set.set.setId : null,
        guardians: real ? set.set.guardians.map(({ guardian }) => guardian) : [],
        identity,
        fingerprint: fingerprint(keys),
        thumbprint: await keyThumbprint(keys.signingKey),
        createdAt: now,
        expiresAt: now + LIFETIME_MS,
        state: "open",
        answered: [],
        shares: [],
      };
      await requests.insertOne(request);
      return request;
    },
    byId: (requestId) => requests.findOne({ _id: { $eq: requestId }, expiresAt: { $gt: clock.now() } }),
    ofOwner: (accountId) =>
      requests.find(
        { owner: { $eq: accountId }, expiresAt: { $gt: clock.now() } },
        { sort: { createdAt: 1, _id: 1 } },
      ),
    ofGuardian: (accountId) =>
      requests.find(
        {
          guardians: { $eq: accountId },
          answered: { $ne: accountId },
          state: { $eq: "open" },
          expiresAt: { $gt: clock.now() },
        },
        { sort: { createdAt: 1, _id: 1 } },
      ),
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
