import type { AnomalyModel } from "../anomaly/model.ts";
import { ALARM_AT, bitsAtBelief, PRIOR } from "../detector.ts";
import { RULES, ruleSetHash } from "../rules/index.ts";
import type { SelfTestReport } from "./self-test.ts";

/** A place on the curve of what benign requests reach. */
export interface BenignPoint {
  /** Combined strength of what is strange about a request. */
  readonly strength: number;
  /** Chance that a benign request reaches it, as measured on those that training held out. */
  readonly falseAlarm: number;
}

/** What judges requests at a service, and where it was set. */
export interface DetectorReport {
  readonly mode: "enforce" | "simulate" | "off";
  /** Belief from which on a request counts as an attack, and the one that it starts with. Both 0 to 1. */
  readonly alarmAt: number;
  readonly prior: number;
  readonly rules: { readonly count: number; readonly hash: string };
  readonly model: {
    /** SHA-256 of its file, hex; null where it did not come from one. */
    readonly hash: string | null;
    readonly version: number;
    /** Benign requests that it learned from, and those that were held out to measure it. */
    readonly requests: number;
    readonly heldOut: number;
    /** Where its strangeness alone raises an alarm: p-value in bits, and the share of benign requests beyond it. */
    readonly operatingPoint: { readonly bits: number; readonly falseAlarm: number };
    /** How often benign requests reach which strangeness, as measured in training, weakest first. */
    readonly benign: readonly BenignPoint[];
  } | null;
  /** How rules and model do here, on the service's own requests and on built-in attacks; null where nothing is watched. */
  readonly selfTest: SelfTestReport | null;
}

/** Describes the detector of a service's settings, and what it was measured to do. */
export function describeDetector(
  settings: {
    readonly mode: DetectorReport["mode"];
    readonly model?: AnomalyModel | undefined;
    readonly modelHash?: string | undefined;
  },
  selfTest: SelfTestReport | null,
): DetectorReport {
  const { mode, model, modelHash } = settings;
  const bits = bitsAtBelief(ALARM_AT);
  return {
    mode,
    alarmAt: ALARM_AT,
    prior: PRIOR,
    rules: { count: RULES.length, hash: ruleSetHash(RULES) },
    model:
      model === undefined
        ? null
        : {
            hash: modelHash ?? null,
            version: model.version,
            requests: model.traffic.n,
            heldOut: model.whole.n,
            operatingPoint: { bits, falseAlarm: 2 ** -bits },
            benign: model.whole.knots.map(([strength, measured]) => ({
              strength,
              falseAlarm: 2 ** -measured,
            })),
          },
    selfTest,
  };
}
