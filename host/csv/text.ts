import Papa from "papaparse";

/** Records as CSV (RFC 4180), each with a line feed at its end. */
export function csvText(records: readonly (readonly string[])[]): string {
  return records.length === 0 ? "" : `${Papa.unparse(records as string[][], { newline: "\n" })}\n`;
}
