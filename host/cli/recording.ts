import { MedcloudletError } from "../base/index.ts";
import type { ReadingColumn } from "../sealing/index.ts";
import { parseColumnMap, type ReplayOptions, readVitalsCsv, type TimeFormat } from "../wearable/index.ts";

/**
 * Batches of a recording of one person. A file about several is refused unless one is chosen: their readings would
 * all become those of the person who sends them.
 * @throws MedcloudletError `CLI_SEVERAL_PATIENTS`, and what the file itself is refused for
 */
export async function* readRecording(
  file: string,
  options: {
    readonly batchSeconds: number;
    readonly patient?: string | undefined;
    readonly map?: readonly string[] | undefined;
    readonly start?: number | undefined;
    readonly timeFormat?: TimeFormat | undefined;
    readonly delimiter?: string | undefined;
  },
): AsyncGenerator<readonly ReadingColumn[]> {
  const { batchSeconds, patient, map, start, timeFormat, delimiter } = options;
  const replay: ReplayOptions = {
    batchSeconds,
    ...(patient === undefined ? {} : { patient }),
    ...(map === undefined ? {} : { map: parseColumnMap(map) }),
    ...(start === undefined ? {} : { startTime: start }),
    ...(timeFormat === undefined ? {} : { timeFormat }),
    ...(delimiter === undefined ? {} : { delimiter: delimiter === "tab" ? "\t" : delimiter }),
  };
  let first: string | undefined;
  for await (const batch of readVitalsCsv(file, replay)) {
    first ??= batch.patient;
    if (batch.patient !== first) {
      throw new MedcloudletError(
        "CLI_SEVERAL_PATIENTS",
        `${file} is about several people: choose the one it is about here with --patient ID.`,
      );
    }
    yield batch.columns;
  }
}
