import type { Histogram } from "./histogram.ts";
import { childOf, penalty, setPenalty } from "./loss.ts";
import type { Attribute } from "./table.ts";
import { MISSING, type TaxonomyPlace } from "./taxonomy.ts";

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
const CUTS_TRIED = 24;

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
  const whole = penalty(scale, histogram.codes, 0, histogram.length);
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
      upTo * penalty(scale, codes, 0, at + 1) + (rows - upTo) * penalty(scale, codes, at + 1, length);
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
    const lost = (rows - apart) * penalty(scale, codes, 1, length);
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
    const one = setPenalty(scale, i + 1);
    const other = setPenalty(scale, length - i - 1);
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
  const place = scale.taxonomy.cover(codes[0] as number, codes[length - 1] as number);
  /** The groups that occur: places of their codes, rows, leaves, and what is lost of rows in this group alone. */
  const groups: { from: number; to: number; rows: number; leaves: number; alone: number }[] = [];
  for (let i = 0, child = 0; i < length; ) {
    child = childOf(place, codes[i] as number, child);
    const { first, last } = place.children[child] as TaxonomyPlace;
    const from = i;
    let inside = 0;
    while (i < length && (codes[i] as number) <= last) {
      inside += counts[i] as number;
      i++;
    }
    groups.push({
      from,
      to: i,
      rows: inside,
      leaves: last - first + 1,
      alone: penalty(scale, codes, from, i),
    });
  }
  const all = groups.reduce((sum, { leaves }) => sum + leaves, 0);
  const withMissing = codes[0] === MISSING;
  /** What is lost of rows in several groups, `leaves` in all. */
  const lossOf = (several: number, one: { alone: number }, leaves: number, missing: boolean) =>
    several === 1 ? one.alone : missing ? 1 : leaves / scale.taxonomy.leaves;
  const cutOf = (from: number, to: number, inside: number, lossInside: number, lossOutside: number): Cut => ({
    attribute,
    inside: { first: codes[from] as number, last: codes[to - 1] as number },
    gain: whole - (inside * lossInside + (rows - inside) * lossOutside) / rows,
    imbalance: Math.abs(2 * inside - rows),
  });

  const cuts: Cut[] = [];
  const last = groups.length - 1;
  let before = 0;
  let leavesBefore = 0;
  for (const [g, group] of groups.entries()) {
    before += group.rows;
    leavesBefore += group.leaves;
    if (g < last) {
      const front = lossOf(g + 1, group, leavesBefore, withMissing);
      const back = lossOf(last - g, groups[last] as { alone: number }, all - leavesBefore, false);
      cuts.push(cutOf(0, group.to, before, front, back));
    }
    if (g > 0 && g < last) {
      const rest = lossOf(2, group, all - group.leaves, withMissing);
      cuts.push(cutOf(group.from, group.to, group.rows, group.alone, rest));
    }
  }
  return cuts;
}
