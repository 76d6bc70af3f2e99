import { createOwnStreams, createReader, type Owner } from "../../../client/index.ts";
import type { Answers } from "../messages.ts";
import { createStreams } from "../streams.ts";
import type { Work } from "../work.ts";
import type { PatientQuestions } from "./questions.ts";

export interface OwnReadings extends Answers<Pick<PatientQuestions, "patients" | "show">> {
  /** Takes in epochs and wearables that are new, and follows what was not followed yet. */
  refresh(owner: Owner): Promise<void>;
}

/** A patient's own readings, opened with their own keys. */
export function createOwnReadings(work: Work): OwnReadings {
  const reader = createReader({ ...work, cloudUrl: work.places.cloudUrl });
  const streams = createStreams({ work, reader });
  const { accountId, name } = work.person;
  const own = createOwnStreams({ suite: work.suite, keys: work.keys, accountId, name });
  return {
    async refresh(owner) {
      await own.refresh(owner);
      for (const stream of own.all) {
        // Readings come from wearables: where none writes, there is nothing to wait for.
        if (stream.devices.size > 0 && !streams.ids.has(stream.streamId)) {
          streams.follow(stream, { until: null, purpose: "own" });
        }
      }
      streams.tellSoon();
    },
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
