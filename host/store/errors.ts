import { isMedcloudletError, MedcloudletError } from "../base/index.ts";

/** True when a write was refused because its `_id` or a unique index is taken. */
export function isDuplicate(error: unknown): error is MedcloudletError {
  return isMedcloudletError(error, "STORE_DUPLICATE");
}

/** `_id` or a unique index is taken. */
export function duplicate(collection: string, cause?: unknown): MedcloudletError {
  return new MedcloudletError(
    "STORE_DUPLICATE",
    `A document with this key exists already in ${collection}.`,
    { status: 409, cause },
  );
}

/** The store cannot answer now; the same call may succeed later. */
export function unavailable(message: string, cause?: unknown): MedcloudletError {
  return new MedcloudletError("STORE_UNAVAILABLE", message, { status: 503, cause });
}

/** An operator outside the ones the port supports. */
export function forbidden(operator: string): MedcloudletError {
  return new MedcloudletError(
    "STORE_OPERATOR_FORBIDDEN",
    `The operator ${operator.slice(0, 40)} is not allowed here.`,
    { status: 400 },
  );
}

/** A value, path or option the port does not take. */
export function invalid(message: string): MedcloudletError {
  return new MedcloudletError("STORE_VALUE_INVALID", message, { status: 400 });
}

export function closed(): MedcloudletError {
  return new MedcloudletError("STORE_CLOSED", "The store is closed.", { status: 503 });
}

/** What no other code says: a damaged file, a server that refuses its user. */
export function failure(message: string, cause: unknown): MedcloudletError {
  return new MedcloudletError("STORE_FAILURE", message, { status: 500, cause });
}
