import { type Share, wilsonShare } from "../../statistics/index.ts";

/**
 * Beliefs as counts: one bin for each tenth of log-odds from -12 to 12, and what lies beyond in the outermost. A belief of
 * one half is the edge between two bins, so that the rates at an alarm are exact.
 */
const MOST_LOG_ODDS = 12;
const PER_UNIT = 10;
export const BINS = 2 * MOST_LOG_ODDS * PER_UNIT;

/** The bin of a belief from 0 to 1. */
export function binOf(belief: number): number {
  const bounded = Math.min(1, Math.max(0, belief));
  const logOdds = Math.log(bounded / (1 - bounded));
  const bin = Math.floor((logOdds + MOST_LOG_ODDS) * PER_UNIT);
  return Math.min(BINS - 1, Math.max(0, bin));
}

/** The belief at which a bin begins. */
function beginOf(bin: number): number {
  return bin === 0 ? 0 : 1 / (1 + Math.exp(MOST_LOG_ODDS - bin / PER_UNIT));
}

/** A place on a receiver operating characteristic. */
export interface RocPlace {
  /** Belief from which on a request would count as an attack, 0 to 1. */
  readonly belief: number;
  /** Shares of benign requests and of attacks at it or above, with their 95 percent intervals. */
  readonly falseAlarm: Share;
  readonly detection: Share;
}

export interface BinnedRoc {
  /** Area under the curve, 0 to 1, ties counted half; null where benign requests or attacks are missing. */
  readonly auc: number | null;
  /** At an alarm. */
  readonly operatingPoint: RocPlace;
  /** From the strictest to the mildest; the last is everything. */
  readonly points: readonly RocPlace[];
}

const sum = (counts: readonly number[], from = 0) =>
  counts.slice(from).reduce((total, count) => total + count, 0);

/** The curve of benign requests and attacks that were counted by `binOf`. @param alarmAt belief of an alarm */
export function binnedRoc(benign: readonly number[], attacks: readonly number[], alarmAt: number): BinnedRoc {
  const [innocent, guilty] = [sum(benign), sum(attacks)];
  const placeAt = (bin: number, belief: number): RocPlace => ({
    belief,
    falseAlarm: wilsonShare(sum(benign, bin), innocent),
    detection: wilsonShare(sum(attacks, bin), guilty),
  });
  const points: RocPlace[] = [];
  let pairs = 0;
  let below = 0;
  for (let bin = 0; bin < BINS; bin++) {
    const [quiet, loud] = [benign[bin] ?? 0, attacks[bin] ?? 0];
    pairs += loud * (below + quiet / 2);
    below += quiet;
    if (quiet + loud > 0) {
      points.unshift(placeAt(bin, beginOf(bin)));
    }
  }
  return {
    auc: innocent * guilty === 0 ? null : pairs / (innocent * guilty),
    operatingPoint: placeAt(binOf(alarmAt), alarmAt),
    points,
  };
}
