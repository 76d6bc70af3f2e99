import type { QuasiIdentifierColumn } from "./schema.ts";

/** How the values of a numeric or date column are read and written. */
export interface Codec {
  /** The number a field stands for, null where it is none. */
  parse(text: string): number | null;
  format(value: number): string;
  /** What a field should have been, for a message. */
  readonly expected: string;
}

const DAY_MS = 86_400_000;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A decimal number with a point, or null. */
export function parseNumber(text: string): number | null {
  if (!DECIMAL.test(text)) {
    return null;
  }
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

/** Twelve digits are more than any measurement has, and hide what binary fractions add to a rounded one. */
function formatNumber(value: number): string {
  return String(Number(value.toPrecision(12)));
}

const PATTERNS = {
  "YYYY-MM-DD": { pattern: /^(\d{4})-(\d{1,2})-(\d{1,2})$/, order: [1, 2, 3] },
  "M/D/YYYY": { pattern: /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/, order: [3, 1, 2] },
  "D.M.YYYY": { pattern: /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/, order: [3, 2, 1] },
} as const;

/** Days since 1970-01-01, or null for what is no day of the calendar. */
function parseDay(text: string, format: keyof typeof PATTERNS): number | null {
  const { pattern, order } = PATTERNS[format];
  const parts = pattern.exec(text);
  if (parts === null) {
    return null;
  }
  const [year, month, day] = order.map((i) => Number(parts[i])) as [number, number, number];
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date.getTime() / DAY_MS : null;
}

/** The codec of a numeric or date quasi-identifier. */
export function codecOf(column: Exclude<QuasiIdentifierColumn, { type: "categorical" }>): Codec {
  if (column.type === "date") {
    const { format } = column;
    return {
      parse: (text) => parseDay(text, format),
      format: (value) => new Date(value * DAY_MS).toISOString().slice(0, 10),
      expected: `a date written as ${format}`,
    };
  }
  const step = column.round;
  return {
    parse(text) {
      const value = parseNumber(text);
      return value === null || step === undefined ? value : Math.round(value / step) * step;
    },
    format: formatNumber,
    expected: "a decimal number (with a point)",
  };
}
