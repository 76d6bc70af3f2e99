export type { VitalsBatch } from "./batcher.ts";
export { PHYSIOLOGICAL_BOUNDS } from "./body.ts";
export { type ColumnMap, type ColumnRole, parseColumnMap } from "./csv-columns.ts";
export { TIME_FORMATS, type TimeFormat } from "./csv-time.ts";
export { type Device, openDevice, PAIRING, type Pairing, type Sealed } from "./device.ts";
export type { Episode } from "./episode.ts";
export { createKeptMode, type KeptMode } from "./kept-mode.ts";
export { readPairingFile } from "./pairing-file.ts";
export { createPhysiology, type Physiology, type PhysiologyOptions } from "./physiology.ts";
export type {
  PhysiologyProfile,
  SamplingIntervals,
} from "./profile.ts";
export { ONLY_PATIENT, type ReplayOptions, readVitalsCsv } from "./replay.ts";
export {
  createReporter,
  EMERGENCY_SECONDS,
  type Report,
  type Reporter,
} from "./reporter.ts";
export { uploadAll } from "./upload.ts";
