import type { ParsedRequest } from "../request.ts";
import type { Evidence, Kind, Listener, TrafficJson } from "./evidence.ts";
import { createWitness, KINDS } from "./evidence.ts";
import { Tail, type TailJson } from "./tail.ts";

export const MODEL_VERSION = 1;

/** Evidence below this many bits is everyday life. */
const WORTH_SAYING = 6;
/** Kinds that speak of one value. */
const FIELD_KINDS: ReadonlySet<Kind> = new Set([
  "value",
  "character",
  "coarse-shape",
  "fine-shape",
  "length",
  "text",
  "burst",
]);

/** What was learned from benign traffic. */
export interface AnomalyModel {
  readonly version: typeof MODEL_VERSION;
  readonly traffic: TrafficJson;
  /** How often held-out benign requests show each kind of evidence. */
  readonly kinds: Readonly<Record<Kind, TailJson>>;
  /** How often held-out benign values reach a sum of bits over all kinds. */
  readonly fields: TailJson;
  /** How often held-out benign requests reach a combined strength. */
  readonly whole: TailJson;
}

/** One thing that is strange, in bits. */
export interface Reason {
  readonly kind: Kind;
  readonly at: string;
  readonly bits: number;
}

/** Weighs the evidence against one request while it is given; used for one request after the other. */
export class Weighing implements Listener {
  private readonly tails: Readonly<Record<Kind, Tail>>;
  private readonly places = new Map<string, number>();
  private readonly sums: number[] = [];
  private chances = 1;
  private lastAt = "";
  private lastPlace = -1;
  /** What is worth saying, in the order in which it was given. */
  reasons: Reason[] = [];

  constructor(kinds: AnomalyModel["kinds"]) {
    this.tails = Object.fromEntries(KINDS.map((kind) => [kind, new Tail(kinds[kind])])) as Record<Kind, Tail>;
  }

  clear(): void {
    this.places.clear();
    this.sums.length = 0;
    this.chances = 1;
    this.lastPlace = -1;
    this.reasons = [];
  }

  say(kind: Kind, strength: number, at: string): void {
    if (strength > 0) {
      this.take({ kind, strength, at });
    }
  }

  take({ kind, strength, at }: Evidence): void {
    const bits = strength > 0 ? this.tails[kind].bitsAt(strength) : 0;
    if (FIELD_KINDS.has(kind)) {
      const place = this.placeOf(at);
      this.sums[place] = (this.sums[place] ?? 0) + bits;
    }
    if (bits > 0) {
      this.chances += 2 ** bits;
    }
    if (bits >= WORTH_SAYING) {
      this.reasons.push({ kind, at, bits });
    }
  }

  /** Bits of all evidence against one value, added up, for each value; their tail tells how often benign ones reach it. */
  get fieldSums(): readonly number[] {
    return this.sums;
  }

  /**
   * All evidence as one number, in bits: log2 of the sum of 1/p. This is the harmonic mean of the chances (Wilson, PNAS
   * 2019: "The harmonic mean p-value for combining dependent tests") up to their number; it stands the dependence
   * between kinds, and the strongest evidence leads. Several kinds against one value count together as well.
   */
  combined(fields: Tail): number {
    let sum = this.chances;
    for (const bits of this.sums) {
      sum += bits > 0 ? 2 ** fields.bitsAt(bits) : 0;
    }
    return Math.log2(sum);
  }

  /** Values of one name are one place; what is said of one value comes in a row. */
  private placeOf(at: string): number {
    if (this.lastPlace < 0 || at !== this.lastAt) {
      const known = this.places.get(at) ?? this.places.size;
      this.places.set(at, known);
      this.lastPlace = known;
      this.lastAt = at;
    }
    return this.lastPlace;
  }
}

export interface Anomaly {
  /** Minus log2 of the chance that a benign request is this strange. */
  readonly bits: number;
  /** False where the route was never seen in training: its contents cannot be judged, only its being new. */
  readonly known: boolean;
  /** The strongest evidence, strongest first. */
  readonly because: readonly Reason[];
}

export interface AnomalyDetector {
  judge(request: ParsedRequest): Anomaly;
}

export function createAnomalyDetector(model: AnomalyModel): AnomalyDetector {
  const witness = createWitness(model.traffic);
  const weighing = new Weighing(model.kinds);
  const fields = new Tail(model.fields);
  const whole = new Tail(model.whole);
  return {
    judge(request) {
      weighing.clear();
      const known = witness.testify(request, weighing);
      const bits = whole.bitsAt(weighing.combined(fields));
      const because = weighing.reasons.sort((a, b) => b.bits - a.bits).slice(0, 3);
      return { bits, known, because };
    },
  };
}
