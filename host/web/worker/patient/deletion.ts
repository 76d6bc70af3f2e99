import { createDataDeletion } from "../../../client/index.ts";
import type { Answers } from "../messages.ts";
import type { Work } from "../work.ts";
import type { PatientQuestions } from "./questions.ts";

/** A patient deletes everything that the services keep of them. */
export function createDeletion(
  work: Work,
): Answers<Pick<PatientQuestions, "deletion" | "announceDeletion" | "withdrawDeletion" | "runDeletion">> {
  const { clock, http, session, keys, places } = work;
  const deletion = createDataDeletion({ clock, http, session, keys, cloudUrl: places.cloudUrl });
  return {
    deletion: () => deletion.state(),
    announceDeletion: (again) => deletion.announce(again),
    async withdrawDeletion() {
      await deletion.withdraw();
      return null;
    },
    async runDeletion({ confirm }) {
      await deletion.run(confirm === null ? {} : { confirm });
      return null;
    },
  };
}
