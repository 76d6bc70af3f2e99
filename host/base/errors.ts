/**
 * The one error class of the project.
 *
 * `code` is stable and part of the API: callers branch on it, tests assert it, HTTP sends it. `status` is the
 * HTTP status that fits when the error leaves a service (RFC 9457, section 3.1.2). The message tells a person
 * what happened and, where something can be done, what to do next; it never holds a secret or a reading.
 */
export class MedcloudletError extends Error {
  readonly code: string;
  readonly status: number;
  /** Extra members of the problem document, safe to show to the caller (RFC 9457, section 3.2). */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: string,
    message: string,
    options: { status?: number; cause?: unknown; details?: Record<string, unknown> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "MedcloudletError";
    this.code = code;
    this.status = options.status ?? 500;
    this.details = options.details ?? {};
  }
}

/** True when `error` is ours and, if `code` is given, carries that code. */
export function isMedcloudletError(error: unknown, code?: string): error is MedcloudletError {
  return error instanceof MedcloudletError && (code === undefined || error.code === code);
}

/** True where trying again later may help: what was asked is away, broken or busy. */
export function isPassing(error: unknown): error is MedcloudletError {
  return isMedcloudletError(error) && (error.status >= 500 || error.status === 429);
}
