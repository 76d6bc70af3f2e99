export {
  type AlertBook,
  type AlertLock,
  type AlertSubject,
  type AlertWish,
  createAlertBook,
  type KeptAlert,
} from "./alerts/book.ts";
export {
  ALERT_EVENT,
  ALERT_LEVELS,
  type Alert,
  type AlertEvent,
  type AlertLevel,
  type AlertStatus,
  evolve as evolveAlert,
  isGraver,
  replayAlert,
} from "./alerts/events.ts";
export {
  ALERT_POLICY,
  type AlertCommand,
  type AlertPolicy,
  advance as advanceAlert,
  decide as decideAlert,
} from "./alerts/life.ts";
export { type Baseline, type BaselineOptions, createBaseline, type Usual } from "./baseline.ts";
export {
  CUSUM_START,
  type CusumOptions,
  type CusumState,
  type CusumStep,
  runLength,
  stepCusum,
  thresholdFor,
} from "./cusum.ts";
export {
  type AlarmComparison,
  type AlarmResult,
  compareAlarms,
  type TradePoint,
} from "./evaluation/alarms.ts";
export { type ChartLine, drawLines, type LineChart, rocPoints } from "./evaluation/chart.ts";
export { FEATURES } from "./evaluation/features.ts";
export {
  type Forecast,
  type ForecastResult,
  forecast,
  type Patient,
  patientsOf,
} from "./evaluation/forecast.ts";
export { judgeMonitor, type MonitorResult, type Recording, readRecordings } from "./evaluation/monitor.ts";
export { readStays, type Stay } from "./evaluation/stay.ts";
export { currentVitals, scoreOf, updateVitals, type Vitals } from "./latest-vitals.ts";
export { type LastMeasured, noteMeasured, type Silence, silencesAt } from "./missing-data.ts";
export {
  type Consciousness,
  NEWS2_PARAMETERS,
  type News2Eligibility,
  type News2Observation,
  type News2Options,
  type News2Parameter,
  type News2Score,
  type News2Urgency,
  scoreNews2,
} from "./news2.ts";
export {
  type News2Level,
  type News2LineParameter,
  type News2LineResult,
  scoreNews2Line,
} from "./news2-line.ts";
export {
  assessBatch,
  type BatchAssessment,
  type BatchOptions,
  type BatchPriority,
  priorityOf,
  priorityOfScore,
} from "./priority.ts";
export {
  nextReportMode,
  REGULAR_MODE,
  REPORT_POLICY,
  type ReportMode,
  type ReportPolicy,
} from "./report-mode.ts";
export {
  type GatedSignal,
  gateSignal,
  type SignalFaults,
  type SignalLimits,
} from "./signal-quality.ts";
export { type Sample, type Trend, trendOf } from "./trend.ts";
export { createTriage, type Triage } from "./triage.ts";
export {
  createWatch,
  type Finding,
  type Watch,
  type WatchKind,
  type WatchOptions,
} from "./watch.ts";
