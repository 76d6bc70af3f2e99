import { createNoticeBoard } from "../../../client/index.ts";
import type { Answers } from "../messages.ts";
import type { Work } from "../work.ts";
import type { AccountQuestions, NoticesTold, ShownNotice } from "./questions.ts";

const LOOK_EVERY_MS = 15_000;

/** Looks for what the KDC tells the account, and tells the page. */
export function createNotices(work: Work): Answers<Pick<AccountQuestions, "notices" | "seeNotices">> {
  const board = createNoticeBoard(work.session);
  let newest: NoticesTold = { told: "notices", notices: [], trouble: null };

  const look = async (): Promise<void> => {
    try {
      const notices = (await board.list()).map(
        ({ noticeId, at, kind, who, reason, until, seenAt }): ShownNotice => ({
          ...{ noticeId, at, kind, who, reason, until, seenAt },
        }),
      );
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
      look();
      return null;
    },
    async seeNotices({ noticeIds }) {
      for (const noticeId of noticeIds) {
        await board.markSeen(noticeId);
      }
      await look();
      return null;
    },
  };
}
