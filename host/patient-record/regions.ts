import { type Bytes, MedcloudletError, utf8 } from "../base/index.ts";
import type { Region } from "../sealing/index.ts";
import {
  FIELD_NAMES,
  type PatientRecord,
  parsePart,
  RECORD_FIELDS,
  type RegionPart,
  type SplitRecord,
} from "./schema.ts";

/** Splits a record by region. {@link mergeParts} is its exact inverse. */
export function splitRecord(record: PatientRecord): SplitRecord {
  const parts: Record<Region, Record<string, unknown>> = { identity: {}, profile: {}, medical: {} };
  for (const name of FIELD_NAMES) {
    if (record[name] !== undefined) {
      parts[RECORD_FIELDS[name].region][name] = record[name];
    }
  }
  return parts as SplitRecord;
}

/** Puts parts together again; of a region that is not there nothing is said. */
export function mergeParts(parts: Partial<SplitRecord>): PatientRecord {
  const merged: Record<string, unknown> = {};
  for (const name of FIELD_NAMES) {
    const part: PatientRecord | undefined = parts[RECORD_FIELDS[name].region];
    if (part?.[name] !== undefined) {
      merged[name] = part[name];
    }
  }
  return merged as PatientRecord;
}

const FORMAT = "medcloudlet-record-1";

/**
 * A part as the bytes that are sealed: JSON of `{ format, region, fields }` in UTF-8. The same part gives the same
 * bytes, whatever the order of its fields was.
 * @throws MedcloudletError `RECORD_MALFORMED`
 */
export function encodePart(region: Region, part: PatientRecord): Bytes {
  return utf8(JSON.stringify({ format: FORMAT, region, fields: parsePart(region, part) }));
}

/**
 * Undoes {@link encodePart} and checks every field.
 * @throws MedcloudletError `RECORD_MALFORMED`
 */
export function decodePart<R extends Region>(region: R, bytes: Uint8Array): RegionPart<R> {
  const malformed = (cause?: unknown) =>
    new MedcloudletError("RECORD_MALFORMED", `There is no part of the region ${region} in the opened data.`, {
      status: 422,
      cause,
    });
  let content: unknown;
  try {
    content = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw malformed(cause);
  }
  const { format, region: named, fields, ...others } = (content ?? {}) as Readonly<Record<string, unknown>>;
  if (format !== FORMAT || named !== region || Object.keys(others).length > 0) {
    throw malformed();
  }
  return parsePart(region, fields);
}
