export { type CsvOptions, type CsvRow, readCsv } from "./rows.ts";
export { csvText } from "./text.ts";
