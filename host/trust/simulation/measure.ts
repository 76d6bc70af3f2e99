import { rankArea } from "../../statistics/index.ts";

/** A number measured in several independent runs. */
export interface Estimate {
  readonly mean: number;
  /** Half the width of the 95 % confidence interval of the mean. */
  readonly margin: number;
}

/** What a model makes of a world. */
export interface Outcome {
  /** Area under the ROC curve of telling honest candidates from malicious ones: 1 perfect, 0.5 a coin. */
  readonly auc: number;
  /** Shares with a malicious candidate, per 1,000 decisions. */
  readonly wrongShares: number;
  /** Part of the honest candidates that were refused, 0 to 1. */
  readonly refused: number;
}

/** One decision of a model and the truth. */
export interface Judged {
  readonly score: number;
  readonly share: boolean;
  readonly honest: boolean;
}

/**
 * The area under the ROC curve as the Mann-Whitney statistic: the probability that an honest candidate scores higher
 * than a malicious one, ties counting half (Hanley and McNeil, Radiology 143, 1982). NaN when one kind is missing.
 */
export function areaUnderCurve(judged: readonly Pick<Judged, "score" | "honest">[]): number {
  return rankArea(judged, ({ honest }) => honest);
}

export function outcomeOf(judged: readonly Judged[]): Outcome {
  const honest = judged.filter((one) => one.honest);
  const wrong = judged.filter((one) => one.share && !one.honest).length;
  return {
    auc: areaUnderCurve(judged),
    wrongShares: (1000 * wrong) / judged.length,
    refused: honest.filter((one) => !one.share).length / honest.length,
  };
}

/** Quantiles 0.975 of Student's t for 1 to 30 degrees of freedom. */
const STUDENT = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
] as const;

/** Mean and 95 % confidence interval (Student's t) of independent runs; the margin of one run alone is infinite. */
export function estimate(values: readonly number[]): Estimate {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const freedom = values.length - 1;
  if (freedom === 0) {
    return { mean, margin: Number.POSITIVE_INFINITY };
  }
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / freedom;
  const quantile = STUDENT[Math.min(freedom, STUDENT.length) - 1] as number;
  return { mean, margin: quantile * Math.sqrt(variance / values.length) };
}
