import { MedcloudletError } from "../base/index.ts";

/**
 * How a CSV file writes its times:
 * - `seconds`: decimal seconds since the start of the recording;
 * - `hours-minutes`: `hh:mm` or `hh:mm:ss` since the start, hours beyond 24 allowed;
 * - `unix-seconds`, `unix-milliseconds`: decimal, since 1970 UTC;
 * - `iso-8601`: `YYYY-MM-DD`, then `T` or spaces and `hh:mm[:ss[.fff]]`, then `Z`, an offset or nothing;
 * - `us-date`: `M/D/YYYY h:mm[:ss] [AM|PM]`.
 */
export const TIME_FORMATS = [
  "seconds",
  "hours-minutes",
  "unix-seconds",
  "unix-milliseconds",
  "iso-8601",
  "us-date",
] as const;

/** Name of one way of writing times. */
export type TimeFormat = (typeof TIME_FORMATS)[number];

/** What a written time may lack. */
export interface TimeOrigin {
  /** Start of the recording, ms since 1970 UTC, for the formats that count from there. */
  readonly startTime?: number | undefined;
  /** Local time minus UTC in minutes, for dates written without a zone. */
  readonly utcOffsetMinutes: number;
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const HOURS_MINUTES = /^(\d{1,4}):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?$/;
const ISO_8601 =
  /^(\d{4})-(\d{2})-(\d{2})(?:(?:T| +)(\d{2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?)? *(Z|[+-]\d{2}:?\d{2})?$/i;
const US_DATE =
  /^(\d{1,2})\/(\d{1,2})\/(\d{4})(?: +(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?(?: *([AP])M)?)?$/i;

/** Smaller numbers count from the start of the recording, which would have to last three years to get here. */
const LEAST_UNIX_SECONDS = 1e8;
/** Larger numbers are milliseconds: as seconds they would lie beyond the year 5000. */
const LEAST_UNIX_MILLISECONDS = 1e11;

/** A decimal number as written, or null where the text is not one. */
export function parseDecimal(text: string): number | null {
  if (!DECIMAL.test(text)) {
    return null;
  }
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

/**
 * The format that a time is written in, or null where none fits. A date with slashes counts as `us-date` only if
 * it says AM or PM; otherwise it could as well be day/month/year, and the caller has to say.
 */
export function detectTimeFormat(text: string): TimeFormat | null {
  const number = parseDecimal(text);
  if (number !== null) {
    if (Math.abs(number) >= LEAST_UNIX_MILLISECONDS) {
      return "unix-milliseconds";
    }
    return Math.abs(number) >= LEAST_UNIX_SECONDS ? "unix-seconds" : "seconds";
  }
  if (HOURS_MINUTES.test(text)) {
    return "hours-minutes";
  }
  if (ISO_8601.test(text)) {
    return "iso-8601";
  }
  return US_DATE.exec(text)?.[7] === undefined ? null : "us-date";
}

/**
 * Milliseconds since 1970 UTC, rounded to whole ones, or null where the text is not a time of this format.
 * @throws MedcloudletError `WEARABLE_CSV_TIME` where the format counts from a start that was not given
 */
export function parseTime(text: string, format: TimeFormat, origin: TimeOrigin): number | null {
  switch (format) {
    case "seconds":
      return sinceStart(parseDecimal(text), origin);
    case "hours-minutes":
      return sinceStart(secondsOf(HOURS_MINUTES.exec(text)), origin);
    case "unix-seconds":
      return milliseconds(parseDecimal(text), 1000);
    case "unix-milliseconds":
      return milliseconds(parseDecimal(text), 1);
    case "iso-8601":
      return isoTime(ISO_8601.exec(text), origin);
    case "us-date":
      return usTime(US_DATE.exec(text), origin);
  }
}

function milliseconds(value: number | null, factor: number): number | null {
  const rounded = value === null ? Number.NaN : Math.round(value * factor);
  return Number.isSafeInteger(rounded) ? rounded : null;
}

function sinceStart(seconds: number | null, { startTime }: TimeOrigin): number | null {
  if (startTime === undefined) {
    throw new MedcloudletError(
      "WEARABLE_CSV_TIME",
      "The times of this file count from the start of the recording: say when that was with startTime, ms since 1970 UTC (--start 2026-01-31T08:00:00Z).",
      { status: 400 },
    );
  }
  const offset = milliseconds(seconds, 1000);
  return offset === null ? null : startTime + offset;
}

function secondsOf(match: RegExpExecArray | null): number | null {
  if (match === null) {
    return null;
  }
  const [, hours, minutes, seconds] = match;
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds ?? 0);
}

function isoTime(match: RegExpExecArray | null, origin: TimeOrigin): number | null {
  if (match === null) {
    return null;
  }
  const [, year, month, day, hour, minute, second, zone] = match;
  const local = dateTime([year, month, day, hour, minute, second].map((part) => Number(part ?? 0)));
  return local === null ? null : local - zoneMinutes(zone, origin) * 60_000;
}

function usTime(match: RegExpExecArray | null, origin: TimeOrigin): number | null {
  if (match === null) {
    return null;
  }
  const [, month, day, year, hour, minute, second] = match;
  const half = match[7]?.toUpperCase();
  const written = Number(hour ?? 0);
  if (half !== undefined && (written < 1 || written > 12)) {
    return null;
  }
  const hours = half === undefined ? written : (written % 12) + (half === "P" ? 12 : 0);
  const parts = [Number(year), Number(month), Number(day), hours, Number(minute ?? 0), Number(second ?? 0)];
  const local = dateTime(parts);
  return local === null ? null : local - origin.utcOffsetMinutes * 60_000;
}

function zoneMinutes(zone: string | undefined, origin: TimeOrigin): number {
  if (zone === undefined) {
    return origin.utcOffsetMinutes;
  }
  if (zone.toUpperCase() === "Z") {
    return 0;
  }
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return zone.startsWith("-") ? -minutes : minutes;
}

/** Moment of year, month, day, hour, minute, second as if in UTC, or null where the calendar has no such date. */
function dateTime(parts: readonly number[]): number | null {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  const midnight = Date.UTC(year, month - 1, day);
  const date = new Date(midnight);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) {
    return null;
  }
  if (hour > 23 || minute > 59 || second >= 61) {
    return null;
  }
  return midnight + Math.round((hour * 3600 + minute * 60 + second) * 1000);
}
