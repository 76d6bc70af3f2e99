import { createReader } from "../../../client/index.ts";
import type { Answers } from "../messages.ts";
import { createStreams } from "../streams.ts";
import type { Work } from "../work.ts";
import type { DoctorQuestions } from "./questions.ts";

/** How often the KDC is asked whether a patient shared anything new. */
const LOOK_EVERY_MS = 30_000;

/** A doctor's desk: everything that is shared with them, opened as it arrives. */
export async function createDoctorRoom(work: Work): Promise<Answers<DoctorQuestions>> {
  const reader = createReader({ ...work, cloudUrl: work.places.cloudUrl });
  const streams = createStreams({ work, reader });

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

  await look();
  const looking = setInterval(() => {
    look().catch(() => {
      // The streams' own troubles tell that the KDC is away; the next look comes by itself.
    });
  }, LOOK_EVERY_MS);
  work.signal.addEventListener("abort", () => clearInterval(looking));

  return {
    patients() {
      streams.tellSoon();
      return null;
    },
    show({ streamId }) {
      streams.show(streamId);
      return null;
    },
  };
}
