import { MedcloudletError } from "../../base/index.ts";
import { type Consent, fingerprint, identityKeys, type Region, verifyIdentity } from "../../sealing/index.ts";
import type { Owner } from "../owner.ts";
import type { CommunityMember } from "./member.ts";
import { nameOf } from "./names.ts";

/**
 * Shares regions of one's record with a partner, who then reads them as any reader does. The gate comes first; then the
 * partner's own identity card says whose key it is for; then, and only then, the wrapped keys go.
 *
 * The KDC learns that the two accounts share, as of every consent; it does not learn of the community.
 * @throws MedcloudletError `GATE_CLOSED` (403), `PARTNER_UNNAMED` (409) where the partner did not say who they are,
 *   `READER_CHANGED` (409)
 */
export async function shareWithPartner(input: {
  readonly member: CommunityMember;
  readonly owner: Owner;
  readonly partner: string;
  readonly regions: readonly Region[];
  readonly from: number;
  readonly until: number;
  readonly history?: Consent["history"];
  /** The partner's fingerprint as they told it, or as compared. */
  readonly expectedFingerprint: string;
}): Promise<Consent> {
  const { member, owner, partner, regions, from, until, history, expectedFingerprint } = input;
  await member.pass(partner, `to share ${regions.join(", ")}`);
  const card = member.cardOf(partner);
  if (card === null) {
    throw new MedcloudletError(
      "PARTNER_UNNAMED",
      `${nameOf(partner)} has not told you who they are: ask them to send a message as themselves (--as-myself).`,
      { status: 409 },
    );
  }
  const keys = identityKeys(await verifyIdentity(card.identity));
  const consent = await owner.share({
    reader: {
      handle: card.handle,
      accountId: card.accountId,
      fingerprint: fingerprint(keys),
      receivingKey: keys.receivingKey,
    },
    regions,
    purpose: "self-care",
    from,
    until,
    ...(history === undefined ? {} : { history }),
    expectedFingerprint,
  });
  await member.rememberShare(partner, consent.consentId);
  return consent;
}
