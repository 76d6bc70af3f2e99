import { isMedcloudletError, MedcloudletError } from "../../../base/index.ts";
import { createReader } from "../../../client/index.ts";
import type { Answers } from "../messages.ts";
import type { NoteQuestions } from "../notes/questions.ts";
import { createNoteRoom } from "../notes/room.ts";
import { createStreams, type Streams } from "../streams.ts";
import type { Work } from "../work.ts";
import { createAlertDesk } from "./alert-desk.ts";
import { createAsking } from "./asking.ts";
import { createEmergencyRoom } from "./emergencies.ts";
import type { DoctorQuestions } from "./questions.ts";

/** How often the KDC is asked whether a patient shared anything new, and how often while it does not answer. */
const LOOK_EVERY_MS = 30_000;
const LOOK_AGAIN_MS = 2_000;

/** A doctor's desk: everything that is shared with them, opened as it arrives. */
export async function createDoctorRoom(work: Work): Promise<Answers<DoctorQuestions & NoteQuestions>> {
  const reader = createReader({ ...work, cloudUrl: work.places.cloudUrl });
  const desk = createAlertDesk({ work, streams: (): Streams => streams });
  const { onBatch, onWhole } = desk;
  const streams = createStreams({ work, reader, onBatch, onWhole });
  let kdcTrouble: string | null = null;

  const look = async (): Promise<void> => {
    const { streams: shared, refused } = await reader.shared();
    streams.setRefusedGrants(refused.length);
    for (const stream of shared) {
      if (stream.region === "medical" && !streams.ids.has(stream.streamId)) {
        const { until, purpose } = stream.consent;
        streams.follow(stream, { until, purpose });
      }
    }
    streams.tellSoon();
  };
  const noteKdc = (trouble: string | null): void => {
    if (trouble !== kdcTrouble) {
      kdcTrouble = trouble;
      work.tell({ told: "kdc", trouble });
    }
  };
  let timer: ReturnType<typeof setTimeout>;
  let lookedAt = work.clock.now();
  let looking = false;
  const lookNow = async (): Promise<void> => {
    if (looking) {
      return;
    }
    looking = true;
    clearTimeout(timer);
    try {
      await look();
      noteKdc(null);
    } catch (error) {
      // What is open stays so, and goes on as long as its tickets last.
      noteKdc(isMedcloudletError(error) ? error.message : String(error));
    }
    looking = false;
    lookedAt = work.clock.now();
    if (!work.signal.aborted) {
      timer = setTimeout(lookNow, kdcTrouble === null ? LOOK_EVERY_MS : LOOK_AGAIN_MS);
    }
  };
  work.signal.addEventListener("abort", () => clearTimeout(timer));

  await look();
  timer = setTimeout(lookNow, LOOK_EVERY_MS);

  return {
    ...desk.answers,
    ...createEmergencyRoom({ work, streams }),
    ...createAsking(work),
    ...createNoteRoom({ work, streamOf: async (streamId) => streams.streamOf(streamId) }),
    async exportReadings({ streamId, format, from, to }) {
      const stream = streams.streamOf(streamId);
      const series = streams.seriesOf(streamId);
      if (stream === undefined || series === undefined) {
        throw new MedcloudletError("EXPORT_EMPTY", "This patient is not open here any more.", {
          status: 404,
        });
      }
      // Few export: what makes files is fetched when somebody does.
      const { exportReadings } = await import("./export.ts");
      const columns = series.between(from, to);
      return exportReadings({ columns, format, pseudonym: stream.ownerId, at: work.clock.now() });
    },
    patients() {
      streams.tellSoon();
      work.tell({ told: "kdc", trouble: kdcTrouble });
      // Who comes back to the list wants to see who shares now.
      if (work.clock.now() - lookedAt > LOOK_AGAIN_MS) {
        void lookNow();
      }
      return null;
    },
    show({ streamId }) {
      streams.show(streamId);
      return null;
    },
  };
}
