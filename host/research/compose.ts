/** What the ledger knows of the rows of a release. */
export interface LedgerRows {
  readonly digests: readonly string[];
  /** Class of each row, from 1; 0 for a row that was left out. */
  readonly classOf: Uint32Array;
  /** By sensitive column: a number for the value of each row; 0 where it is missing. */
  readonly values: readonly Uint32Array[];
  readonly k: number;
  readonly l: number;
}

/** What several releases give away together. */
export interface Composition {
  /** Earlier releases that hold some of the same rows. */
  readonly overlapping: readonly string[];
  /** The largest k that was promised. */
  readonly k: number;
  /** Rows of the smallest group. */
  readonly smallest: number;
  /** Groups smaller than k, or with fewer different sensitive values than l, and the rows in them. */
  readonly groupsAtRisk: number;
  readonly rowsAtRisk: number;
}

/** What stands for "not in this release" in a row's signature. */
const ABSENT = 0;

/**
 * What somebody learns who has several releases and can place a person in each of them: that the person is one of those
 * who are in the same class of every release, or absent from the same ones. So these joint groups, not the classes, are
 * what people hide in. It covers the intersection attack (Ganta, Kasiviswanathan and Smith, "Composition Attacks and
 * Auxiliary Information in Data Privacy", KDD 2008), where sensitive values of two classes have one in common, and the
 * tracker (Denning, Denning and Schwartz, TODS 1979), which subtracts one release from another and keeps who came or went.
 *
 * Strict on purpose: an attacker may not be able to tell some of these groups apart.
 */
export function compose(
  current: LedgerRows,
  earlier: readonly (LedgerRows & { readonly id: string })[],
): Composition {
  const mine = new Set(current.digests);
  const overlapping = earlier.filter(({ digests }) => digests.some((digest) => mine.has(digest)));
  const all = [...overlapping, current];
  const k = Math.max(...all.map((release) => release.k));

  /** Group of each digest; refined release by release. */
  const groupOf = new Map<string, number>();
  for (const { digests, classOf } of all) {
    for (const [row, digest] of digests.entries()) {
      if (classOf[row] !== ABSENT) {
        groupOf.set(digest, 0);
      }
    }
  }
  for (const { digests, classOf } of all) {
    const classes = new Map(digests.map((digest, row) => [digest, classOf[row] as number]));
    const numbers = new Map<string, number>();
    for (const [digest, group] of groupOf) {
      const signature = `${group}:${classes.get(digest) ?? ABSENT}`;
      let number = numbers.get(signature);
      if (number === undefined) {
        number = numbers.size;
        numbers.set(signature, number);
      }
      groupOf.set(digest, number);
    }
  }

  const sizes = new Map<number, number>();
  for (const group of groupOf.values()) {
    sizes.set(group, (sizes.get(group) ?? 0) + 1);
  }
  const atRisk = new Set([...sizes].filter(([, size]) => size < k).map(([group]) => group));
  for (const release of all) {
    for (const group of tooAlike(release, groupOf)) {
      atRisk.add(group);
    }
  }
  return {
    overlapping: overlapping.map(({ id }) => id),
    k,
    smallest: Math.min(...sizes.values()),
    groupsAtRisk: atRisk.size,
    rowsAtRisk: [...atRisk].reduce((sum, group) => sum + (sizes.get(group) as number), 0),
  };
}

/** Groups whose rows in a release have fewer different values of a sensitive column than it promised. */
function tooAlike(
  { digests, classOf, values, l }: LedgerRows,
  groupOf: ReadonlyMap<string, number>,
): number[] {
  return l <= 1
    ? []
    : values.flatMap((column) => {
        const found = new Map<number, Set<number>>();
        for (const [row, digest] of digests.entries()) {
          if (classOf[row] !== ABSENT) {
            const group = groupOf.get(digest) as number;
            const distinct = found.get(group) ?? new Set<number>();
            found.set(group, distinct);
            if (column[row] !== 0) {
              distinct.add(column[row] as number);
            }
          }
        }
        return [...found].filter(([, distinct]) => distinct.size < l).map(([group]) => group);
      });
}
