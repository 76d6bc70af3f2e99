import {
  armRecovery,
  createAccountClient,
  namedGuardians,
  newRecoveryCode,
  printRecoveryCode,
  recoveryRequests,
  vetoRecovery,
} from "../../../client/index.ts";
import type { Answers } from "../messages.ts";
import type { Work } from "../work.ts";
import { createNotices } from "./notices.ts";
import type { AccountQuestions } from "./questions.ts";

/** What everybody does with their own account. */
export function createAccountRoom(work: Work): Answers<AccountQuestions> {
  const { session, keys } = work;
  const account = createAccountClient(session);
  return {
    ...createNotices(work),
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
    async guardians() {
      const named = await namedGuardians(session, keys);
      const { own } = await recoveryRequests(session);
      const handles = new Map(
        Object.entries(work.contents.known).map(([handle, fingerprint]) => [fingerprint, handle]),
      );
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
    async vetoRecovery({ requestId }) {
      await vetoRecovery(session, requestId);
      return null;
    },
  };
}
