import { createHash } from "node:crypto";
import type { EventField, IdsEvent } from "./event.ts";

/** A condition on one field of an event. */
export type Condition =
  | { readonly field: keyof IdsEvent; readonly in: readonly (string | number)[] }
  | { readonly field: keyof IdsEvent; readonly atLeast: number }
  | { readonly field: keyof IdsEvent; readonly present: true };

/**
 * A leaky bucket in CrowdSec's manner, as data: events that pass the filter pour into the bucket of their group; it
 * leaks one drop every `leakMs`; when it holds more than `capacity`, it overflows, that is: the scenario fires.
 */
export interface Scenario {
  readonly id: string;
  readonly version: number;
  /** What an overflow means, for people. */
  readonly about: string;
  readonly filter: readonly Condition[];
  /** One bucket for each combination of these fields; events that lack one are not looked at. */
  readonly groupBy: readonly EventField[];
  /** Only the first event of each value of this field counts: different patients, not requests. */
  readonly distinct?: EventField;
  /** Counts distinct values only while they stay recent, and pours by their number: two places within this time. */
  readonly within?: number;
  /** Drops of one event: 1, or its amount in units of this. */
  readonly amountUnit?: number;
  readonly capacity: number;
  readonly leakMs: number;
  /** After firing, silence for this group. */
  readonly blackholeMs: number;
  /** Whom a decision would be about. */
  readonly scope: EventField;
  readonly confidence: number;
}

/** Names a scenario by its content: SHA-256 of its JSON with sorted keys. Only unmodified scenarios count in consensus. */
export function scenarioHash(scenario: Scenario): string {
  const sorted = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(sorted)
      : typeof value === "object" && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([key, one]) => [key, sorted(one)]),
          )
        : value;
  return createHash("sha256")
    .update(JSON.stringify(sorted(scenario)))
    .digest("hex");
}
