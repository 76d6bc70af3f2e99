import { createHistograms } from "./histogram.ts";
import { penalty } from "./loss.ts";
import type { Anonymized } from "./release.ts";

/** What a release loses, and what risk is left. */
export interface Measures {
  readonly rows: number;
  readonly suppressed: number;
  readonly classes: number;
  /**
   * Normalised certainty penalty, the mean over rows and attributes, from 0 to 1 (Ghinita et al., VLDB 2007, call this
   * mean the global certainty penalty); a row left out counts 1.
   */
  readonly ncp: number;
  readonly ncpByAttribute: Readonly<Record<string, number>>;
  /** Sum of squared class sizes; a row left out counts all rows (Bayardo and Agrawal, ICDE 2005). */
  readonly discernibility: number;
  /** Rows a class, divided by k; 1 is the best there is (LeFevre et al., 2006). */
  readonly averageClass: number;
  readonly classSizes: { readonly least: number; readonly median: number; readonly greatest: number };
  /** How many classes have which size. */
  readonly sizes: readonly (readonly [size: number, classes: number])[];
  readonly risk: Risk;
  /** Rows that nobody else shares all plain columns with: whoever knows those columns needs no other. */
  readonly uniqueByPlainColumns: number;
}

/** Re-identification risks as probabilities (El Emam, "Guide to the De-Identification of Personal Health Information", 2013). */
export interface Risk {
  /** Of the row worst off, to somebody who knows that it is in the release: 1 / least class. */
  readonly prosecutor: number;
  /**
   * The same to somebody who knows the population only: 1 / least class of the population. Classes of a population of N
   * are taken to be N / n times those of the n rows; without a population it is the prosecutor's, an upper bound.
   */
  readonly journalist: number;
  /** Share of rows that somebody who links all of them gets right: classes / rows, by the population's where it is known. */
  readonly marketer: number;
}

/** @param population how many people the rows were drawn from, if they are a sample */
export function measure(
  { table, guarantee, classes, released, suppressed }: Anonymized,
  population?: number,
): Measures {
  const { order, starts, ends } = classes;
  const attributes = table.quasiIdentifiers;
  const histogram = createHistograms(
    table.rows,
    attributes.map(({ size }) => size),
  );
  const losses = new Float64Array(attributes.length).fill(suppressed);
  const bySize = new Map<number, number>();
  let discernibility = suppressed * table.rows;
  for (const [index, from] of starts.entries()) {
    const to = ends[index] as number;
    const size = to - from;
    discernibility += size * size;
    bySize.set(size, (bySize.get(size) ?? 0) + 1);
    for (const [i, { codes, size: codesBelow, scale }] of attributes.entries()) {
      const counted = histogram(codes, codesBelow, order, from, to);
      const loss = penalty(scale, counted.codes, 0, counted.length);
      losses[i] = (losses[i] as number) + size * loss;
    }
  }
  const sizes = [...bySize].sort(([a], [b]) => a - b);
  const least = (sizes[0] as readonly [number, number])[0];
  const scaleUp = population === undefined ? 1 : Math.max(1, population / table.rows);
  return {
    rows: released.length,
    suppressed,
    classes: starts.length,
    ncp: losses.reduce((sum, loss) => sum + loss, 0) / (attributes.length * table.rows),
    ncpByAttribute: Object.fromEntries(
      attributes.map(({ name }, i) => [name, (losses[i] as number) / table.rows]),
    ),
    discernibility,
    averageClass: released.length / starts.length / guarantee.k,
    classSizes: {
      least,
      median: medianSize(sizes, starts.length),
      greatest: (sizes.at(-1) as readonly [number, number])[0],
    },
    sizes,
    risk: {
      prosecutor: 1 / least,
      journalist: 1 / (least * scaleUp),
      marketer: starts.length / (released.length * scaleUp),
    },
    uniqueByPlainColumns: uniqueRows({ table, released }),
  };
}

function medianSize(sizes: readonly (readonly [number, number])[], classes: number): number {
  let seen = 0;
  for (const [size, count] of sizes) {
    seen += count;
    if (2 * seen >= classes) {
      return size;
    }
  }
  return 0;
}

function uniqueRows({ table, released }: Pick<Anonymized, "table" | "released">): number {
  if (table.plain.length === 0) {
    return 0;
  }
  // Groups are refined column by column, so that no long keys are built.
  let groups = new Uint32Array(released.length);
  for (const { places, texts } of table.plain) {
    const numbers = new Map<number, number>();
    groups = groups.map((group, i) => {
      const key = group * texts.length + (places[released[i] as number] as number);
      let number = numbers.get(key);
      if (number === undefined) {
        number = numbers.size;
        numbers.set(key, number);
      }
      return number;
    });
  }
  const counts = new Uint32Array(released.length);
  for (const group of groups) {
    counts[group] = (counts[group] as number) + 1;
  }
  return counts.reduce((unique, count) => unique + (count === 1 ? 1 : 0), 0);
}
