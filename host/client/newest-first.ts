import { type Bytes, MedcloudletError } from "../base/index.ts";
import { unframeBatches } from "../sealing/index.ts";
import type { FollowOptions } from "./reader.ts";
import type { ReadBatch } from "./sealed-batch.ts";

/** A stream that is read from its newest end: how somebody is comes before how they were. */
export interface NewestFirst {
  /**
   * The newest batches, in order of arrival. To be asked once, before the others.
   * @throws MedcloudletError what stands in the way, as `follow` tells `onTrouble`
   */
  newest(most: number): Promise<ReadBatch[]>;
  /** What arrived since `newest`, and then what comes, until `signal` aborts. */
  follow(signal: AbortSignal, options?: FollowOptions): AsyncGenerator<ReadBatch>;
  /**
   * The page of batches before those that were given, in order of arrival; empty at the beginning of the stream. After
   * a failure it can be asked again.
   */
  older(most: number): Promise<ReadBatch[]>;
}

/** Parts that a reader lends: one memory of what was seen, so that nothing is given twice. */
interface Parts {
  fetchBefore(before: number, most: number): Promise<{ body: Bytes; headers: Headers }>;
  /** Null where exactly this batch was seen before. */
  open(bytes: Bytes): Promise<ReadBatch | null>;
  follow(after: number, signal: AbortSignal, options: FollowOptions): AsyncGenerator<{ batch: ReadBatch }>;
}

const FROM_THE_END = Number.MAX_SAFE_INTEGER;
/** Pages of nothing but known batches that are read over in a row. */
const SEEN_PAGES_MOST = 4;

export function readNewestFirst({ fetchBefore, open, follow }: Parts): NewestFirst {
  /** Where the newest page ended, and where the earliest began. */
  let [after, before] = [0, FROM_THE_END];

  const pageBefore = async (most: number): Promise<{ batches: ReadBatch[]; last: number }> => {
    const { body, headers } = await fetchBefore(before, most);
    const frames = unframeBatches(body);
    if (frames.length === 0) {
      return { batches: [], last: 0 };
    }
    const [first, last] = [
      Number(headers.get("Medcloudlet-First")),
      Number(headers.get("Medcloudlet-Cursor")),
    ];
    if (
      !(
        Number.isSafeInteger(first) &&
        Number.isSafeInteger(last) &&
        0 < first &&
        first <= last &&
        last < before
      )
    ) {
      throw new MedcloudletError(
        "SERVICE_RESPONSE",
        "The cloud's answer has no cursor: check the cloud's address.",
        { status: 502 },
      );
    }
    const batches: ReadBatch[] = [];
    for (const bytes of frames) {
      const batch = await open(bytes);
      if (batch !== null) {
        batches.push(batch);
      }
    }
    before = first;
    return { batches, last };
  };

  return {
    async newest(most) {
      const { batches, last } = await pageBefore(most);
      after = last;
      return batches;
    },
    async *follow(signal, options = {}) {
      for await (const { batch } of follow(after, signal, options)) {
        yield batch;
      }
    },
    async older(most) {
      // A page of nothing but batches that were seen is not the beginning; a cloud that gives no others has an end, too.
      for (let pages = 0; pages < SEEN_PAGES_MOST; pages++) {
        const from = before;
        const { batches } = await pageBefore(most);
        if (batches.length > 0 || before === from) {
          return batches;
        }
      }
      throw new MedcloudletError(
        "SERVICE_RESPONSE",
        "The cloud gives the same batches again and again: tell its operator.",
        { status: 502 },
      );
    },
  };
}
