import type { Clock } from "../../base/index.ts";

/**
 * What became of a request: answered (below 400), refused (4xx), held back by the intrusion detection, or failed (5xx).
 */
export const OUTCOMES = ["answered", "refused", "held", "failed"] as const;
export type Outcome = (typeof OUTCOMES)[number];

const MINUTE_MS = 60_000;
const QUARTER_MS = 15 * MINUTE_MS;

/** Counts of equal spans of time, the oldest first; the last one is the span that runs. */
export interface Spans {
  readonly stepMs: number;
  /** When the running span began, ms since 1970 UTC. */
  readonly newestAt: number;
  /** For each span how many were answered, refused, held and failed. */
  readonly counts: readonly (readonly [answered: number, refused: number, held: number, failed: number])[];
}

/** How many requests a service had. No address, no path, nobody. */
export interface TrafficReport {
  /** When counting began, ms: spans before it tell nothing. Null where the detection is off: nothing counts then. */
  readonly since: number | null;
  readonly at: number;
  /** The last hour by minutes, and the last day by quarters of an hour. */
  readonly hour: Spans;
  readonly day: Spans;
}

/** Counts of so many spans, in as much memory however many requests there are. */
function createRing(length: number, stepMs: number) {
  const counts = Array.from({ length }, (): number[] => OUTCOMES.map(() => 0));
  const spanOf = new Array<number>(length).fill(-1);
  const slot = (span: number) => ((span % length) + length) % length;
  return {
    count(outcome: Outcome, at: number) {
      const span = Math.floor(at / stepMs);
      const place = slot(span);
      const row = counts[place] as number[];
      if (spanOf[place] !== span) {
        spanOf[place] = span;
        row.fill(0);
      }
      const column = OUTCOMES.indexOf(outcome);
      row[column] = (row[column] as number) + 1;
    },
    spans(now: number): Spans {
      const newest = Math.floor(now / stepMs);
      return {
        stepMs,
        newestAt: newest * stepMs,
        counts: Array.from({ length }, (_, i) => {
          const span = newest - length + 1 + i;
          const row = spanOf[slot(span)] === span ? (counts[slot(span)] as number[]) : [];
          return [row[0] ?? 0, row[1] ?? 0, row[2] ?? 0, row[3] ?? 0] as const;
        }),
      };
    },
  };
}

/** Counts requests by the minute. In memory, and nowhere else. */
export interface Traffic {
  count(outcome: Outcome): void;
  report(): TrafficReport;
}

/** @param options `counting`: false where nothing will be counted */
export function createTraffic({ clock, counting }: { clock: Clock; counting: boolean }): Traffic {
  const hour = createRing(60, MINUTE_MS);
  const day = createRing(96, QUARTER_MS);
  const since = clock.now();
  return {
    count(outcome) {
      const now = clock.now();
      hour.count(outcome, now);
      day.count(outcome, now);
    },
    report() {
      const at = clock.now();
      return { since: counting ? since : null, at, hour: hour.spans(at), day: day.spans(at) };
    },
  };
}

/** What became of an answer. @param heldBack whether the detection's own refusal was the answer */
export function outcomeOf(status: number, heldBack: boolean): Outcome {
  if (heldBack) {
    return "held";
  }
  return status < 400 ? "answered" : status < 500 ? "refused" : "failed";
}
