import {
  type BatchOptions,
  type BatchPriority,
  createTriage,
  nextReportMode,
  REGULAR_MODE,
  type ReportMode,
} from "../analytics/index.ts";
import { MedcloudletError } from "../base/index.ts";
import type { Quantity, ReadingColumn } from "../sealing/index.ts";

/** Seconds between reports: those of ordinary times, and SPOC's ten in an emergency. */
const REGULAR_SECONDS = 60;
export const EMERGENCY_SECONDS = 10;

/** Readings that are due to be sealed and sent. */
export interface Report {
  readonly columns: readonly ReadingColumn[];
  readonly priority: BatchPriority;
  readonly mode: ReportMode["mode"];
}

/** Gathers what is measured and says when to report. */
export interface Reporter {
  /**
   * Takes the readings of one slice in, in the order of time. Gives a report when one is due: after `regularSeconds`, or
   * with every slice in an emergency; the slice that begins an emergency is not kept waiting.
   * @param fall true when the wearer fell in this slice
   */
  take(columns: readonly ReadingColumn[], slice?: { readonly fall?: boolean }): Report | null;
  /** What is left when nothing more is measured. */
  rest(): Report | null;
  mode(): ReportMode;
}

const RANK: Readonly<Record<BatchPriority, number>> = { regular: 0, abnormal: 1, emergency: 2 };

/**
 * How a wearable reports: it measures in slices, joins them to a minute in ordinary times, and sends each by itself, with
 * emergency priority, from a NEWS2 of 7 or a fall on until it has been calm for a while (`nextReportMode`).
 *
 * @throws MedcloudletError `WEARABLE_REPORTS` unless slices fit into reports
 */
export function createReporter(
  options: BatchOptions & {
    readonly sliceSeconds?: number;
    readonly regularSeconds?: number;
    /** Where a device goes on after a restart. */
    readonly mode?: ReportMode;
  } = {},
): Reporter {
  const {
    sliceSeconds = EMERGENCY_SECONDS,
    regularSeconds = REGULAR_SECONDS,
    mode: kept,
    ...scoring
  } = options;
  if (!(sliceSeconds > 0 && regularSeconds >= sliceSeconds)) {
    throw new MedcloudletError(
      "WEARABLE_REPORTS",
      "A slice must be longer than nothing and fit into a report.",
      { status: 400 },
    );
  }
  const triage = createTriage(scoring);
  let mode = kept ?? REGULAR_MODE;
  let gathered: readonly ReadingColumn[] = [];
  let seconds = 0;
  let fallen = false;
  let priority: BatchPriority = "regular";

  const report = (): Report | null => {
    const due: Report = { columns: gathered, priority, mode: mode.mode };
    gathered = [];
    seconds = 0;
    priority = "regular";
    return due.columns.length === 0 ? null : due;
  };

  return {
    take(columns, { fall = false } = {}) {
      const at = Math.max(...columns.map(({ times }) => times.at(-1) ?? Number.NEGATIVE_INFINITY));
      seconds += sliceSeconds;
      fallen ||= fall;
      // A slice without any sample has no moment. A fall in it waits for the next one that has.
      if (Number.isFinite(at)) {
        const assessment = triage.assess(columns);
        const measured = columns.some(({ values }) => values.some((value) => value !== null));
        mode = nextReportMode(mode, { at, assessment, fall: fallen, measured });
        fallen = false;
        const here = mode.mode === "emergency" ? "emergency" : assessment.priority;
        priority = RANK[here] > RANK[priority] ? here : priority;
        gathered = joined(gathered, columns);
      }
      return mode.mode === "emergency" || seconds >= regularSeconds ? report() : null;
    },
    rest: report,
    mode: () => mode,
  };
}

/** Columns one after the other; the first slice decides their order. */
function joined(before: readonly ReadingColumn[], next: readonly ReadingColumn[]): readonly ReadingColumn[] {
  if (before.length === 0) {
    return next;
  }
  const columns = new Map<Quantity, ReadingColumn>(before.map((column) => [column.quantity, column]));
  for (const { quantity, times, values } of next) {
    const known = columns.get(quantity);
    columns.set(quantity, {
      quantity,
      times: known === undefined ? times : [...known.times, ...times],
      values: known === undefined ? values : [...known.values, ...values],
    });
  }
  return [...columns.values()];
}
