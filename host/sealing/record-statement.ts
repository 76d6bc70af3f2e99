import { z } from "zod";
import { MedcloudletError } from "../base/index.ts";
import { parseRecordPart, recordPartDigest, type SealedRecordPart } from "./record-part.ts";
import { regionSchema } from "./region.ts";
import { digestSchema, idSchema } from "./statements.ts";

/**
 * "This, and nothing older, is what my record says in this region." Signed by the owner, one statement a region, so
 * that a reader of one region learns nothing of the others, not even their stream ids.
 */
export const RECORD_PART = {
  typ: "medcloudlet-record-part",
  schema: z.strictObject({
    owner: idSchema,
    region: regionSchema,
    streamId: idSchema,
    epochId: idSchema,
    /** Counts up from 1 by one. */
    version: z.number().int().positive(),
    /** SHA-256 of the sealed part, 64 hex digits. */
    digest: digestSchema,
    createdAt: z.number().int().nonnegative(),
  }),
};
export type RecordPart = z.infer<typeof RECORD_PART.schema>;

function mismatch(code: string, message: string): MedcloudletError {
  return new MedcloudletError(code, message, { status: 422 });
}

/**
 * Checks that sealed bytes are the very part that the owner's verified statement names, before anything is opened.
 * The header is looked at first so that the reason shows; the digest decides.
 * @throws MedcloudletError the `RECORD_PART_*` of {@link parseRecordPart}, `RECORD_PART_REGION_MISMATCH`,
 *   `RECORD_PART_STREAM_MISMATCH`, `RECORD_PART_STALE` (older than signed), `RECORD_PART_UNSIGNED` (newer than
 *   signed), `RECORD_PART_EPOCH_MISMATCH`, `RECORD_PART_DIGEST_MISMATCH`
 */
export function admitRecordPart(bytes: Uint8Array, statement: RecordPart): SealedRecordPart {
  const part = parseRecordPart(bytes);
  const { region, streamId, epochId, version } = part.header;
  if (region !== statement.region) {
    throw mismatch(
      "RECORD_PART_REGION_MISMATCH",
      `This is a part of the region ${region}, not of ${statement.region}.`,
    );
  }
  if (streamId !== statement.streamId) {
    throw mismatch("RECORD_PART_STREAM_MISMATCH", "This part belongs to another stream.");
  }
  if (version < statement.version) {
    throw mismatch(
      "RECORD_PART_STALE",
      `This is version ${version}; the patient has signed version ${statement.version}.`,
    );
  }
  if (version > statement.version) {
    throw mismatch("RECORD_PART_UNSIGNED", `The patient has signed no version ${version} of this.`);
  }
  if (epochId !== statement.epochId) {
    throw mismatch("RECORD_PART_EPOCH_MISMATCH", "This part is sealed to another epoch than was signed.");
  }
  if (recordPartDigest(bytes) !== statement.digest) {
    throw mismatch(
      "RECORD_PART_DIGEST_MISMATCH",
      "This is not the part that the patient signed: it was changed or replaced.",
    );
  }
  return part;
}
