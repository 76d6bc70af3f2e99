import { isMedcloudletError } from "../../../base/index.ts";
import { type CommunityMember, knowCards, shareWithPartner, stateOf } from "../../../client/index.ts";
import { createDesk } from "../patient/desk.ts";
import type { Work } from "../work.ts";
import type { CommunityAct } from "./questions.ts";

/** Partners to whom the gate is closed, and who can read all the same: keys were given before. */
export async function readingPastClosedGate(work: Work, member: CommunityMember): Promise<Set<string>> {
  const given = (await member.partners())
    .filter(({ pseudonym, decision }) => !decision.share && member.sharesWith(pseudonym).length > 0)
    .map(({ pseudonym }) => pseudonym);
  if (given.length === 0) {
    return new Set();
  }
  try {
    const consents = await createDesk(work, { onChange: async () => {} })
      .look()
      .owner.consents();
    const inForce = new Set(
      consents
        .filter((entry) => ["live", "future"].includes(stateOf(entry, work.clock)))
        .map(({ consent }) => consent.consentId),
    );
    return new Set(given.filter((partner) => member.sharesWith(partner).some((id) => inForce.has(id))));
  } catch (error) {
    // Better a warning too many than one that the KDC can keep back.
    if (isMedcloudletError(error)) {
      return new Set(given);
    }
    throw error;
  }
}

type ShareAct = Extract<CommunityAct, { act: "share" }>;

/**
 * Lets partners read the medical part of one's record: past one's gate, and to who they showed to be.
 * What comes back throws MedcloudletError `GATE_CLOSED`, `PARTNER_UNNAMED`, `READER_CHANGED`
 */
export function createPartnerSharing(work: Work): (member: CommunityMember, act: ShareAct) => Promise<void> {
  // Readings of one's own take in within half a minute what keys began.
  const desk = createDesk(work, { onChange: async () => {} });
  return (member, { partner, forMs, fromNow, fingerprint }) =>
    desk.act(async ({ owner, emergency }) => {
      await owner.catchUp();
      await emergency.catchUp();
      if (!owner.epochs.some(({ region }) => region === "medical")) {
        await owner.startEpoch("medical");
      }
      const from = work.clock.now();
      const consent = await shareWithPartner({
        ...{ member, owner, partner, regions: ["medical"], from, until: from + forMs },
        ...(fromNow ? { history: "from-now" } : {}),
        expectedFingerprint: fingerprint,
      });
      const card = member.cardOf(partner);
      if (card !== null) {
        const compared = { handle: card.handle, fingerprint: consent.readerFingerprint };
        await work.save({ known: await knowCards(work.contents.known, [compared], work.session.lookUp) });
      }
      await emergency.catchUp();
    });
}
