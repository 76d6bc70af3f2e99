import { combine, split } from "shamir-secret-sharing";
import {
  type Bytes,
  concatBytes,
  equalBytes,
  fromBase64Url,
  fromHex,
  MedcloudletError,
  toBase64Url,
  utf8,
} from "../base/index.ts";
import type { Recipient, SealingSuite } from "../sealing/index.ts";
import { recoveryCommitment } from "./recovery-code.ts";

const VERSION = 1;
const COMMITMENT_BYTES = 32;
/** The code's 20 bytes and the share's own coordinate. */
const SHARE_BYTES = 21;
const PACKED_BYTES = 2 + COMMITMENT_BYTES + SHARE_BYTES;

const TO_GUARDIAN = utf8("medcloudlet guardian share v1");
const TO_REQUESTER = utf8("medcloudlet returned share v1");

/** One of n shares of a recovery code (Shamir over GF(256)); fewer than the threshold say nothing of the code. */
export type PackedShare = Bytes;

/** A share sealed to somebody. */
export interface SealedShare {
  readonly enc: string;
  readonly ciphertext: string;
}

/** Splits a code: `version 1 | threshold | commitment 32 | share 21` for each guardian. */
export async function splitCode(code: Bytes, count: number, threshold: number): Promise<PackedShare[]> {
  const head = concatBytes(new Uint8Array([VERSION, threshold]), recoveryCommitment(code));
  return (await split(code, count, threshold)).map((share) => concatBytes(head, share));
}

/** Every choice of `size` out of a list. */
function* choices<T>(list: readonly T[], size: number): Generator<T[]> {
  if (size === 0) {
    yield [];
    return;
  }
  for (const [i, first] of list.entries()) {
    for (const others of choices(list.slice(i + 1), size - 1)) {
      yield [first, ...others];
    }
  }
}

/**
 * The code of enough shares. A share that somebody falsified is passed over as long as enough others are there.
 * @throws MedcloudletError `RECOVERY_SHARES_FEW` with `have` and `needed`
 */
export async function combineShares(packed: readonly PackedShare[]): Promise<Bytes> {
  const sets = new Map<string, Bytes[]>();
  for (const share of packed) {
    if (share.length === PACKED_BYTES && share[0] === VERSION) {
      const head = toBase64Url(share.subarray(0, 2 + COMMITMENT_BYTES));
      sets.set(head, [...(sets.get(head) ?? []), share.slice(2 + COMMITMENT_BYTES)]);
    }
  }
  let nearest = { have: 0, needed: 2 };
  for (const [head, shares] of sets) {
    const [, needed = 0] = fromBase64Url(head);
    const commitment = fromBase64Url(head).slice(2);
    if (needed >= 2 && needed - shares.length < nearest.needed - nearest.have) {
      nearest = { have: shares.length, needed };
    }
    for (const chosen of needed >= 2 ? choices(shares, needed) : []) {
      // Two copies of one share are one share: the library refuses them.
      const code = await combine(chosen).catch(() => null);
      if (code !== null && equalBytes(recoveryCommitment(new Uint8Array(code)), commitment)) {
        return new Uint8Array(code);
      }
    }
  }
  throw new MedcloudletError(
    "RECOVERY_SHARES_FEW",
    `${nearest.have} of the ${nearest.needed} shares that are needed are there: ask more guardians.`,
    { status: 409, details: nearest },
  );
}

function seal(suite: SealingSuite, info: Bytes) {
  return async (publicKey: Bytes, aad: Bytes, share: PackedShare): Promise<SealedShare> => {
    const { enc, ciphertext } = await suite.seal(publicKey, info, aad, share);
    return { enc: toBase64Url(enc), ciphertext: toBase64Url(ciphertext) };
  };
}

function open(recipient: Recipient, info: Bytes, aad: Bytes, sealed: SealedShare): Promise<PackedShare> {
  const { enc, ciphertext } = sealed;
  return recipient.open({ enc: fromBase64Url(enc), ciphertext: fromBase64Url(ciphertext) }, info, aad);
}

const idsOf = (...ids: string[]): Bytes => concatBytes(...ids.map(fromHex));

/** Sealing shares to guardians, and from guardians to a requester; each share opens in its own place alone. */
export function createShareSealing(suite: SealingSuite) {
  return {
    toGuardian: (
      place: { owner: string; setId: string; guardian: string },
      publicKey: Bytes,
      share: PackedShare,
    ) => seal(suite, TO_GUARDIAN)(publicKey, idsOf(place.owner, place.setId, place.guardian), share),
    toRequester: (place: { requestId: string; guardian: string }, publicKey: Bytes, share: PackedShare) =>
      seal(suite, TO_REQUESTER)(publicKey, idsOf(place.requestId, place.guardian), share),
  };
}

/** Opens a guardian's own share. @throws MedcloudletError `SEALED_OPEN_FAILED` */
export function openGuardianShare(
  guardian: Recipient,
  place: { readonly owner: string; readonly setId: string; readonly guardian: string },
  sealed: SealedShare,
): Promise<PackedShare> {
  return open(guardian, TO_GUARDIAN, idsOf(place.owner, place.setId, place.guardian), sealed);
}

/** Opens a share that a guardian gave back. @throws MedcloudletError `SEALED_OPEN_FAILED` */
export function openReturnedShare(
  requester: Recipient,
  place: { readonly requestId: string; readonly guardian: string },
  sealed: SealedShare,
): Promise<PackedShare> {
  return open(requester, TO_REQUESTER, idsOf(place.requestId, place.guardian), sealed);
}
