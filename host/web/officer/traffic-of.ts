import type { TrafficAt } from "../worker/officer/traffic-questions.ts";

export type Span = "hour" | "day";
export type Row = readonly [answered: number, refused: number, held: number, failed: number];

const NOTHING: Row = [0, 0, 0, 0];
const plus = (a: Row, b: Row): Row => [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]];

/** Everything that one service had in a span of time; null where it did not count. */
export function sumOf({ traffic }: TrafficAt, span: Span): Row | null {
  return traffic === null || traffic.since === null ? null : traffic[span].counts.reduce(plus, NOTHING);
}

/** All services together, step by step, the oldest first: the newest steps stand together, whatever their clocks say. */
export function together(all: readonly TrafficAt[], span: Span): readonly Row[] {
  const rows = all.flatMap(({ traffic }) => (traffic === null ? [] : [traffic[span].counts]));
  const length = Math.max(0, ...rows.map((counts) => counts.length));
  return Array.from({ length }, (_, i) =>
    rows.reduce<Row>((sum, counts) => plus(sum, counts[counts.length - length + i] ?? NOTHING), NOTHING),
  );
}
