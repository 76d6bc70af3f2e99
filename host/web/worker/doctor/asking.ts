import { createAccessRequests } from "../../../client/index.ts";
import type { Answers } from "../messages.ts";
import type { Work } from "../work.ts";
import type { AskingQuestions } from "./questions.ts";

/** Asks patients for access by the handle that they told. */
export function createAsking(work: Work): Answers<AskingQuestions> {
  const requests = createAccessRequests(work.session);
  return {
    async askForAccess({ handle, days, reason }) {
      await requests.ask({ handle, days, reason, regions: ["medical"], purpose: "treatment" });
      return null;
    },
    askedForAccess: async () =>
      (await requests.made()).map(({ requestId, handle, reason, expiresAt }) => ({
        ...{ requestId, handle, reason, expiresAt },
      })),
    async withdrawAsking({ requestId }) {
      await requests.withdraw(requestId);
      return null;
    },
  };
}
