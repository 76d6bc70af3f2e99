import { MedcloudletError } from "../base/index.ts";

/** What errors cost, and how often there is anything to find. */
export interface Stakes {
  /** Chance that there is an attack, in (0, 1). */
  readonly prior: number;
  /** Cost of a missed attack, where a false response costs 1. */
  readonly missCost: number;
  /** Cost of asking one IDS. */
  readonly askCost: number;
}

/** How well somebody detects. */
export interface Rates {
  /** Chance of an alarm where there is an attack. */
  readonly detection: number;
  /** Chance of an alarm where there is none. */
  readonly falseAlarm: number;
}

export interface Consultation extends Rates {
  readonly members: number;
  /** Alarm where at least this many alarm. */
  readonly needed: number;
  readonly cost: number;
}

/**
 * Expected cost of acting on somebody's alarms, with the price of asking: after silence as after an alarm, the cheaper
 * of responding and not responding is done.
 * @param asked how many were consulted
 */
function expectedCost({ detection, falseAlarm }: Rates, stakes: Stakes, asked: number): number {
  const { prior, missCost, askCost } = stakes;
  const afterSilence = Math.min(missCost * (1 - detection) * prior, (1 - falseAlarm) * (1 - prior));
  const afterAlarm = Math.min(missCost * detection * prior, falseAlarm * (1 - prior));
  return afterSilence + afterAlarm + askCost * asked;
}

/** Chance that at least `needed` of independent events happen, each with its own chance. */
function atLeast(chances: readonly number[], needed: number): number {
  // exactly[j]: chance that j of those seen so far happened.
  let exactly = [1];
  for (const chance of chances) {
    const next = new Array<number>(exactly.length + 1).fill(0);
    for (const [j, mass] of exactly.entries()) {
      next[j] = (next[j] as number) + mass * (1 - chance);
      next[j + 1] = (next[j + 1] as number) + mass * chance;
    }
    exactly = next;
  }
  return exactly.slice(needed).reduce((sum, mass) => sum + mass, 0);
}

/**
 * Rates of "at least `needed` alarm"; 1 is OR.
 * @param shared chance that all give one and the same verdict, as a model of their dependence
 */
function jointRates(members: readonly Rates[], needed: number, shared = 0): Rates {
  const mix = (pick: (rates: Rates) => number): number => {
    const chances = members.map(pick);
    const mean = chances.reduce((sum, chance) => sum + chance, 0) / chances.length;
    return shared * mean + (1 - shared) * atLeast(chances, needed);
  };
  return { detection: mix((rates) => rates.detection), falseAlarm: mix((rates) => rates.falseAlarm) };
}

/** What it costs to ask these members and to respond when `needed` of them alarm. */
export function consult(members: readonly Rates[], needed: number, stakes: Stakes, shared = 0): Consultation {
  const rates = jointRates(members, needed, shared);
  return { ...rates, members: members.length, needed, cost: expectedCost(rates, stakes, members.length) };
}

/** The cheapest number of alarms to wait for among these members; the smaller of equals. */
export function bestNeeded(members: readonly Rates[], stakes: Stakes, shared = 0): Consultation {
  let best = consult(members, 1, stakes, shared);
  for (let needed = 2; needed <= members.length; needed++) {
    const other = consult(members, needed, stakes, shared);
    if (other.cost < best.cost) {
      best = other;
    }
  }
  return best;
}

/**
 * How many to ask, and how many alarms to wait for. Members are asked in the order given: the best first.
 * @throws MedcloudletError `IDS_NOBODY` where there is nobody to ask
 */
export function howManyToAsk(members: readonly Rates[], stakes: Stakes, shared = 0): Consultation {
  let best: Consultation | undefined;
  for (let count = 1; count <= members.length; count++) {
    const other = bestNeeded(members.slice(0, count), stakes, shared);
    if (best === undefined || other.cost < best.cost) {
      best = other;
    }
  }
  if (best === undefined) {
    throw new MedcloudletError("IDS_NOBODY", "There is no member to ask.", { status: 400 });
  }
  return best;
}
