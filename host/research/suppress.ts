import type { Judge } from "./guarantee.ts";
import { createHistograms, type Histogram } from "./histogram.ts";
import { penalty, setPenalty } from "./loss.ts";
import type { Partition } from "./mondrian.ts";
import type { Attribute, Table } from "./table.ts";

export interface SuppressOptions {
  readonly k: number;
  readonly judge: Judge;
  /** Most rows that may be left out. */
  readonly budget: number;
}

/** Rows of a class to leave out, and what that is worth. */
interface Trim {
  readonly index: number;
  readonly attribute: number;
  /** Codes that stay: from and to, or a list. */
  readonly stay: { readonly first: number; readonly last: number } | ReadonlySet<number>;
  readonly rows: number;
  /** Less loss of the rows that stay, less the loss of those that go, for each row that goes. */
  readonly worth: number;
}

/**
 * Leaves out the rows that make their classes wide, where that loses less than it spares: a row left out counts as lost on
 * all attributes. What is worth most goes first, until the budget is used up. Classes keep the guarantee.
 */
export function suppress(table: Table, classes: Partition, { k, judge, budget }: SuppressOptions): Partition {
  const attributes = table.quasiIdentifiers;
  const histogram = createHistograms(
    table.rows,
    attributes.map(({ size }) => size),
  );
  const { order, starts } = classes;
  const ends = classes.ends.slice();
  let left = budget;

  function bestTrim(index: number): Trim | null {
    const from = starts[index] as number;
    const to = ends[index] as number;
    const histograms = attributes.map(({ codes, size }) => copyOf(histogram(codes, size, order, from, to)));
    const lossOfRow = attributes.reduce(
      (sum, { scale }, i) => sum + wholeOf(scale, histograms[i] as Histogram),
      0,
    );
    const most = Math.min(left, to - from - k);
    let best: Trim | null = null;
    for (const [attribute, { scale }] of attributes.entries()) {
      const counted = histograms[attribute] as Histogram;
      const before = wholeOf(scale, counted);
      for (const { stay, goes, after } of trimsOf(scale, counted, most)) {
        // Those that go lose what they still had on every attribute.
        const spared = (to - from - goes) * (before - after) - goes * (attributes.length - lossOfRow);
        if (spared > 0 && (best === null || spared / goes > best.worth)) {
          best = { index, attribute, stay, rows: goes, worth: spared / goes };
        }
      }
    }
    return best;
  }

  /** Puts rows that go behind those that stay; says where they begin. */
  function separate({ index, attribute, stay }: Trim): number {
    const { codes } = attributes[attribute] as Attribute;
    let front = starts[index] as number;
    let back = ends[index] as number;
    while (front < back) {
      const row = order[front] as number;
      const code = codes[row] as number;
      if ("first" in stay ? code >= stay.first && code <= stay.last : stay.has(code)) {
        front++;
      } else {
        back--;
        order[front] = order[back] as number;
        order[back] = row;
      }
    }
    return front;
  }

  let trims = Array.from(starts.keys(), bestTrim).filter((trim) => trim !== null);
  while (trims.length > 0 && left > 0) {
    trims.sort((a, b) => b.worth - a.worth || a.index - b.index);
    const again: Trim[] = [];
    for (const trim of trims) {
      if (trim.rows > left) {
        continue;
      }
      const end = separate(trim);
      if (!judge.holds(order, starts[trim.index] as number, end)) {
        continue;
      }
      ends[trim.index] = end;
      left -= trim.rows;
      const next = bestTrim(trim.index);
      if (next !== null) {
        again.push(next);
      }
    }
    trims = again;
  }
  return { order, starts, ends };
}

function wholeOf(scale: Attribute["scale"], { codes, length }: Histogram): number {
  return penalty(scale, codes, 0, length);
}

function copyOf({ codes, counts, length }: Histogram): Histogram {
  return { codes: codes.slice(0, length), counts: counts.slice(0, length), length };
}

interface TrimShape {
  readonly stay: Trim["stay"];
  readonly goes: number;
  readonly after: number;
}

/** Ways to leave out at most `most` rows that narrow a class on one attribute: its ends, or its rarest values. */
function* trimsOf(
  scale: Attribute["scale"],
  { codes, counts, length }: Histogram,
  most: number,
): Generator<TrimShape> {
  if (scale.kind === "set") {
    const places = Array.from({ length }, (_, i) => i).sort(
      (a, b) => (counts[b] as number) - (counts[a] as number),
    );
    let goes = 0;
    for (let kept = length - 1; kept > 0; kept--) {
      goes += counts[places[kept] as number] as number;
      if (goes > most) {
        return;
      }
      const stay = new Set(places.slice(0, kept).map((place) => codes[place] as number));
      yield { stay, goes, after: setPenalty(scale, kept) };
    }
    return;
  }
  const shape = (from: number, to: number, goes: number): TrimShape => ({
    stay: { first: codes[from] as number, last: codes[to] as number },
    goes,
    after: penalty(scale, codes, from, to + 1),
  });
  let goes = 0;
  for (let from = 1; from < length; from++) {
    goes += counts[from - 1] as number;
    if (goes > most) {
      break;
    }
    yield shape(from, length - 1, goes);
  }
  goes = 0;
  for (let to = length - 2; to >= 0; to--) {
    goes += counts[to + 1] as number;
    if (goes > most) {
      break;
    }
    yield shape(0, to, goes);
  }
}
