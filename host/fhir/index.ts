export { VITAL_CODES, type VitalCode } from "./codes.ts";
export { consentToFhir } from "./consent.ts";
export { type Bundle, exportBundle } from "./export.ts";
export { type ImportReport, importBundle } from "./import.ts";
export type { Resource } from "./json.ts";
export { observationsOfReadings } from "./readings.ts";
