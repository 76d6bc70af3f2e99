import { MedcloudletError } from "../base/index.ts";
import type { Beside } from "./compose.ts";
import { checkGuarantee, createJudge, type Guarantee, type Judge, type Reached } from "./guarantee.ts";
import { type MondrianOptions, type Partition, partition } from "./mondrian.ts";
import { suppress } from "./suppress.ts";
import type { Table } from "./table.ts";

export interface AnonymizeOptions extends Pick<MondrianOptions, "choose" | "onSettled"> {
  readonly guarantee: Guarantee;
  /** Most rows that may be left out to spare the others, as a share of all; 0 where left out. */
  readonly suppression?: number;
  /** What earlier releases demand; rows that must wait are left out. Goes before `suppression`. */
  readonly beside?: Beside;
}

/** Rows in classes, each of which keeps the guarantee. */
export interface Anonymized {
  readonly table: Table;
  readonly guarantee: Guarantee;
  readonly classes: Partition;
  /** Rows that are in a class, in the order of classes. */
  readonly released: Uint32Array;
  /** How many rows were left out. */
  readonly suppressed: number;
}

/**
 * Puts the rows of a table into classes that keep a guarantee.
 * @throws MedcloudletError `RESEARCH_GUARANTEE_INVALID`; `RESEARCH_GUARANTEE_UNMET` where not even the whole table as one
 *   class keeps it: `details.reached` says how far it got
 */
export function anonymize(table: Table, options: AnonymizeOptions): Anonymized {
  const { guarantee, suppression = 0, beside } = options;
  checkGuarantee(guarantee, table.sensitive.length);
  if (beside !== undefined) {
    return anonymizeBeside(table, options, beside);
  }
  const budget = Math.floor(suppression * table.rows);
  requireWhole(table, guarantee, everybodyOf(table));
  if (budget > 0) {
    // Rows that leave move the distribution of the whole by no more than their share; the distances obey the triangle
    // inequality.
    const judge = createJudge(table, guarantee, { slack: budget / table.rows });
    const everybody = everybodyOf(table);
    if (judge.holds(everybody, 0, table.rows)) {
      const trimmed = suppress(table, split(table, options, judge), { k: guarantee.k, judge, budget });
      const released = releasedOf(trimmed);
      const exact = createJudge(table, guarantee, { reference: released });
      if (eachHolds(trimmed, exact)) {
        return { table, guarantee, classes: trimmed, released, suppressed: table.rows - released.length };
      }
    }
  }
  const classes = split(table, options, createJudge(table, guarantee));
  return { table, guarantee, classes, released: releasedOf(classes), suppressed: 0 };
}

/** Classes of the rows that need not wait, none of which holds a few of an earlier class and not the others. */
function anonymizeBeside(table: Table, options: AnonymizeOptions, { cells, held, k }: Beside): Anonymized {
  const { guarantee } = options;
  const rows = everybodyOf(table).filter((row) => held[row] === 0);
  requireWhole(table, guarantee, rows);
  const judge = createJudge(table, guarantee, { reference: rows });
  const ofCells = createJudge(table, { ...guarantee, k, t: 1 });
  const classes = split(table, options, createCellJudge(judge, ofCells, cells), rows);
  return { table, guarantee, classes, released: releasedOf(classes), suppressed: table.rows - rows.length };
}

/** A judge who asks of every cell in a range what `ofCells` asks of a class. */
function createCellJudge(judge: Judge, ofCells: Judge, cells: Uint32Array): Judge {
  return {
    reached: judge.reached,
    holds(order, from, to) {
      if (!judge.holds(order, from, to)) {
        return false;
      }
      const rows = order.slice(from, to).sort((a, b) => (cells[a] as number) - (cells[b] as number));
      let start = 0;
      for (let end = 1; end <= rows.length; end++) {
        if (end === rows.length || cells[rows[end] as number] !== cells[rows[start] as number]) {
          if (!ofCells.holds(rows, start, end)) {
            return false;
          }
          start = end;
        }
      }
      return true;
    },
  };
}

function everybodyOf(table: Table): Uint32Array {
  return Uint32Array.from({ length: table.rows }, (_, row) => row);
}

function split(
  table: Table,
  { guarantee, choose, onSettled }: AnonymizeOptions,
  judge: Judge,
  rows = everybodyOf(table),
): Partition {
  return partition(table, {
    rows,
    k: guarantee.k,
    judge,
    ...(choose === undefined ? {} : { choose }),
    ...(onSettled === undefined ? {} : { onSettled }),
  });
}

function eachHolds({ order, starts, ends }: Partition, judge: Judge): boolean {
  return starts.every((from, i) => judge.holds(order, from, ends[i] as number));
}

function releasedOf({ order, starts, ends }: Partition): Uint32Array {
  const released = new Uint32Array(starts.reduce((sum, from, i) => sum + (ends[i] as number) - from, 0));
  let at = 0;
  for (const [i, from] of starts.entries()) {
    const rows = order.subarray(from, ends[i]);
    released.set(rows, at);
    at += rows.length;
  }
  return released;
}

/**
 * If every class of some partition kept the guarantee, so would all rows in one: entropy is concave, the distances are
 * convex. So where the whole fails, every partition does.
 */
function requireWhole(table: Table, guarantee: Guarantee, rows: Uint32Array): void {
  const judge = createJudge(table, guarantee, { reference: rows });
  if (!judge.holds(rows, 0, rows.length)) {
    throw unmet(guarantee, judge.reached(rows, 0, rows.length));
  }
}

function unmet(guarantee: Guarantee, reached: Reached): MedcloudletError {
  const faults: string[] = [];
  if (reached.k < guarantee.k) {
    faults.push(`k is ${guarantee.k}, and there are ${reached.k} rows in all`);
  }
  for (const [column, value] of Object.entries(reached.l)) {
    if (guarantee.l > 1 && value < guarantee.l) {
      faults.push(
        `l is ${guarantee.l}, and the whole of "${column}" is no more than ${Number(value.toFixed(2))}-diverse (${guarantee.diversity})`,
      );
    }
  }
  return new MedcloudletError(
    "RESEARCH_GUARANTEE_UNMET",
    `This guarantee cannot be met, even with all rows in one class: ${faults.join("; ")}. Ask for less, or release no such column.`,
    { status: 409, details: { asked: guarantee, reached } },
  );
}
