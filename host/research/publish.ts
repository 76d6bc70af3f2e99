import { createHistograms } from "./histogram.ts";
import type { Partition } from "./mondrian.ts";
import type { Attribute, Table } from "./table.ts";
import { MISSING, type Taxonomy } from "./taxonomy.ts";

/** A published value: as text for CSV, and as JSON for NDJSON. */
export interface Published {
  readonly text: string;
  readonly json: string | number | null | readonly (string | number)[];
}

/** What is published where nothing is left of a value. */
const ANYTHING = "*";

/**
 * What each class publishes of each attribute: `published[class][attribute]`. Numbers and dates as `[low,high]`, both of
 * which occur; groups of a hierarchy by their names, one or `{a|b}`; values without order as `{a|b}`; a value alone as it is; `*` where a
 * class mixes missing with other values, or holds every value of a set.
 */
export function publish(table: Table, { order, starts, ends }: Partition): Published[][] {
  const histogram = createHistograms(
    table.rows,
    table.quasiIdentifiers.map(({ size }) => size),
  );
  // Many classes publish the same: each text is kept once.
  const known = table.quasiIdentifiers.map(() => new Map<string, Published>());
  return Array.from(starts, (from, i) =>
    table.quasiIdentifiers.map(({ codes, size, scale }, attribute) => {
      const counted = histogram(codes, size, order, from, ends[i] as number);
      const made = publishOne(scale, counted.codes.subarray(0, counted.length));
      const before = known[attribute]?.get(made.text);
      if (before === undefined) {
        known[attribute]?.set(made.text, made);
      }
      return before ?? made;
    }),
  );
}

function publishOne(scale: Attribute["scale"], codes: Uint32Array): Published {
  const low = codes[0] as number;
  const high = codes[codes.length - 1] as number;
  if (low === MISSING && high === MISSING) {
    return { text: "", json: null };
  }
  if (scale.kind === "taxonomy") {
    return several(groupsOf(scale.taxonomy, codes));
  }
  if (scale.kind === "set") {
    const names = Array.from(codes, (code) => scale.names[code] as string);
    if (names.length > 1 && names.length >= scale.names.length - 1) {
      return { text: ANYTHING, json: ANYTHING };
    }
    return several(names);
  }
  if (low === MISSING) {
    return { text: ANYTHING, json: ANYTHING };
  }
  const [least, greatest] = [scale.values[low] as number, scale.values[high] as number];
  const [from, to] = [scale.codec.format(least), scale.codec.format(greatest)];
  const jsonOf = (text: string) => (Number.isNaN(Number(text)) ? text : Number(text));
  return low === high
    ? { text: from, json: jsonOf(from) }
    : { text: `[${from},${to}]`, json: [jsonOf(from), jsonOf(to)] };
}

function several(names: readonly string[]): Published {
  const only = names[0] as string;
  return names.length === 1 ? { text: only, json: only } : { text: `{${names.join("|")}}`, json: names };
}

/** The value itself, or the groups below the lowest common one that occur, or that one where they all do. */
function groupsOf(taxonomy: Taxonomy, codes: Uint32Array): readonly string[] {
  const place = taxonomy.cover(codes[0] as number, codes[codes.length - 1] as number);
  if (place.children.length === 0 || codes[0] === MISSING) {
    return [place.name];
  }
  const children = place.children.filter(({ first }) => first !== MISSING);
  const found = children.filter(({ first, last }) => codes.some((code) => code >= first && code <= last));
  return found.length === children.length ? [place.name] : found.map(({ name }) => name);
}
