import type { Histogram } from "./histogram.ts";
import { penalty, penaltyOf } from "./loss.ts";
import type { Attribute } from "./table.ts";
import { MISSING } from "./taxonomy.ts";

/** A way to cut a class in two: rows whose code of the attribute is inside, and the others. */
export interface Cut {
  readonly attribute: number;
  /** Codes from and to (both included), or a list of codes. */
  readonly inside: { readonly first: number; readonly last: number } | { readonly codes: Uint32Array };
  /** How much less is lost on this attribute, for each row of the class. */
  readonly gain: number;
  /** How far from halves, in rows. */
  readonly imbalance: number;
}

/** Cuts of one attribute that are tried before it is given up. */
const CUTS_TRIED = 6;

/**
 * The cuts of a class along one attribute that leave k rows on both sides, best first. Numbers are cut as close to the
 * median as possible (LeFevre, DeWitt and Ramakrishnan, 2006); values in a hierarchy along its groups, a group against the
 * rest or the groups before a place against those behind; values without order the most frequent against the rest. Of
 * the latter two those go first that lose least.
 */
export function cutsOf(
  attribute: number,
  { scale }: Attribute,
  histogram: Histogram,
  rows: number,
  k: number,
): Cut[] {
  const whole = penaltyOf(scale, histogram);
  const keep = (cuts: Cut[]) =>
    cuts
      .filter(({ imbalance }) => rows - imbalance >= 2 * k)
      .sort((a, b) => b.gain - a.gain || a.imbalance - b.imbalance)
      .slice(0, CUTS_TRIED);

  if (scale.kind === "numeric") {
    return numericCuts(attribute, scale, histogram, rows, k, whole);
  }
  if (scale.kind === "set") {
    return keep(frequencyCuts(attribute, scale, histogram, rows, whole));
  }
  return keep(groupCuts(attribute, scale, histogram, rows, whole));
}

type ScaleOf<Kind> = Extract<Attribute["scale"], { kind: Kind }>;

function numericCuts(
  attribute: number,
  scale: ScaleOf<"numeric">,
  { codes, counts, length }: Histogram,
  rows: number,
  k: number,
  whole: number,
): Cut[] {
  const first = codes[0] as number;
  const last = codes[length - 1] as number;
  const cuts: Cut[] = [];
  /** Rows up to place i; found by adding up, for there are few places. */
  const below = new Uint32Array(length);
  let sum = 0;
  for (let i = 0; i < length; i++) {
    sum += counts[i] as number;
    below[i] = sum;
  }
  let right = below.findIndex((upTo) => 2 * upTo >= rows);
  let left = right - 1;
  while (cuts.length < CUTS_TRIED && (left >= 0 || right < length - 1)) {
    const offLeft = left >= 0 ? rows - 2 * (below[left] as number) : Number.POSITIVE_INFINITY;
    const offRight = right < length - 1 ? 2 * (below[right] as number) - rows : Number.POSITIVE_INFINITY;
    const imbalance = Math.min(offLeft, offRight);
    if (rows - imbalance < 2 * k) {
      break;
    }
    const at = offLeft <= offRight ? left-- : right++;
    const upTo = below[at] as number;
    const cutAt = codes[at] as number;
    const lost =
      upTo * penalty(scale, first, cutAt, at + 1) +
      (rows - upTo) * penalty(scale, codes[at + 1] as number, last, length - at - 1);
    cuts.push({
      attribute,
      inside: { first, last: cutAt },
      gain: whole - lost / rows,
      imbalance,
    });
  }
  // Rows that miss the value spoil it for all others in the class: to set them apart goes before any median.
  const apart = below[0] as number;
  if (first === MISSING && length > 1 && apart >= k && rows - apart >= k) {
    const lost = (rows - apart) * penalty(scale, codes[1] as number, last, length - 1);
    cuts.unshift({
      attribute,
      inside: { first: MISSING, last: MISSING },
      gain: whole - lost / rows,
      imbalance: Math.abs(rows - 2 * apart),
    });
  }
  return cuts;
}

function frequencyCuts(
  attribute: number,
  scale: ScaleOf<"set">,
  { codes, counts, length }: Histogram,
  rows: number,
  whole: number,
): Cut[] {
  const places = Array.from({ length }, (_, i) => i).sort(
    (a, b) => (counts[b] as number) - (counts[a] as number) || a - b,
  );
  const byFrequency = Uint32Array.from(places, (place) => codes[place] as number);
  const cuts: Cut[] = [];
  let sum = 0;
  for (let i = 0; i < length - 1; i++) {
    sum += counts[places[i] as number] as number;
    const one = penalty(scale, 0, i, i + 1);
    const other = penalty(scale, i + 1, length - 1, length - i - 1);
    cuts.push({
      attribute,
      inside: { codes: byFrequency.subarray(0, i + 1) },
      gain: whole - (sum * one + (rows - sum) * other) / rows,
      imbalance: Math.abs(2 * sum - rows),
    });
  }
  return cuts;
}

function groupCuts(
  attribute: number,
  scale: ScaleOf<"taxonomy">,
  { codes, counts, length }: Histogram,
  rows: number,
  whole: number,
): Cut[] {
  const low = codes[0] as number;
  const high = codes[length - 1] as number;
  const place = scale.taxonomy.cover(low, high);
  /** The groups that occur: places of their first and last code, and rows. */
  const groups: { from: number; to: number; rows: number }[] = [];
  let child = 0;
  for (let i = 0; i < length; i++) {
    const before = child;
    while ((place.children[child]?.last ?? high) < (codes[i] as number)) {
      child++;
    }
    const count = counts[i] as number;
    const current = groups.at(-1);
    if (current === undefined || child !== before) {
      groups.push({ from: i, to: i, rows: count });
    } else {
      current.to = i;
      current.rows += count;
    }
  }
  const lossOf = (from: number, to: number) =>
    penalty(scale, codes[from] as number, codes[to] as number, to - from + 1);
  const cutOf = (from: number, to: number, inside: number, outside: number): Cut => ({
    attribute,
    inside: { first: codes[from] as number, last: codes[to] as number },
    gain: whole - (inside * lossOf(from, to) + (rows - inside) * outside) / rows,
    imbalance: Math.abs(2 * inside - rows),
  });

  const cuts: Cut[] = [];
  let before = 0;
  for (const [g, group] of groups.entries()) {
    before += group.rows;
    if (g < groups.length - 1) {
      cuts.push(cutOf(0, group.to, before, lossOf(group.to + 1, length - 1)));
    }
    if (g > 0 && groups.length > 2) {
      const rest = g === groups.length - 1 ? lossOf(0, group.from - 1) : lossOf(0, length - 1);
      cuts.push(cutOf(group.from, group.to, group.rows, rest));
    }
  }
  return cuts;
}
