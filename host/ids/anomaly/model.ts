import type { ParsedRequest } from "../request.ts";
import type { Evidence, Kind, TrafficJson } from "./evidence.ts";
import { createWitness } from "./evidence.ts";
import { type TailJson, tailBits } from "./tail.ts";

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

/** Evidence with its bits. */
export interface Weighed extends Evidence {
  readonly bits: number;
}

export function weigh(kinds: AnomalyModel["kinds"], evidence: readonly Evidence[]): Weighed[] {
  return evidence.map(({ kind, strength, at }) => ({
    kind,
    strength,
    at,
    bits: strength > 0 ? tailBits(kinds[kind], strength) : 0,
  }));
}

/** Bits of all evidence against one value, added up; `fields` tells how often benign values reach a sum. */
export function sumFields(evidence: readonly Weighed[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { kind, bits, at } of evidence) {
    if (FIELD_KINDS.has(kind)) {
      sums.set(at, (sums.get(at) ?? 0) + bits);
    }
  }
  return sums;
}

/**
 * All evidence as one number, in bits: log2 of the sum of 1/p. This is the harmonic mean of the chances (Wilson, PNAS
 * 2019: "The harmonic mean p-value for combining dependent tests") up to their number; it stands the dependence
 * between kinds, and the strongest evidence leads. Several kinds against one value count together as well.
 */
export function combine(fields: TailJson, evidence: readonly Weighed[]): number {
  let sum = 1;
  for (const { bits } of evidence) {
    sum += bits > 0 ? 2 ** bits : 0;
  }
  for (const bits of sumFields(evidence).values()) {
    sum += bits > 0 ? 2 ** tailBits(fields, bits) : 0;
  }
  return Math.log2(sum);
}

export interface Anomaly {
  /** Minus log2 of the chance that a benign request is this strange. */
  readonly bits: number;
  /** False where the route was never seen in training: its contents cannot be judged, only its being new. */
  readonly known: boolean;
  /** The strongest evidence, strongest first. */
  readonly because: readonly { readonly kind: Kind; readonly at: string; readonly bits: number }[];
}

export interface AnomalyDetector {
  judge(request: ParsedRequest): Anomaly;
}

export function createAnomalyDetector(model: AnomalyModel): AnomalyDetector {
  const witness = createWitness(model.traffic);
  return {
    judge(request) {
      const evidence = weigh(model.kinds, witness.testify(request));
      const bits = tailBits(model.whole, combine(model.fields, evidence));
      const because = evidence
        .filter((reason) => reason.bits >= WORTH_SAYING)
        .sort((a, b) => b.bits - a.bits)
        .slice(0, 3)
        .map((reason) => ({ kind: reason.kind, at: reason.at, bits: reason.bits }));
      return { bits, known: witness.knows(request), because };
    },
  };
}
