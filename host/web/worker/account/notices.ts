import { createNoticeBoard, recoveryRequests } from "../../../client/index.ts";
import type { Answers } from "../messages.ts";
import type { Work } from "../work.ts";
import type { AccountQuestions, NoticesTold, ShownNotice } from "./questions.ts";

const LOOK_EVERY_MS = 15_000;
/** Whoever lost everything stays on the telephone; a request lasts for days. */
const GUARDED_EVERY_MS = 60_000;

/** Looks for what the KDC tells the account, and tells the page. */
export function createNotices(work: Work): Answers<Pick<AccountQuestions, "notices" | "seeNotices">> {
  const board = createNoticeBoard(work.session);
  let newest: NoticesTold = { told: "notices", notices: [], trouble: null };
  let guarded: readonly ShownNotice[] = [];
  let guardedAt = Number.NEGATIVE_INFINITY;
  const seenAt = new Map<string, number>();

  /**
   * Somebody asks this person, a guardian, for their share. The KDC sends no notice of that: it would do so for handles
   * that have guardians alone, and whoever asks could tell by the time that it takes.
   */
  const askedShares = async (): Promise<readonly ShownNotice[]> => {
    if (performance.now() - guardedAt >= GUARDED_EVERY_MS) {
      const { toAnswer } = await recoveryRequests(work.session);
      guardedAt = performance.now();
      guarded = toAnswer.map(
        ({ requestId, owner, createdAt, expiresAt }): ShownNotice => ({
          ...{ noticeId: requestId, at: createdAt, until: expiresAt, kind: "guardian.asked" },
          ...{ who: owner.handle, reason: null, seenAt: null },
        }),
      );
    }
    return guarded.map((notice) => ({ ...notice, seenAt: seenAt.get(notice.noticeId) ?? null }));
  };
  const look = async (): Promise<void> => {
    try {
      const sent = (await board.list()).map(
        ({ noticeId, at, kind, who, reason, until, seenAt }): ShownNotice => ({
          ...{ noticeId, at, kind, who, reason, until, seenAt },
        }),
      );
      const notices = [...(await askedShares()), ...sent].sort((a, b) => b.at - a.at);
      newest = { told: "notices", notices, trouble: null };
    } catch (error) {
      newest = { ...newest, trouble: error instanceof Error ? error.message : String(error) };
    }
    if (!work.signal.aborted) {
      work.tell(newest);
    }
  };

  const looking = setInterval(look, LOOK_EVERY_MS);
  work.signal.addEventListener("abort", () => clearInterval(looking));
  return {
    notices() {
      // Somebody looks: at once, then.
      guardedAt = Number.NEGATIVE_INFINITY;
      look();
      return null;
    },
    async seeNotices({ noticeIds }) {
      for (const noticeId of noticeIds) {
        if (guarded.some((notice) => notice.noticeId === noticeId)) {
          seenAt.set(noticeId, Date.now());
        } else {
          await board.markSeen(noticeId);
        }
      }
      await look();
      return null;
    },
  };
}
