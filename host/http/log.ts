import { type DestinationStream, type Logger, pino } from "pino";

/** No `child`: pino puts a child's own fields into its lines without asking. */
export type Log = Pick<Logger, "debug" | "info" | "warn" | "error" | "fatal">;

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
  "directive",
  "origin",
]);

/** Drops every field that is not on the list of what may be logged. */
export function allowedFields(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => ALLOWED_FIELDS.has(name)));
}

/**
 * The fields to log of an error that nobody expected: its code, or else its name, and where it was thrown. Not its
 * message, which may quote what somebody sent.
 */
export function errorFields(error: unknown): Record<string, unknown> {
  if (error instanceof Error) {
    const code = "code" in error ? error.code : error.name;
    const frames = error.stack?.split("\n").filter((line) => /^\s+at /.test(line));
    return { code, stack: frames?.join("\n") };
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
      hooks: {
        // Before pino sees them: it makes the message of a line without one from the message of an error.
        logMethod(args, method) {
          const [first] = args as unknown[];
          if (first instanceof Error) {
            args[0] = errorFields(first);
          } else if (typeof first === "object" && first !== null) {
            args[0] = allowedFields({ ...first });
          }
          method.apply(this, args);
        },
      },
    },
    options.destination ?? pino.destination(2),
  );
}
