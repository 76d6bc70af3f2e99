import { type DestinationStream, type Logger, pino } from "pino";

export type Log = Logger;

/**
 * The only fields a log line may carry. A list of what is allowed cannot forget something the way a list of what
 * is forbidden can: tokens, tickets, keys, passwords, readings and request bodies have no name here.
 */
const ALLOWED_FIELDS = new Set([
  "event",
  "service",
  "requestId",
  "method",
  "route",
  "status",
  "durationMs",
  "code",
  "reason",
  "stack",
  "url",
  "store",
  "attempt",
  "retryInMs",
  "count",
  "bytes",
  "priority",
  "sequence",
  "role",
  "probe",
  "signal",
  "file",
]);

/** Drops every field that is not on the list of what may be logged. */
export function allowedFields(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => ALLOWED_FIELDS.has(name)));
}

/** The fields to log of an error that nobody expected; of our own errors only the code. */
export function errorFields(error: unknown): Record<string, unknown> {
  if (error instanceof Error) {
    const code = "code" in error ? error.code : error.name;
    return { code, stack: error.stack };
  }
  return { code: typeof error };
}

/** A structured logger (JSON lines) that lets only allowed fields through. */
export function createLog(options: {
  readonly service: string;
  readonly level: string;
  readonly destination?: DestinationStream;
}): Log {
  return pino(
    {
      level: options.level,
      base: { service: options.service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { log: allowedFields, level: (label) => ({ level: label }) },
    },
    options.destination ?? pino.destination(2),
  );
}
