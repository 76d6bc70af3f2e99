import type { News2Parameter, News2Score } from "./news2.ts";
import type { BatchAssessment } from "./priority.ts";

/** When a wearable reports more often, and when it stops to. */
export interface ReportPolicy {
  /** Points from which on it is an emergency. */
  readonly enterPoints: number;
  /** Points up to which it may be over: a gap below `enterPoints`, or a score on the edge would switch back and forth. */
  readonly leavePoints: number;
  /** For so long the points must stay there, ms. */
  readonly calmMs: number;
  /** A fall keeps the emergency up for at least so long, ms, whatever the readings say. */
  readonly fallMs: number;
}

const MINUTE = 60_000;

/** Ours: in at 7 points, the guideline's emergency; out after ten minutes at 4 or less, its low band. */
export const REPORT_POLICY: ReportPolicy = {
  enterPoints: 7,
  leavePoints: 4,
  calmMs: 10 * MINUTE,
  fallMs: 30 * MINUTE,
};

/** How a wearable reports now. Plain data: a device may keep it over a restart. */
export interface ReportMode {
  readonly mode: "regular" | "emergency";
  /** Why it is an emergency, as far back as the last cause. */
  readonly cause: "news2" | "fall" | null;
  /** Since when, ms since 1970 UTC; null in regular mode. */
  readonly since: number | null;
  /** Moment of the last fall in this emergency. */
  readonly fallAt: number | null;
  /** Since when the points have been low; null while they are not, or while it is not known. */
  readonly calmSince: number | null;
  /** Parameters that had points when it was at its worst: calm is only what is measured to be calm. */
  readonly mustKnow: readonly News2Parameter[];
  readonly worstPoints: number;
}

export const REGULAR_MODE: ReportMode = {
  mode: "regular",
  cause: null,
  since: null,
  fallAt: null,
  calmSince: null,
  mustKnow: [],
  worstPoints: 0,
};

/**
 * The mode after one more slice of readings: a NEWS2 of 7 or a fall begins an emergency. It ends when the score has been
 * at 4 or less for ten minutes on end, measured: every parameter that made it grave has to be known again, so that a
 * sensor that came off, or a cuff's value that grew too old, does not look like recovery. After a fall it lasts half an
 * hour at least. The shortening of reports in an emergency is SPOC's (Lu, Lin and Shen, IEEE TPDS 24(3), 2013).
 *
 * @param slice `at` is the slice's last moment (ms since 1970 UTC), `assessment` what `createTriage` says of it
 */
export function nextReportMode(
  before: ReportMode,
  slice: {
    readonly at: number;
    readonly assessment: BatchAssessment;
    readonly fall?: boolean;
    /** False for a slice of gaps only: what is remembered from before it calms nobody. */
    readonly measured?: boolean;
  },
  policy: ReportPolicy = REPORT_POLICY,
): ReportMode {
  const { at, assessment, fall = false, measured = true } = slice;
  const worst = assessment.worst?.score ?? null;
  const isGrave = worst !== null && worst.lowerBound >= policy.enterPoints;
  if (fall || isGrave) {
    return entered(before, at, fall, worst);
  }
  if (before.mode === "regular") {
    return before;
  }
  const calm =
    measured &&
    worst !== null &&
    worst.lowerBound <= policy.leavePoints &&
    assessment.latest.lowerBound <= policy.leavePoints &&
    before.mustKnow.every((name) => assessment.latest.parameters[name] !== null);
  const calmSince = calm ? (before.calmSince ?? at) : null;
  const fallIsOver = before.fallAt === null || at - before.fallAt >= policy.fallMs;
  if (calmSince !== null && at - calmSince >= policy.calmMs && fallIsOver) {
    return REGULAR_MODE;
  }
  return { ...before, calmSince };
}

function entered(before: ReportMode, at: number, fall: boolean, worst: News2Score | null): ReportMode {
  const points = worst?.lowerBound ?? 0;
  const isWorst = worst !== null && points > before.worstPoints;
  const scored = isWorst
    ? (Object.keys(worst.parameters) as News2Parameter[]).filter((name) => (worst.parameters[name] ?? 0) > 0)
    : before.mustKnow;
  return {
    mode: "emergency",
    cause: fall ? "fall" : "news2",
    since: before.since ?? at,
    fallAt: fall ? at : before.fallAt,
    calmSince: null,
    mustKnow: scored,
    worstPoints: Math.max(points, before.worstPoints),
  };
}
