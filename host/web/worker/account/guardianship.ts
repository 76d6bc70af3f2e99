import { MedcloudletError } from "../../../base/index.ts";
import {
  CONTACT_CARD,
  type ContactCard,
  cardFingerprint,
  giveShare,
  handlesByFingerprint,
  knowCards,
  namedGuardians,
  nameGuardians,
  recoveryRequests,
  vetoRecovery,
  withdrawGuardians,
} from "../../../client/index.ts";
import type { Answers } from "../messages.ts";
import { cardKnownAs, knownAs } from "../patient/sharing.ts";
import type { Work } from "../work.ts";
import type { GuardianQuestions } from "./questions.ts";

function cardOf(text: string): ContactCard {
  try {
    return CONTACT_CARD.parse(JSON.parse(text));
  } catch (cause) {
    throw new MedcloudletError(
      "CONTACT_CARD_INVALID",
      "This is no contact card: whoever it is of finds theirs under Account, and sends it anew.",
      { status: 400, cause },
    );
  }
}

/** People who together bring an account back: naming them, and being one. */
export function createGuardianship(work: Work): Answers<GuardianQuestions> {
  const { session, suite, clock, keys } = work;

  return {
    async guardians() {
      const named = await namedGuardians(session, keys);
      const { own } = await recoveryRequests(session);
      const handles = handlesByFingerprint(work.contents.known);
      return {
        named:
          named === null
            ? null
            : {
                threshold: named.threshold,
                createdAt: named.createdAt,
                guardians: named.guardians.map(({ fingerprint }) => ({
                  handle: handles.get(fingerprint) ?? null,
                  fingerprint,
                })),
              },
        requests: own,
      };
    },
    async findGuardian({ given }) {
      const text = given.trim();
      const isCard = text.startsWith("{");
      const found = isCard ? cardOf(text) : await session.lookUp(text.toLowerCase());
      const { accountId, handle, identity } = found;
      const card: ContactCard = { accountId, handle, identity };
      const fingerprint = await cardFingerprint(card);
      const { known } = work.contents;
      return {
        ...{ handle, fingerprint, card: JSON.stringify(card) },
        known: isCard ? cardKnownAs(known, card.handle, fingerprint) : knownAs(known, handle, fingerprint),
      };
    },
    async nameGuardians({ guardians, threshold, ...given }) {
      const cards = guardians.map(({ card }) => cardOf(card));
      for (const [i, { handle, fingerprint }] of guardians.entries()) {
        if ((await cardFingerprint(cards[i] as ContactCard)) !== fingerprint) {
          throw new MedcloudletError(
            "READER_CHANGED",
            `The card of ${handle} is another than you compared.`,
            {
              status: 409,
            },
          );
        }
      }
      // What another machine or tab kept belongs behind the guardians' code, too.
      await work.catchUp();
      await nameGuardians({
        ...{ session, suite, clock, keys, cards, threshold, given },
        contents: work.contents,
      });
      const compared = cards.map(({ handle }, i) => ({
        handle,
        fingerprint: guardians[i]?.fingerprint ?? "",
      }));
      await work.save({ known: await knowCards(work.contents.known, compared, session.lookUp) });
      return null;
    },
    async withdrawGuardians(given) {
      await withdrawGuardians(session, given);
      return null;
    },
    async vetoRecovery({ requestId }) {
      await vetoRecovery(session, requestId);
      return null;
    },
    contactCard() {
      const { accountId, handle, identity } = session.account;
      return { text: JSON.stringify({ accountId, handle, identity } satisfies ContactCard) };
    },
    async guarded() {
      const { toAnswer } = await recoveryRequests(session);
      return toAnswer.map(({ requestId, owner, fingerprint, createdAt, expiresAt }) => ({
        ...{ requestId, handle: owner.handle, fingerprint, createdAt, expiresAt },
      }));
    },
    async giveShare({ requestId, fingerprint }) {
      const { toAnswer } = await recoveryRequests(session);
      const asked = toAnswer.find((one) => one.requestId === requestId);
      if (asked === undefined) {
        throw new MedcloudletError("RECOVERY_REQUEST_UNKNOWN", "Nobody asks you for this any more.", {
          status: 404,
        });
      }
      await giveShare({ session, suite, clock, keys, asked, expectedFingerprint: fingerprint });
      return null;
    },
  };
}
