export type { AnomalyModel } from "./anomaly/model.ts";
export { createTrainer, type Trainer } from "./anomaly/train.ts";
export { ALARM_AT, createDetector, type Detector, type Verdict } from "./detector.ts";
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
export { fuseScores } from "./fusion.ts";
export { decodeModel, encodeModel, modelHash } from "./model-file.ts";
export { type InspectedRequest, parseRequest, type RequestRecord, requestRecordSchema } from "./request.ts";
export { createInspector, type Hit, RULES, type Rule, ruleHash, ruleSetHash } from "./rules/index.ts";
