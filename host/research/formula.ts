import { parseNumber } from "./values.ts";

/** What a spreadsheet takes for a formula by its first character, full-width forms among them. */
const FORMULA = /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/;
const MADE_HARMLESS = /^'(?=[=+\-@\t\r\uff1d\uff0b\uff0d\uff20])/;

/**
 * A text as it stands in a CSV file: what a spreadsheet would run gets an apostrophe in front (OWASP, CSV Injection).
 * Patients write some of what is released, and researchers open it with a double click. Numbers stay as they are.
 */
export function harmlessCell(text: string): string {
  return FORMULA.test(text) && parseNumber(text) === null ? `'${text}` : text;
}

/** The text that `harmlessCell` made harmless. */
export function originalCell(text: string): string {
  return text.replace(MADE_HARMLESS, "");
}
