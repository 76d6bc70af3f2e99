import type { AnomalyModel } from "./anomaly/model.ts";
import { createAnomalyDetector } from "./anomaly/model.ts";
import { type InspectedRequest, type ParsedRequest, parseRequest } from "./request.ts";
import { beliefOf, createInspector, type Hit, type Inspector } from "./rules/index.ts";

/** Chance that a request is an attack before anything is known of it. */
export const PRIOR = 0.02;
/** From here on a request counts as an attack. */
export const ALARM_AT = 0.5;
/**
 * The most that strangeness alone may say of a route that was never seen in training. Its values cannot be judged: a
 * new page of the application looks like that, and so does a scanner. Below `ALARM_AT`, so that nothing but a rule
 * raises an alarm there.
 */
const STRANGE_ROUTE = 0.45;

export interface Verdict {
  /** Belief that the request is an attack, 0 to 1. */
  readonly score: number;
  readonly alarm: boolean;
  readonly hits: readonly Hit[];
  /** Bits of surprise and what is strange, where there is a model. */
  readonly anomaly?: {
    readonly bits: number;
    readonly because: readonly { readonly kind: string; readonly at: string; readonly bits: number }[];
  };
}

/** One detector for live traffic and for a log. Never throws; keeps nothing between requests. */
export interface Detector {
  readonly rulesHash: string;
  judge(request: InspectedRequest): Verdict;
  judgeParsed(request: ParsedRequest): Verdict;
}

/**
 * Belief from a p-value by the calibration -e p ln p, the least Bayes factor that it leaves for innocence (Sellke,
 * Bayarri and Berger, The American Statistician 55(1), 2001), and the prior.
 * @param bits minus log2 of the p-value
 */
export function beliefFromBits(bits: number): number {
  const nats = bits * Math.LN2;
  const logOdds = Math.log(PRIOR / (1 - PRIOR));
  // From p = 1/e upwards nothing speaks against innocence; below, scale towards the prior so that ranks stay apart.
  const factor = nats <= 1 ? nats - 1 : nats - 1 - Math.log(nats);
  return 1 / (1 + Math.exp(-(logOdds + factor)));
}

/** The bits at which `beliefFromBits` reaches a belief; the two invert one another. @param belief above the prior, below 1 */
export function bitsAtBelief(belief: number): number {
  let low = 0;
  let high = 1024;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (beliefFromBits(middle) < belief) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return high;
}

export function createDetector(options: { model?: AnomalyModel; inspector?: Inspector } = {}): Detector {
  const inspector = options.inspector ?? createInspector();
  const anomalies = options.model === undefined ? undefined : createAnomalyDetector(options.model);

  const judgeParsed = (request: ParsedRequest): Verdict => {
    const hits = inspector.inspect(request.parts);
    const byRules = beliefOf(hits);
    if (anomalies === undefined) {
      return { score: byRules, alarm: byRules >= ALARM_AT, hits };
    }
    const { bits, known, because } = anomalies.judge(request);
    const strange = beliefFromBits(bits);
    const byAnomaly = known ? strange : STRANGE_ROUTE * strange;
    // Either finding alone is enough; together they leave less doubt.
    const score = 1 - (1 - byRules) * (1 - byAnomaly);
    return { score, alarm: score >= ALARM_AT, hits, anomaly: { bits, because } };
  };
  return { rulesHash: inspector.hash, judgeParsed, judge: (request) => judgeParsed(parseRequest(request)) };
}
