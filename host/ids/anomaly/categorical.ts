/** What was seen of one thing that takes values: how often each, in how many different contents. */
export interface CategoricalJson {
  /** Requests. */
  readonly n: number;
  /** Different contents. */
  readonly c: number;
  /** Values seen in one content only: the rate of new ones (Good-Turing). */
  readonly s: number;
  /** Contents whose values the bound cut off. */
  readonly r: number;
  /** Hash and number of contents, in turns; left out for values beyond the bound. */
  readonly v: readonly number[];
}

/**
 * Tells how rare a value is, in bits: minus log2 of the chance to draw one at most this common. A new value costs
 * the Good-Turing estimate of meeting a new one, (singletons + 1/2) / (requests + 1), so that a name is never a
 * surprise in a field of names while a fourth value in a field of three is a great one.
 */
export class Categorical {
  /** Keys as signed numbers, which need no memory of their own. */
  private readonly bits = new Map<number, number>();
  private readonly newBits: number;

  constructor({ n, c, s, r, v }: CategoricalJson) {
    const newBits = Math.max(0, Math.log2((n + 1) / (s + 0.5)));
    // Values cut off by the bound were the rarest: one that is not found may be one of them.
    const rareBits = r > 0 ? Math.max(0, Math.log2((c + 1) / (r + 0.5))) : Number.POSITIVE_INFINITY;
    this.newBits = Math.min(newBits, rareBits);
    const counts: number[] = [];
    for (let i = 1; i < v.length; i += 2) {
      counts.push(v[i] as number);
    }
    const bits = new Map<number, number>();
    let mass = r;
    for (const count of counts.sort((one, other) => one - other)) {
      mass += count;
      bits.set(count, Math.max(0, Math.log2(c / mass)));
    }
    for (let i = 0; i + 1 < v.length; i += 2) {
      this.bits.set((v[i] as number) | 0, bits.get(v[i + 1] as number) ?? 0);
    }
  }

  rarity(key: number): number {
    return this.bits.get(key | 0) ?? this.newBits;
  }
}

/** Counts while training. */
export class CategoricalCount {
  private requests = 0;
  private contents = 0;
  /** Told by others: values that came once, and contents whose values they kept to themselves. */
  private othersOnce = 0;
  private othersKept = 0;
  private readonly counts = new Map<number, number>();

  /** `times`: how many requests had this content. Keys of one content are told once each. */
  add(keys: Iterable<number>, times: number): void {
    this.requests += times;
    this.contents++;
    for (const key of keys) {
      this.count(key, 1);
    }
  }

  /** Takes in what others counted. */
  addTold({ n, c, s, r, v }: CategoricalJson): void {
    this.requests += n;
    this.contents += c;
    this.othersOnce += s;
    this.othersKept += r;
    for (let i = 0; i + 1 < v.length; i += 2) {
      this.count(v[i] as number, v[i + 1] as number);
    }
  }

  private count(key: number, times: number): void {
    this.counts.set(key, (this.counts.get(key) ?? 0) + times);
  }

  /**
   * At most `bound` values, the commonest first; ties by hash, so that the same traffic gives the same model.
   */
  toJson(bound: number): CategoricalJson {
    const sorted = this.sorted();
    return {
      n: this.requests,
      c: this.contents,
      s: sorted.reduce((sum, [, count]) => sum + (count === 1 ? 1 : 0), this.othersOnce),
      r: sorted.slice(bound).reduce((sum, [, count]) => sum + count, this.othersKept),
      v: sorted.slice(0, bound).flat(),
    };
  }

  /**
   * The same for others: values in fewer than `least` contents are left out unless they are `open`, and `s` counts
   * only what is left out of those that came once, for whoever adds it up sees the rest.
   */
  tell(bound: number, least: number, open: (key: number) => boolean = () => false): CategoricalJson {
    const sorted = this.sorted();
    const isTold = ([key, count]: readonly [number, number], rank: number): boolean =>
      rank < bound && (count >= least || open(key));
    const kept = sorted.filter((one, rank) => !isTold(one, rank));
    return {
      n: this.requests,
      c: this.contents,
      s: kept.filter(([, count]) => count === 1).length,
      r: kept.reduce((sum, [, count]) => sum + count, 0),
      v: sorted.filter(isTold).flat(),
    };
  }

  private sorted(): [number, number][] {
    return [...this.counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  }
}
