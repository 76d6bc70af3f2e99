/** Knots of a tail: strength and bits of its chance, both rising. */
export interface TailJson {
  /** Observations it was measured on. */
  readonly n: number;
  readonly knots: readonly (readonly [number, number])[];
  /** Bits for each unit of strength beyond the last knot. */
  readonly slope: number;
}

/** Least and most bits that one unit of strength beyond all experience may add. */
const SLOPES = [0.02, 1] as const;
const MAX_BITS = 60;

/**
 * Measures how often benign observations reach a strength. Knots at the ranks 1, 2, 4, ... from the top; beyond the
 * strongest one the chance falls off exponentially, as the top did. `silent` observations more showed nothing.
 */
export function measureTail(strengths: readonly number[], silent = 0): TailJson {
  const sorted = Float64Array.from(strengths).sort().reverse();
  const n = sorted.length + silent;
  const knots: [number, number][] = [];
  for (let rank = 1; rank <= n; rank *= 2) {
    const strength = sorted[rank - 1] ?? 0;
    const bits = Math.log2((n + 1) / rank);
    const last = knots[0];
    if (last !== undefined && last[0] - strength < 1e-9) {
      // Equal strengths share the chance of the greatest rank.
      last[1] = bits;
    } else {
      knots.unshift([strength, bits]);
    }
  }
  const zero = knots[0];
  if (zero === undefined || zero[0] > 0) {
    knots.unshift([Math.min(0, zero?.[0] ?? 0), 0]);
  } else {
    zero[1] = 0;
  }
  const top = knots[knots.length - 1] as [number, number];
  const below = knots[Math.max(0, knots.length - 5)] as [number, number];
  const slope = top[0] > below[0] ? (top[1] - below[1]) / (top[0] - below[0]) : SLOPES[0];
  return { n, knots, slope: Math.min(SLOPES[1], Math.max(SLOPES[0], slope)) };
}

/** A tail made ready to be asked often. */
export class Tail {
  private readonly strengths: Float64Array;
  private readonly bits: Float64Array;
  private readonly slope: number;
  private readonly beyond: number;

  constructor({ knots, slope, n }: TailJson) {
    this.strengths = Float64Array.from(knots, ([strength]) => strength);
    this.bits = Float64Array.from(knots, ([, bits]) => bits);
    this.slope = slope;
    const [top, most] = knots[knots.length - 1] as readonly [number, number];
    // Where none of n showed anything at all, half an occurrence is the fair guess.
    this.beyond = top === 0 ? Math.log2(n + 1) + 1 : most;
  }

  /** Minus log2 of the chance that something benign is this strong. Monotone in the strength. */
  bitsAt(strength: number): number {
    const { strengths, bits } = this;
    const last = strengths.length - 1;
    const top = strengths[last] as number;
    if (strength > top) {
      return Math.min(MAX_BITS, this.beyond + (strength - top) * this.slope);
    }
    for (let i = last; i > 0; i--) {
      const from = strengths[i - 1] as number;
      if (strength >= from) {
        const low = bits[i - 1] as number;
        const width = Math.max(1e-9, (strengths[i] as number) - from);
        return low + (((bits[i] as number) - low) * (strength - from)) / width;
      }
    }
    return 0;
  }
}

/** The same for one question. */
export function tailBits(tail: TailJson, strength: number): number {
  return new Tail(tail).bitsAt(strength);
}
