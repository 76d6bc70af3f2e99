export type { Told } from "./anomaly/counts.ts";
export { mergeTold } from "./anomaly/merge.ts";
export type { AnomalyModel } from "./anomaly/model.ts";
export { createTrainer, type Trainer } from "./anomaly/train.ts";
export {
  bestNeeded,
  type Consultation,
  consult,
  howManyToAsk,
  type Rates,
  type Stakes,
} from "./consult.ts";
export { ALARM_AT, createDetector, type Detector, type Verdict } from "./detector.ts";
export * from "./engine/index.ts";
export {
  areaUnderCurve,
  bootstrap,
  createDraw,
  falsePositiveRate,
  type Judged,
  type Measured,
  type RocPoint,
  rocCurve,
  thresholdAt,
  truePositiveRate,
} from "./evaluation/metrics.ts";
export { type Curve, drawRoc } from "./evaluation/roc-svg.ts";
export { createSplit, type Split } from "./evaluation/split.ts";
export {
  type Correlation,
  type Fused,
  fuseScores,
  fuseVotes,
  logRatio,
  type Voice,
  type Vote,
} from "./fusion.ts";
export {
  type Counts,
  correlationOf,
  measureCorrelations,
  measureRates,
  type Outcome,
  type Verdicts,
} from "./members.ts";
export { decodeModel, encodeModel, modelHash } from "./model-file.ts";
export { type InspectedRequest, parseRequest, type RequestRecord, requestRecordSchema } from "./request.ts";
export { createInspector, type Hit, RULES, type Rule, ruleHash, ruleSetHash } from "./rules/index.ts";
export { createScenarioEngine, type Overflow, type ScenarioEngine } from "./scenarios/engine.ts";
export { type EventField, eventSchema, type IdsEvent } from "./scenarios/event.ts";
export { SCENARIOS } from "./scenarios/list.ts";
export { type Scenario, scenarioHash } from "./scenarios/scenario.ts";
export { type TabularDetector, trainTabular } from "./tabular.ts";
export { decodeTold, encodeTold } from "./told-file.ts";
