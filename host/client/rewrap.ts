import { type Bytes, type Clock, isMedcloudletError } from "../base/index.ts";
import {
  type SealingSuite,
  type SigningKey,
  signStatement,
  WRAPPED_KEY,
  wrapEpochKey,
} from "../sealing/index.ts";
import { type Call, fetchMissing, KEYS_A_REQUEST, storeWrappedKeys } from "./kdc-consents.ts";
import { type GivenConsent, verifyGiven } from "./own-consents.ts";
import type { OwnedEpoch } from "./own-epochs.ts";

/** Wraps an epoch's key to a reader under a consent: a signed statement. */
export type Wrap = (
  to: { readonly consentId: string; readonly reader: string; readonly receivingKey: Bytes },
  epoch: Pick<OwnedEpoch, "epochId" | "privateKey">,
) => Promise<string>;

export function createWrap(options: {
  readonly suite: SealingSuite;
  readonly owner: string;
  readonly ownerName: string;
  readonly signing: SigningKey;
}): Wrap {
  const { suite, owner, ownerName, signing } = options;
  return async ({ consentId, reader, receivingKey }, { epochId, privateKey }) => {
    const binding = { consentId, owner, reader, epochId };
    const wrapped = await wrapEpochKey(suite, receivingKey, binding, { privateKey, ownerName });
    return signStatement(WRAPPED_KEY, wrapped, signing);
  };
}

/** What a round of wrapping came to. */
export interface Rewrapped {
  readonly wrapped: number;
  /** Consents left out: their reader's key is not the one that the consent names. */
  readonly skipped: readonly string[];
}

/**
 * Stores keys that belong to one epoch; a consent that ended meanwhile is left out, the others get theirs.
 * @returns how many were stored
 */
async function storeForLive(call: Call, keys: ReadonlyMap<string, string>): Promise<number> {
  const left = new Map(keys);
  while (left.size > 0) {
    try {
      await storeWrappedKeys(call, [...left.values()]);
      return left.size;
    } catch (error) {
      const ended = isMedcloudletError(error, "CONSENT_ENDED") ? error.details.consentId : undefined;
      if (typeof ended !== "string" || !left.delete(ended)) {
        throw error;
      }
    }
  }
  return 0;
}

/**
 * Wraps an epoch's key for every reader with a consent in force (or to come) on its region who lacks it: as many
 * operations as there are such readers. Cut off anywhere, the next call goes on with those who still lack it.
 *
 * The KDC says who lacks the key and is not believed: the consent must be the owner's own, not over, not among
 * those that the owner knows to have revoked, and the key that is wrapped to must be the one it names.
 */
export async function rewrapEpoch(options: {
  readonly call: Call;
  readonly clock: Clock;
  readonly wrap: Wrap;
  readonly owner: { readonly accountId: string; readonly signingKey: Bytes };
  readonly epoch: OwnedEpoch;
  readonly isRevoked: (consentId: string) => boolean;
  readonly onWrapped?: (count: number) => void;
}): Promise<Rewrapped> {
  const { call, clock, wrap, owner, epoch, isRevoked, onWrapped } = options;
  const skipped: string[] = [];
  let wrapped = 0;
  // One upload is under way while the next keys are wrapped.
  let upload: Promise<number> = Promise.resolve(0);
  const settle = async () => {
    const stored = await upload;
    wrapped += stored;
    if (stored > 0) {
      onWrapped?.(stored);
    }
  };

  const wrapFor = async ({ consent, reader }: GivenConsent): Promise<[string, string][]> => {
    const { consentId } = consent;
    if (isRevoked(consentId) || consent.until <= clock.now() || !consent.regions.includes(epoch.region)) {
      return [];
    }
    if (reader === null) {
      skipped.push(consentId);
      return [];
    }
    const { receivingKey } = reader;
    return [[consentId, await wrap({ consentId, reader: consent.reader, receivingKey }, epoch)]];
  };

  for await (const missing of fetchMissing(call, epoch.epochId)) {
    for (let i = 0; i < missing.length; i += KEYS_A_REQUEST) {
      // Together: sealing and signing run on the threads of WebCrypto.
      const keys = await Promise.all(
        missing.slice(i, i + KEYS_A_REQUEST).map(async (unverified) => {
          const given = await verifyGiven(unverified, owner);
          return given.revokedAt === null ? wrapFor(given) : [];
        }),
      );
      await settle();
      upload = storeForLive(call, new Map(keys.flat()));
      // Its failure is met where it is awaited; until then nobody shall take it for unhandled.
      upload.catch(() => {});
    }
  }
  await settle();
  return { wrapped, skipped };
}
