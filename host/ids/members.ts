import type { Rates } from "./consult.ts";
import type { Correlation } from "./fusion.ts";

/** Doubt that a new member starts with: as if it had been seen right and wrong this often. */
const BEFORE = { detected: 2, missed: 1, falseAlarm: 0.5, quiet: 9.5 } as const;
/** Pairs of verdicts that a measured correlation needs before it counts half. */
const DOUBT = 20;

/** A verdict whose truth became known: by an operator's decision, a planted probe, or an attack that was proven. */
export interface Outcome {
  readonly alarm: boolean;
  readonly attack: boolean;
}

/** How often somebody was right and wrong; fractions allowed. */
export interface Counts {
  readonly detected: number;
  readonly missed: number;
  readonly falseAlarm: number;
  readonly quiet: number;
}

/** Rates from counts, as means of Beta distributions: few outcomes stay near the doubt of the beginning. */
export function ratesOf(counts: Counts): Rates {
  const detected = BEFORE.detected + counts.detected;
  const missed = BEFORE.missed + counts.missed;
  const falseAlarm = BEFORE.falseAlarm + counts.falseAlarm;
  const quiet = BEFORE.quiet + counts.quiet;
  return { detection: detected / (detected + missed), falseAlarm: falseAlarm / (falseAlarm + quiet) };
}

/** Rates from single outcomes, see {@link ratesOf}. */
export function measureRates(outcomes: readonly Outcome[]): Rates {
  let detected = 0;
  let missed = 0;
  let falseAlarm = 0;
  let quiet = 0;
  for (const { alarm, attack } of outcomes) {
    if (attack) {
      detected += alarm ? 1 : 0;
      missed += alarm ? 0 : 1;
    } else {
      falseAlarm += alarm ? 1 : 0;
      quiet += alarm ? 0 : 1;
    }
  }
  return ratesOf({ detected, missed, falseAlarm, quiet });
}

/** Verdicts of one member by suspect. */
export type Verdicts = ReadonlyMap<string, Outcome>;

/**
 * How much two members err alike: the correlation (phi) of their verdicts on the suspects that both judged, taken
 * apart for attacks and for the innocent, so that agreeing on the truth is not taken for copying; each part weighs by
 * its pairs. Shrunk towards 0 while pairs are few.
 */
export function correlationOf(one: Verdicts, other: Verdicts): number {
  const counts = { attack: [0, 0, 0, 0], innocent: [0, 0, 0, 0] } as Record<string, number[]>;
  for (const [suspect, mine] of one) {
    const theirs = other.get(suspect);
    if (theirs !== undefined && theirs.attack === mine.attack) {
      const cells = counts[mine.attack ? "attack" : "innocent"] as number[];
      const cell = (mine.alarm ? 2 : 0) + (theirs.alarm ? 1 : 0);
      cells[cell] = (cells[cell] as number) + 1;
    }
  }
  let sum = 0;
  let pairs = 0;
  for (const cells of Object.values(counts)) {
    const [neither, theirs, mine, both] = cells as [number, number, number, number];
    const n = neither + theirs + mine + both;
    const product = (mine + both) * (neither + theirs) * (theirs + both) * (neither + mine);
    sum += product === 0 ? 0 : (n * (both * neither - mine * theirs)) / Math.sqrt(product);
    pairs += n;
  }
  return pairs === 0 ? 0 : (sum / pairs) * (pairs / (pairs + DOUBT));
}

/** Pairwise correlations of members, measured once. */
export function measureCorrelations(members: ReadonlyMap<string, Verdicts>): Correlation {
  const measured = new Map<string, number>();
  const names = [...members.keys()].sort();
  for (const [i, one] of names.entries()) {
    for (const other of names.slice(i + 1)) {
      measured.set(
        `${one}\n${other}`,
        correlationOf(members.get(one) as Verdicts, members.get(other) as Verdicts),
      );
    }
  }
  return (one, other) =>
    one === other ? 1 : (measured.get(one < other ? `${one}\n${other}` : `${other}\n${one}`) ?? 0);
}
