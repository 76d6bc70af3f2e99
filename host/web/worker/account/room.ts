import {
  armRecovery,
  createAccountClient,
  newRecoveryCode,
  printRecoveryCode,
} from "../../../client/index.ts";
import type { Answers } from "../messages.ts";
import type { Work } from "../work.ts";
import { createGuardianship } from "./guardianship.ts";
import { createNotices } from "./notices.ts";
import type { AccountQuestions } from "./questions.ts";

/** What everybody does with their own account. */
export function createAccountRoom(work: Work): Answers<AccountQuestions> {
  const { session } = work;
  const account = createAccountClient(session);
  return {
    ...createNotices(work),
    ...createGuardianship(work),
    sessions: () => account.sessions(),
    async endSession({ sessionId }) {
      await account.endSession(sessionId);
      return null;
    },
    async endOtherSessions() {
      await account.endOtherSessions();
      return null;
    },
    async changePassword(asked) {
      await account.changePassword(asked);
      return null;
    },
    async changePassphrase(asked) {
      await work.changePassphrase(asked);
      return null;
    },
    async makeRecoveryCode(given) {
      // What another machine or tab kept belongs behind the code, too.
      await work.catchUp();
      const code = newRecoveryCode();
      try {
        await armRecovery(session, code, work.contents, given);
        return { code: printRecoveryCode(code) };
      } finally {
        code.fill(0);
      }
    },
    accountEvents: async () =>
      (await account.events()).map(({ kind, lastAt, count }) => ({ kind, lastAt, count })),
  };
}
