import { MedcloudletError } from "../base/index.ts";
import type { SensitiveAttribute, Table } from "./table.ts";
import { MISSING, type Taxonomy } from "./taxonomy.ts";

/** What a release promises of every class. */
export interface Guarantee {
  /** Least rows in a class: k-anonymity (Samarati and Sweeney, 1998). A whole number from 2. */
  readonly k: number;
  /** Least diversity of each sensitive column in each class (Machanavajjhala et al., TKDD 2007). 1 asks for none. */
  readonly l: number;
  /** `distinct`: so many different values; `entropy`: the entropy is at least ln l. */
  readonly diversity: "distinct" | "entropy";
  /** Greatest distance of a class's distribution from the whole one (Li, Li and Venkatasubramanian, ICDE 2007). 1 allows any. */
  readonly t: number;
}

/** Rounding errors of sums must not decide about a class. */
const TOLERANCE = 1e-9;

/** What a class reaches: the least over its sensitive columns, for t the greatest. */
export interface Reached {
  readonly k: number;
  /** By column, as asked for: distinct values, or e to the entropy. */
  readonly l: Readonly<Record<string, number>>;
  readonly t: Readonly<Record<string, number>>;
}

/** Judges ranges of rows. */
export interface Judge {
  holds(order: Uint32Array, from: number, to: number): boolean;
  reached(order: Uint32Array, from: number, to: number): Reached;
}

/**
 * @throws MedcloudletError `RESEARCH_GUARANTEE_INVALID` for numbers that mean nothing, or l or t where no column is
 *   sensitive
 */
export function checkGuarantee({ k, l, t }: Guarantee, sensitiveColumns: number): void {
  const fault = !(Number.isInteger(k) && k >= 2)
    ? "k is a whole number from 2: with 1 nobody hides behind anybody"
    : !(Number.isFinite(l) && l >= 1)
      ? "l is a number from 1"
      : !(t >= 0 && t <= 1)
        ? "t is a number from 0 to 1"
        : (l > 1 || t < 1) && sensitiveColumns === 0
          ? "l and t are about sensitive columns, and the schema names none"
          : null;
  if (fault !== null) {
    throw new MedcloudletError("RESEARCH_GUARANTEE_INVALID", `Such a guarantee cannot be given: ${fault}.`, {
      status: 400,
    });
  }
}

/**
 * A judge of a table's classes. Distributions are compared with that of `reference`, in general all rows.
 * @param slack taken off t, where rows may leave the table later
 */
export function createJudge(
  table: Table,
  guarantee: Guarantee,
  { reference, slack = 0 }: { readonly reference?: Uint32Array; readonly slack?: number } = {},
): Judge {
  const { k, l, t } = guarantee;
  const columns = table.sensitive.map((attribute) => createColumnJudge(attribute, reference));
  const diversityOf = (column: ColumnJudge, order: Uint32Array, from: number, to: number, enough: number) =>
    guarantee.diversity === "distinct"
      ? column.distinct(order, from, to, enough)
      : column.effective(order, from, to);
  return {
    holds(order, from, to) {
      if (to - from < k) {
        return false;
      }
      for (const column of columns) {
        if (l > 1 && diversityOf(column, order, from, to, l) < l - TOLERANCE) {
          return false;
        }
        if (t < 1 && column.distance(order, from, to) > t - slack + TOLERANCE) {
          return false;
        }
      }
      return true;
    },
    reached(order, from, to) {
      const each = (measure: (column: ColumnJudge) => number) =>
        Object.fromEntries(columns.map((column) => [column.name, measure(column)]));
      return {
        k: to - from,
        l: each((column) => diversityOf(column, order, from, to, Number.POSITIVE_INFINITY)),
        t: each((column) => column.distance(order, from, to)),
      };
    },
  };
}

interface ColumnJudge {
  readonly name: string;
  /** Different values that are not missing; stops counting at `enough`. */
  distinct(order: Uint32Array, from: number, to: number, enough: number): number;
  /** e to the entropy of the values that are not missing: how many equally frequent ones would be as diverse. */
  effective(order: Uint32Array, from: number, to: number): number;
  /** Earth mover's distance from the reference. */
  distance(order: Uint32Array, from: number, to: number): number;
}

/**
 * A missing value counts as nothing towards diversity (to learn "missing or influenza" is to learn too much) and as a
 * value among the others towards closeness.
 */
