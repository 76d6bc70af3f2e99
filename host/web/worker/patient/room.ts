import { ownNotedStream } from "../../../client/index.ts";
import type { Answers } from "../messages.ts";
import type { NoteQuestions } from "../notes/questions.ts";
import { createNoteRoom } from "../notes/room.ts";
import type { Work } from "../work.ts";
import { createDeletion } from "./deletion.ts";
import { createDesk } from "./desk.ts";
import { createDevices } from "./devices.ts";
import type { PatientQuestions } from "./questions.ts";
import { createOwnReadings } from "./readings.ts";
import { createRequests } from "./requests.ts";
import { createSharing } from "./sharing.ts";
import { createTrail } from "./trail.ts";
import { createTrustees } from "./trustees.ts";

/** How often it is looked for what other machines of the same person did: a wearable paired, a key begun. */
const LOOK_EVERY_MS = 30_000;

/** A patient at home: their own readings, and who else may see what. */
export async function createPatientRoom(work: Work): Promise<Answers<PatientQuestions & NoteQuestions>> {
  const readings = createOwnReadings(work);
  const desk = createDesk(work, { onChange: readings.refresh });

  const look = async (): Promise<void> => {
    const { owner } = desk.look();
    const known = new Set(owner.epochs.map(({ epochId }) => epochId));
    const published = [...(await owner.publishedEpochs()).keys()];
    if (published.some((epochId) => !known.has(epochId))) {
      // Another machine or tab began one; its key is in the backup.
      await work.catchUp();
    }
    await readings.refresh(desk.look().owner);
  };

  await readings.refresh(desk.look().owner);
  const looking = setInterval(() => {
    look().catch(() => {
      // The streams' own troubles tell that the KDC is away; the next look comes by itself.
    });
  }, LOOK_EVERY_MS);
  work.signal.addEventListener("abort", () => clearInterval(looking));

  const ownStreamOf = async (streamId: string) => {
    const { accountId } = work.person;
    const stream = await ownNotedStream(work.suite, {
      accountId,
      keys: work.keys,
      epochs: desk.look().owner.epochs,
    });
    return stream.streamId === streamId ? stream : undefined;
  };

  return {
    patients: readings.patients,
    show: readings.show,
    ...createSharing(work, desk),
    ...createRequests(work),
    ...createDeletion(work),
    ...createTrail(work, desk),
    ...createDevices(work, desk),
    ...createTrustees(work, desk),
    ...createNoteRoom({ work, streamOf: ownStreamOf }),
  };
}
