import { MongoError, MongoNetworkError, MongoServerError, MongoServerSelectionError } from "mongodb";
import { isMedcloudletError, type MedcloudletError } from "../base/index.ts";
import { duplicate, failure, invalid, unavailable } from "./errors.ts";

const DUPLICATE_KEY = 11_000;

/** Servers' codes for an update or document they cannot take (error_codes.yml of MongoDB). */
const INVALID_CODES: ReadonlySet<number> = new Set([
  2, // BadValue
  9, // FailedToParse
  14, // TypeMismatch
  28, // PathNotViable
  40, // ConflictingUpdateOperators
  10_334, // BSONObjectTooLarge
  17_280, // KeyTooLong
  17_419, // resulting document too large
  17_420, // document to upsert too large
]);

/** Codes that say: not now. */
const UNAVAILABLE_CODES: ReadonlySet<number> = new Set([
  50, // MaxTimeMSExpired
  64, // WriteConcernTimeout
  91, // ShutdownInProgress
  112, // WriteConflict
  189, // PrimarySteppedDown
  262, // ExceededTimeLimit
  10_107, // NotWritablePrimary
  11_600, // InterruptedAtShutdown
  11_602, // InterruptedDueToReplStateChange
  13_435, // NotPrimaryNoSecondaryOk
  14_031, // OutOfDiskSpace
]);

/** True when an insert or upsert met a key that was there already. */
export function isDuplicateKey(error: unknown): boolean {
  // FerretDB over SQLite reports a unique index that an update violates in SQLite's words.
  return (
    error instanceof MongoServerError &&
    (error.code === DUPLICATE_KEY || error.message.includes("UNIQUE constraint failed"))
  );
}

/** The driver's error as one of ours. */
export function fromMongoError(error: unknown, collection: string): MedcloudletError {
  if (isMedcloudletError(error)) {
    return error;
  }
  // What a server says about a duplicate or an invalid value quotes the value: it is not passed on.
  if (isDuplicateKey(error)) {
    return duplicate(collection);
  }
  if (isUnavailable(error)) {
    return unavailable("The database server does not answer.", error);
  }
  if (error instanceof MongoServerError && INVALID_CODES.has(Number(error.code))) {
    return invalid(`The database server refused a value or an update (${error.codeName ?? error.code}).`);
  }
  return failure("The database server failed.", error);
}

function isUnavailable(error: unknown): boolean {
  if (error instanceof MongoNetworkError || error instanceof MongoServerSelectionError) {
    return true;
  }
  if (error instanceof MongoServerError) {
    return UNAVAILABLE_CODES.has(Number(error.code)) || error.message.includes("database is locked");
  }
  return error instanceof MongoError && error.hasErrorLabel("RetryableWriteError");
}
