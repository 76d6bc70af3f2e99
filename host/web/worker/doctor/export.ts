import { MedcloudletError } from "../../../base/index.ts";
import { exportBundle, observationsOfReadings } from "../../../fhir/index.ts";
import { QUANTITIES, type ReadingColumn } from "../../../sealing/index.ts";
import type { ExportFormat } from "./questions.ts";

/** A bundle is built as one object in memory, an observation a sample. */
const MOST_OBSERVATIONS = 10_000;
/** So many lines are written before others get a word in: an alert must not wait for a file. */
const LINES_AT_ONCE = 20_000;
const CSV_HEAD = ["time", "quantity", "loinc", "unit", "value"];

/**
 * A cell of CSV (RFC 4180). What a spreadsheet would take for a formula is made a text by an apostrophe, as OWASP's "CSV
 * Injection" has it; numbers are numbers, also with a minus.
 */
export function csvCell(value: string | number): string {
  if (typeof value === "number") {
    return String(value);
  }
  const harmless = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replace(/"/g, '""')}"` : harmless;
}

/** One line for each measured sample, in pieces. */
export async function csvOf(columns: readonly ReadingColumn[]): Promise<string[]> {
  const pieces: string[] = [`${CSV_HEAD.join(",")}\r\n`];
  for (const { quantity, times, values } of columns) {
    const { display, loinc, ucum } = QUANTITIES[quantity];
    const middle = [display, loinc, ucum].map(csvCell).join(",");
    for (let from = 0; from < times.length; from += LINES_AT_ONCE) {
      let piece = "";
      for (let i = from; i < Math.min(times.length, from + LINES_AT_ONCE); i++) {
        const value = values[i];
        if (value !== null && value !== undefined) {
          piece += `${new Date(times[i] as number).toISOString()},${middle},${csvCell(value)}\r\n`;
        }
      }
      pieces.push(piece);
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
  return pieces;
}

/**
 * Readings as a file.
 * @throws MedcloudletError `EXPORT_EMPTY`, `EXPORT_TOO_LARGE`
 */
export async function exportReadings(options: {
  readonly columns: readonly ReadingColumn[];
  readonly format: ExportFormat;
  /** What stands for the patient in a bundle: the account's id, never a name. */
  readonly pseudonym: string;
  readonly at: number;
}): Promise<Blob> {
  const { columns, format, pseudonym, at } = options;
  const samples = columns.reduce((sum, { times }) => sum + times.length, 0);
  if (samples === 0) {
    throw new MedcloudletError("EXPORT_EMPTY", "Nothing was measured in the time that is shown.", {
      status: 422,
    });
  }
  if (format === "csv") {
    return new Blob(await csvOf(columns), { type: "text/csv;charset=utf-8" });
  }
  if (samples > MOST_OBSERVATIONS) {
    throw new MedcloudletError(
      "EXPORT_TOO_LARGE",
      `A FHIR bundle holds ${MOST_OBSERVATIONS} samples at most, and ${samples} are shown: show a shorter time, or take CSV.`,
      { status: 422 },
    );
  }
  const bundle = exportBundle({ observations: observationsOfReadings(columns) }, { pseudonym, at });
  return new Blob([JSON.stringify(bundle, null, 2)], { type: "application/fhir+json" });
}
