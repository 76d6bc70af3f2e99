import { isMedcloudletError, MedcloudletError } from "../base/index.ts";
import { decodePart, mergeParts, type PatientRecord } from "../patient-record/index.ts";
import { admitRecordPart, openRecordPart, REGIONS, type RecordPart, type Region } from "../sealing/index.ts";
import type { HttpClient } from "./http.ts";
import type { KdcSession } from "./kdc-client.ts";
import type { PersonKeys } from "./person-keys.ts";
import { createRecordCloud } from "./record-cloud.ts";
import { fetchRecordPart, type SeenParts } from "./record-statements.ts";
import type { OpenedStream } from "./shared-stream.ts";

/** What one region of a granted record turned out to be. */
export type ReadRegion =
  | { readonly region: Region; readonly status: "read"; readonly version: number; readonly createdAt: number }
  /** Granted, and the owner has saved nothing there yet. */
  | { readonly region: Region; readonly status: "empty" }
  /** Not what the owner signed, or not there: shown with the reason, never dropped. */
  | { readonly region: Region; readonly status: "refused"; readonly error: MedcloudletError };

/** As much of somebody's record as they let this reader see. */
export interface RecordView {
  readonly ownerId: string;
  readonly ownerName: string;
  readonly ownerFingerprint: string;
  /** Merged on this machine, of the regions that could be read. */
  readonly record: PatientRecord;
  readonly regions: readonly ReadRegion[];
}

/** Reads records that were shared. */
export interface RecordReader {
  /** One view for each owner among streams that were opened by consents or in an emergency. */
  read(streams: readonly OpenedStream[]): Promise<RecordView[]>;
}

/**
 * Opens one region's part after checking it against the owner's statement.
 * @throws MedcloudletError `RECORD_PART_*` of the checks, `EPOCH_UNKNOWN`, `SEALED_OPEN_FAILED`, `RECORD_MALFORMED`
 */
export async function readRecordPart(
  bytes: Uint8Array,
  signed: RecordPart,
  stream: Pick<OpenedStream, "epochs">,
): Promise<PatientRecord> {
  const part = admitRecordPart(bytes, signed);
  const epoch = stream.epochs.get(signed.epochId);
  if (epoch === undefined) {
    throw new MedcloudletError(
      "EPOCH_UNKNOWN",
      "The part is sealed to an epoch that was not shared with you: ask the patient to share again.",
      { status: 422 },
    );
  }
  return decodePart(signed.region, await openRecordPart(part, epoch));
}

export function createRecordReader(options: {
  readonly http: HttpClient;
  readonly session: KdcSession;
  readonly keys: PersonKeys;
  readonly cloudUrl: string;
  readonly seen: SeenParts;
}): RecordReader {
  const { seen, session } = options;
  const cloud = createRecordCloud({ ...options, accountKey: options.keys.signing });

  /** A region's content and the statement it was read under; null when there is nothing yet. */
  const readStream = async (
    stream: OpenedStream,
  ): Promise<{ content: PatientRecord; signed: RecordPart } | null> => {
    const signed = await fetchRecordPart(session.call, stream);
    seen.check(stream.ownerId, stream.region, signed);
    if (signed === null) {
      return null;
    }
    const bytes = await cloud.fetch(stream.streamId, signed.digest);
    return { content: await readRecordPart(bytes, signed, stream), signed };
  };

  /** `streams`: at least one, all of one owner. */
  const readOwner = async (streams: readonly OpenedStream[]): Promise<RecordView> => {
    const { ownerId, ownerName, ownerFingerprint } = streams[0] as OpenedStream;
    const contents: Partial<Record<Region, PatientRecord>> = {};
    const opened: RecordPart[] = [];
    const regions: ReadRegion[] = [];
    for (const region of REGIONS) {
      // Two consents may cover one region; the later one's keys reach further.
      const stream = streams.filter((candidate) => candidate.region === region).sort(byReach)[0];
      if (stream === undefined) {
        continue;
      }
      try {
        const read = await readStream(stream);
        if (read === null) {
          regions.push({ region, status: "empty" });
          continue;
        }
        contents[region] = read.content;
        opened.push(read.signed);
        const { version, createdAt } = read.signed;
        regions.push({ region, status: "read", version, createdAt });
      } catch (error) {
        if (!isMedcloudletError(error)) {
          throw error;
        }
        regions.push({ region, status: "refused", error });
      }
    }
    await seen.remember(opened);
    return { ownerId, ownerName, ownerFingerprint, record: mergeParts(contents), regions };
  };

  return {
    async read(streams) {
      const views: RecordView[] = [];
      for (const owner of new Set(streams.map(({ ownerId }) => ownerId))) {
        views.push(await readOwner(streams.filter(({ ownerId }) => ownerId === owner)));
      }
      return views;
    },
  };
}

function byReach(a: OpenedStream, b: OpenedStream): number {
  return b.epochs.size - a.epochs.size;
}
