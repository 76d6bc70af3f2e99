import { isMedcloudletError } from "../base/index.ts";
import { fetchRecordPart, type KdcSession, type OpenedStream } from "../client/index.ts";

/** What lies beside the readings of a stream: the record's part of the same region, as its owner signed it. */
export type RecordCount =
  | { readonly status: "none" }
  /** `savedAt`: ms since 1970 UTC, by the owner's clock. */
  | { readonly status: "saved"; readonly version: number; readonly savedAt: number }
  /** Sealed to an epoch whose key the reader was not given. */
  | { readonly status: "not-shared" }
  /** What the KDC shows is not the owner's. */
  | { readonly status: "refused"; readonly code: string }
  /** The KDC did not say: no finding about the record, and no reason to keep the readings back. */
  | { readonly status: "unknown"; readonly code: string };

const FORGED = ["STATEMENT_INVALID", "RECORD_STATEMENT_MISMATCH"];

/** Asks the KDC which version of a stream's record part counts, and checks the owner's signature on it. */
export async function recordCountOf(session: KdcSession, stream: OpenedStream): Promise<RecordCount> {
  try {
    const part = await fetchRecordPart(session.call, stream);
    return part === null
      ? { status: "none" }
      : { status: "saved", version: part.version, savedAt: part.createdAt };
  } catch (error) {
    if (isMedcloudletError(error, "EPOCH_UNKNOWN")) {
      return { status: "not-shared" };
    }
    if (isMedcloudletError(error)) {
      return { status: FORGED.includes(error.code) ? "refused" : "unknown", code: error.code };
    }
    throw error;
  }
}

/** The same for people. */
export function recordCountText(count: RecordCount): string {
  switch (count.status) {
    case "none":
      return "no part of the record is saved here";
    case "saved":
      return `the record's part is here too: version ${count.version} of ${new Date(count.savedAt).toISOString()} (medcloudlet record show)`;
    case "not-shared":
      return "a part of the record is here too, from a time that the patient did not share with you";
    case "unknown":
      return `whether a part of the record is here too, the KDC did not say [${count.code}]`;
    case "refused":
      return `a part of the record is here that cannot be trusted [${count.code}]`;
  }
}
