import { type CommunityMember, knowCards, shareWithPartner } from "../../../client/index.ts";
import { createDesk } from "../patient/desk.ts";
import type { Work } from "../work.ts";
import type { CommunityAct } from "./questions.ts";

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
