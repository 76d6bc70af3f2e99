import { isMedcloudletError } from "../../base/index.ts";
import { unverifiedPayload } from "../../sealing/index.ts";
import { FEEDBACK, RECEIPT, verifyFeedback } from "../../trust/index.ts";
import { type Desk, memberOf } from "./desk.ts";
import type { RelayedRating } from "./relay.ts";
import type { BookRating } from "./trust-book.ts";

/**
 * Checks somebody's word on an exchange: signed by the rater, with a receipt that both parties of the exchange signed,
 * all under credentials of this community. The relay can leave words out and put none into anybody's mouth.
 * @returns null for one that does not verify
 */
async function verifyWord(desk: Desk, { statement, receipt }: RelayedRating): Promise<BookRating | null> {
  try {
    const { asker, answerer } = unverifiedPayload(RECEIPT, receipt.byAsker);
    const { rater } = unverifiedPayload(FEEDBACK, statement);
    const [asking, answering] = [await memberOf(desk, asker), await memberOf(desk, answerer)];
    // Whoever lost a key has several credentials; which of them signed shows only by trying.
    for (const asked of asking.credentials) {
      for (const answered of answering.credentials) {
        for (const by of rater === asker ? asking.credentials : answering.credentials) {
          const parties = { asker: asked, answerer: answered };
          const word = await verifyFeedback(statement, receipt, parties, by).catch(() => null);
          if (word !== null && word.community === desk.community.community) {
            const { exchange, epoch, target, good } = word;
            return { exchange, epoch, rater: word.rater, target, good };
          }
        }
      }
    }
    return null;
  } catch (error) {
    if (isMedcloudletError(error) && error.status < 500) {
      return null;
    }
    throw error;
  }
}

/** What the relay has of ratings about a member, each checked and entered; gives how many were new. */
export async function hearAbout(desk: Desk, target: string): Promise<number> {
  let heard = 0;
  for (const relayed of await desk.relay.ratingsOf(target)) {
    const { rater, exchange } = claimed(relayed);
    if (desk.book.knows(rater, exchange)) {
      continue;
    }
    const word = await verifyWord(desk, relayed);
    if (word === null || word.target !== target) {
      continue;
    }
    if (word.rater === desk.own) {
      // One's own word that this folder does not know: it was cut off behind the relay's answer.
      desk.book.rate(word);
      const kept = desk.state.exchanges[word.exchange];
      if (kept !== undefined) {
        kept.good = word.good;
      }
    } else if (desk.book.hear(word)) {
      heard += 1;
    }
  }
  return heard;
}

function claimed({ statement }: RelayedRating): { rater: string; exchange: string } {
  try {
    return unverifiedPayload(FEEDBACK, statement);
  } catch {
    return { rater: "", exchange: "" };
  }
}

/** What the clinicians' chain of trust gives everybody, by the relay's word: it weighs witnesses and opens nothing alone. */
export async function hearStandings(desk: Desk): Promise<void> {
  for (const { pseudonym, standing } of await desk.relay.standings()) {
    if (pseudonym !== desk.own) {
      desk.book.setStanding(pseudonym, standing);
    }
  }
}
