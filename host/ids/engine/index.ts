export type {
  Alert,
  Consequences,
  Decision,
  DecisionVoice,
  Engine,
  EngineSettings,
  Measure,
  Member,
  MemberStanding,
  Observation,
  Ruling,
  SharedAlert,
  Subject,
  SubjectKind,
} from "./contract.ts";
export { createEngine } from "./engine.ts";
export { inWords } from "./explain.ts";
export {
  type Difference,
  type LogEntry,
  logLine,
  parseLogLine,
  type Replay,
  recordEngine,
  replayLog,
} from "./log.ts";
export { memberSchema } from "./schema.ts";
export {
  DEFAULT_ENGINE_SETTINGS,
  pseudonymEpoch,
} from "./settings.ts";
