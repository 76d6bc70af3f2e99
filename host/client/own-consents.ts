import { type Bytes, type Clock, MedcloudletError } from "../base/index.ts";
import {
  CONSENT,
  type Consent,
  fingerprint,
  IDENTITY,
  identityKeys,
  REVOCATION,
  unverifiedPayload,
  verifyStatement,
} from "../sealing/index.ts";
import type { UnverifiedConsent } from "./kdc-consents.ts";

/** How a consent stands at a moment. */
export type ConsentState = "future" | "live" | "ended" | "revoked";

/** A consent that its owner gave, its signatures checked. */
export interface GivenConsent {
  readonly consent: Consent;
  /** When the owner revoked it, by the owner's clock; null where the KDC shows no revocation. */
  readonly revokedAt: number | null;
  /** The reader with the very key that the consent names; null when the KDC has another or none. */
  readonly reader: { readonly handle: string; readonly receivingKey: Bytes } | null;
}

/** How a consent stands now. */
export function stateOf(
  { consent, revokedAt }: Pick<GivenConsent, "consent" | "revokedAt">,
  clock: Clock,
): ConsentState {
  const now = clock.now();
  if (revokedAt !== null) {
    return "revoked";
  }
  return consent.until <= now ? "ended" : consent.from > now ? "future" : "live";
}

/**
 * Checks what the KDC says an owner consented to.
 * @throws MedcloudletError `STATEMENT_INVALID`, `CONSENT_OWNER_MISMATCH`
 */
export async function verifyGiven(
  { statement, revocation, reader }: UnverifiedConsent,
  owner: { readonly accountId: string; readonly signingKey: Bytes },
): Promise<GivenConsent> {
  const consent = await verifyStatement(CONSENT, statement, owner.signingKey);
  const ended = revocation === null ? null : await verifyStatement(REVOCATION, revocation, owner.signingKey);
  const foreign =
    consent.owner !== owner.accountId ||
    (ended !== null && (ended.owner !== owner.accountId || ended.consentId !== consent.consentId));
  if (foreign) {
    throw new MedcloudletError("CONSENT_OWNER_MISMATCH", "The KDC shows a consent that is not yours.", {
      status: 502,
    });
  }
  return { consent, revokedAt: ended?.revokedAt ?? null, reader: namedReader(consent, reader) };
}

/** The fingerprint that the owner signed covers both keys: the identity's own signature adds nothing, and costs. */
function namedReader(consent: Consent, account: UnverifiedConsent["reader"]): GivenConsent["reader"] {
  if (account === null || account.accountId !== consent.reader) {
    return null;
  }
  const keys = identityKeys(unverifiedPayload(IDENTITY, account.identity));
  return fingerprint(keys) === consent.readerFingerprint
    ? { handle: account.handle, receivingKey: keys.receivingKey }
    : null;
}
