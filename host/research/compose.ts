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
  for (const release of all) {
    refine(groupOf, release);
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

/** How the rows of a table have to be treated so that a release of them agrees with earlier ones. */
export interface Beside {
  /** By row: which rows were always in the same class so far. No class may hold fewer than k of one cell, but none. */
  readonly cells: Uint32Array;
  /** 1 for rows that must wait: those who left with too few others, and newcomers who are too few, need company. */
  readonly held: Uint8Array;
  /** The largest k that was promised. */
  readonly k: number;
}

/** The rows of a release to come, before they have classes. */
export type ComingRows = Omit<LedgerRows, "classOf">;

/**
 * Who has to be held back. Whoever withdrew is given away by comparing two releases, unless enough others of the same cell
 * are absent too, so others stay away with them: until they are k, with values as different as was promised. So do all of
 * a cell of which too few would be left, and newcomers who are too few.
 */
export function beside(
  coming: ComingRows,
  earlier: readonly (LedgerRows & { readonly id: string })[],
): Beside {
  const { digests } = coming;
  const mine = new Map(digests.map((digest, row) => [digest, row]));
  const overlapping = earlier.filter((release) => release.digests.some((digest) => mine.has(digest)));
  const k = Math.max(coming.k, ...overlapping.map((release) => release.k));
  const cellOf = new Map<string, number>(digests.map((digest) => [digest, 0]));
  for (const release of overlapping) {
    for (const [row, digest] of release.digests.entries()) {
      if (release.classOf[row] !== ABSENT) {
        cellOf.set(digest, 0);
      }
    }
  }
  for (const release of overlapping) {
    refine(cellOf, release);
  }
  const isEnough = createSizeCheck(overlapping, k);
  const mayCome = createSizeCheck([coming, ...overlapping], k);

  const cells = new Uint32Array(digests.length);
  const held = new Uint8Array(digests.length);
  /** By cell: who withdrew, and who is here. */
  const members = new Map<number, { gone: string[]; here: string[] }>();
  for (const [digest, cell] of cellOf) {
    const found = members.get(cell) ?? { gone: [], here: [] };
    members.set(cell, found);
    const row = mine.get(digest);
    if (row === undefined) {
      found.gone.push(digest);
    } else {
      cells[row] = cell;
      found.here.push(digest);
    }
  }
  for (const { gone, here } of members.values()) {
    // In the order of digests, which nobody can foretell: who waits must say nothing of them.
    const coming = here.sort();
    const absent = gone;
    while (absent.length > 0 && coming.length > 0 && !isEnough(absent)) {
      absent.push(coming.pop() as string);
    }
    if (!mayCome(coming)) {
      absent.push(...coming);
    }
    for (const digest of absent) {
      const row = mine.get(digest);
      if (row !== undefined) {
        held[row] = 1;
      }
    }
  }
  return { cells, held, k };
}

/** Says whether people are k, with l different values of each sensitive column of each release that has them. */
function createSizeCheck(
  releases: readonly ComingRows[],
  k: number,
): (digests: readonly string[]) => boolean {
  const columns = releases
    .filter(({ l }) => l > 1)
    .flatMap(({ digests, values, l }) =>
      values.map((column) => ({
        l,
        known: new Map(digests.map((digest, row) => [digest, column[row] as number])),
      })),
    );
  return (digests) =>
    digests.length >= k &&
    columns.every(({ l, known }) => {
      const found = digests.flatMap((digest) => known.get(digest) ?? []);
      return found.length === 0 || new Set(found.filter((value) => value !== 0)).size >= l;
    });
}

/** Tells groups apart by what class of a release they are in. */
function refine(groupOf: Map<string, number>, { digests, classOf }: LedgerRows): void {
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
