import { createAccessRequests } from "../../../client/index.ts";
import type { Answers } from "../messages.ts";
import type { Work } from "../work.ts";
import type { PatientQuestions, ShownRequest } from "./questions.ts";

/** Who asks a patient for access. To agree is to share; the fingerprint is then looked up and compared anew. */
export function createRequests(
  work: Work,
): Answers<Pick<PatientQuestions, "accessRequests" | "declineRequest">> {
  const requests = createAccessRequests(work.session);
  return {
    accessRequests: async () =>
      (await requests.received()).map(
        ({
          requestId,
          handle,
          role,
          regions,
          purpose,
          days,
          reason,
          createdAt,
          expiresAt,
        }): ShownRequest => ({
          ...{ requestId, handle, role, regions, purpose, days, reason, createdAt, expiresAt },
        }),
      ),
    async declineRequest({ requestId }) {
      await requests.decline(requestId);
      return null;
    },
  };
}
