import { type Cut, cutsOf } from "./cuts.ts";
import type { Judge } from "./guarantee.ts";
import { createHistograms } from "./histogram.ts";
import { penalty } from "./loss.ts";
import type { Attribute, Table } from "./table.ts";

/** Classes as ranges of `order`: class c holds the rows `order[starts[c]]` up to before `order[ends[c]]`. */
export interface Partition {
  readonly order: Uint32Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

export interface MondrianOptions {
  readonly k: number;
  readonly judge: Judge;
  /** The rows to put into classes; all where left out. */
  readonly rows?: Uint32Array;
  /**
   * Which attribute is cut first: the one whose best cut gains most, or, as in the paper, the one with the widest
   * normalised range. Measured in docs/RESEARCH.md.
   */
  readonly choose?: "gain" | "widest";
  /** Told how many rows more have found their class. */
  readonly onSettled?: (rows: number) => void;
}

/**
 * Strict Mondrian (LeFevre, DeWitt and Ramakrishnan, "Mondrian Multidimensional K-Anonymity", ICDE 2006): a class is cut in
 * two along one attribute wherever both sides keep the guarantee, until no class can be cut. Rows with the same value
 * never part at a cut, so classes do not overlap. Works in place on one array of row numbers.
 *
 * The whole table must keep the guarantee; that is for the caller to see to. The same table gives the same classes.
 */
export function partition(
  table: Table,
  { k, judge, rows, choose = "gain", onSettled }: MondrianOptions,
): Partition {
  const attributes = table.quasiIdentifiers;
  const order = rows?.slice() ?? Uint32Array.from({ length: table.rows }, (_, row) => row);
  const histogram = createHistograms(
    table.rows,
    attributes.map(({ size }) => size),
  );
  const separate = createSeparator(attributes);
  const starts: number[] = [];
  const ends: number[] = [];
  const waiting: [from: number, to: number][] = [[0, order.length]];

  function cutOnce(from: number, to: number): number | null {
    const choices: { readonly cuts: Cut[]; readonly first: number }[] = [];
    attributes.forEach((attribute, i) => {
      const counted = histogram(attribute.codes, attribute.size, order, from, to);
      if (counted.length > 1) {
        const cuts = cutsOf(i, attribute, counted, to - from, k);
        const best = cuts[0];
        if (best !== undefined) {
          choices.push({
            cuts,
            first: choose === "gain" ? best.gain : penalty(attribute.scale, counted.codes, 0, counted.length),
          });
        }
      }
    });
    choices.sort((a, b) => b.first - a.first);
    for (const { cuts } of choices) {
      for (const cut of cuts) {
        const middle = separate(order, from, to, cut);
        if (judge.holds(order, from, middle) && judge.holds(order, middle, to)) {
          return middle;
        }
      }
    }
    return null;
  }

  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [from, to] = next;
    const middle = to - from >= 2 * k ? cutOnce(from, to) : null;
    if (middle === null) {
      starts.push(from);
      ends.push(to);
      onSettled?.(to - from);
    } else {
      waiting.push([middle, to], [from, middle]);
    }
  }
  return { order, starts: Uint32Array.from(starts), ends: Uint32Array.from(ends) };
}

/** Moves the rows inside a cut to the front of their range and says where the others begin. */
function createSeparator(attributes: readonly Attribute[]) {
  const marks = attributes.map(({ scale, size }) => (scale.kind === "set" ? new Uint8Array(size) : null));
  return (order: Uint32Array, from: number, to: number, { attribute, inside }: Cut): number => {
    const { codes } = attributes[attribute] as Attribute;
    const marked = marks[attribute];
    let front = from;
    let back = to;
    if ("codes" in inside && marked) {
      for (const code of inside.codes) {
        marked[code] = 1;
      }
      while (front < back) {
        const row = order[front] as number;
        if (marked[codes[row] as number] === 1) {
          front++;
        } else {
          back--;
          order[front] = order[back] as number;
          order[back] = row;
        }
      }
      for (const code of inside.codes) {
        marked[code] = 0;
      }
    } else if ("first" in inside) {
      const { first, last } = inside;
      while (front < back) {
        const row = order[front] as number;
        const code = codes[row] as number;
        if (code >= first && code <= last) {
          front++;
        } else {
          back--;
          order[front] = order[back] as number;
          order[back] = row;
        }
      }
    }
    return front;
  };
}