function createColumnJudge(
  { name, codes, size, scale }: SensitiveAttribute,
  reference?: Uint32Array,
): ColumnJudge {
  const counts = new Uint32Array(size);
  const whole = wholeDistribution(codes, size, reference);
  const distanceOf =
    scale.kind === "numeric"
      ? createOrderedDistance(whole)
      : scale.kind === "taxonomy"
        ? createHierarchicalDistance(whole, scale.taxonomy)
        : createEqualDistance(whole);

  /** Counts a range; whoever calls has to clear. */
  function count(order: Uint32Array, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const code = codes[order[i] as number] as number;
      counts[code] = (counts[code] as number) + 1;
    }
  }
  function clear(order: Uint32Array, from: number, to: number): void {
    if (to - from > size) {
      counts.fill(0);
      return;
    }
    for (let i = from; i < to; i++) {
      counts[codes[order[i] as number] as number] = 0;
    }
  }

  return {
    name,
    distinct(order, from, to, enough) {
      let found = 0;
      let seen = to;
      for (let i = from; i < to; i++) {
        const code = codes[order[i] as number] as number;
        if (code !== MISSING && counts[code] === 0) {
          counts[code] = 1;
          found++;
          if (found >= enough) {
            seen = i + 1;
            break;
          }
        }
      }
      clear(order, from, seen);
      return found;
    },
    effective(order, from, to) {
      count(order, from, to);
      const present = to - from - (counts[MISSING] as number);
      counts[MISSING] = 0;
      let entropy = 0;
      for (let i = from; i < to && present > 0; i++) {
        const code = codes[order[i] as number] as number;
        const share = (counts[code] as number) / present;
        if (share > 0) {
          entropy -= share * Math.log(share);
          counts[code] = 0;
        }
      }
      clear(order, from, to);
      return present === 0 ? 0 : Math.exp(entropy);
    },
    distance(order, from, to) {
      count(order, from, to);
      const distance = distanceOf(counts, {
        total: to - from,
        at: (i) => codes[order[from + i] as number] as number,
      });
      clear(order, from, to);
      return distance;
    },
  };
}

function wholeDistribution(codes: Uint32Array, size: number, reference?: Uint32Array): Float64Array {
  const whole = new Float64Array(size);
  const total = reference?.length ?? codes.length;
  for (let i = 0; i < total; i++) {
    const code = codes[reference === undefined ? i : (reference[i] as number)] as number;
    whole[code] = (whole[code] as number) + 1 / total;
  }
  return whole;
}

/** Distance from the whole of rows that are counted already. */
type DistanceOf = (counts: Uint32Array, rowCodes: RowCodes) => number;

/** Codes of a range of rows. */
interface RowCodes {
  readonly total: number;
  at(i: number): number;
}

/** With this many values for each row, it is cheaper to sort what occurs than to walk through all values. */
const SPARSE_FROM = 4;

/**
 * Ordered distance: with m values, 1 / (m - 1) * sum over i of |sum over j <= i of (p_j - q_j)| (Li et al., 2007,
 * section 5.1). The m values are those that occur; a missing value stands before the least.
 */
function createOrderedDistance(whole: Float64Array): DistanceOf {
  const occurring = Uint32Array.from([...whole.keys()].filter((code) => (whole[code] as number) > 0));
  const steps = occurring.length - 1;
  const placeOf = new Uint32Array(whole.length);
  /** Share of the whole up to each place, and the sum of those shares before it. */
  const upTo = new Float64Array(occurring.length);
  const summed = new Float64Array(occurring.length + 1);
  let share = 0;
  for (const [place, code] of occurring.entries()) {
    placeOf[code] = place;
    share += whole[code] as number;
    upTo[place] = share;
    summed[place + 1] = (summed[place] as number) + share;
  }

  /** Sum of |level - upTo[i]| for places from `first` up to before `end`. */
  function between(first: number, end: number, level: number): number {
    let low = first;
    let high = end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((upTo[middle] as number) > level) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    const below = level * (low - first) - ((summed[low] as number) - (summed[first] as number));
    const above = (summed[end] as number) - (summed[low] as number) - level * (end - low);
    return below + above;
  }

  return (counts, { total, at }) => {
    if (steps < 1) {
      return 0;
    }
    let work = 0;
    if (occurring.length <= SPARSE_FROM * total) {
      let carried = 0;
      for (const code of occurring) {
        carried += (counts[code] as number) / total - (whole[code] as number);
        work += Math.abs(carried);
      }
      return work / steps;
    }
    const places = Uint32Array.from({ length: total }, (_, i) => placeOf[at(i)] as number).sort();
    let before = 0;
    for (const [i, place] of places.entries()) {
      work += between(before, place, i / total);
      before = place;
    }
    return (work + between(before, occurring.length, 1)) / steps;
  };
}

/** Equal distance: half of the sum of |p_i - q_i| (Li et al., 2007, section 5.2), which is the sum where p exceeds q. */
function createEqualDistance(whole: Float64Array): DistanceOf {
  return (counts, { total, at }) => {
    let sum = 0;
    for (let i = 0; i < total; i++) {
      const code = at(i);
      // Each of the rows with this code brings its part.
      sum += Math.max(0, 1 / total - (whole[code] as number) / (counts[code] as number));
    }
    return sum;
  };
}

/**
 * Hierarchical distance: to move mass between two leaves costs height(lowest common group) / height of the hierarchy.
 * The least work is the sum over groups of height(N) / H * min(what its children have too much, what they have too
 * little) (Li et al., 2007, section 5.2).
 */
function createHierarchicalDistance(whole: Float64Array, taxonomy: Taxonomy): DistanceOf {
  const groups = taxonomy.nodes.filter(({ children }) => children.length > 0);
  const sums = new Float64Array(whole.length + 1);
  return (counts, { total }) => {
    for (let code = 0; code < whole.length; code++) {
      sums[code + 1] = (sums[code] as number) + (counts[code] as number) / total - (whole[code] as number);
    }
    let work = 0;
    for (const { children, height } of groups) {
      let more = 0;
      let less = 0;
      for (const { first, last } of children) {
        const extra = (sums[last + 1] as number) - (sums[first] as number);
        if (extra > 0) {
          more += extra;
        } else {
          less -= extra;
        }
      }
      work += (height / taxonomy.height) * Math.min(more, less);
    }
    return work;
  };
}
