import type { EventField, IdsEvent } from "./event.ts";
import { LruMap } from "./lru.ts";
import { type Condition, type Scenario, scenarioHash } from "./scenario.ts";

/** A scenario fired. */
export interface Overflow {
  readonly scenario: string;
  readonly version: number;
  /** Content hash of the scenario. */
  readonly hash: string;
  readonly about: string;
  readonly confidence: number;
  /** Field and value that it is about. */
  readonly scope: EventField;
  readonly subject: string;
  /** Time of the first and last event in the bucket. */
  readonly from: number;
  readonly to: number;
  /** Events that counted. */
  readonly count: number;
}

interface Bucket {
  level: number;
  leakedAt: number;
  from: number;
  count: number;
  silentUntil: number;
  /** Distinct values and when each was last seen, oldest first. */
  readonly seen: Map<string, number>;
}

export interface ScenarioEngine {
  /** Takes one event in. Events may come a little late; a bucket's clock never runs backwards. */
  take(event: IdsEvent): Overflow[];
  /** Buckets held, for metrics and for the test of their bound. */
  readonly buckets: number;
}

/** Most distinct values that one bucket remembers. */
const MAX_SEEN = 512;

function passes(event: IdsEvent, condition: Condition): boolean {
  const value = event[condition.field];
  if (value === undefined) {
    return false;
  }
  if ("in" in condition) {
    return condition.in.includes(value);
  }
  return "atLeast" in condition ? typeof value === "number" && value >= condition.atLeast : true;
}

/** The bucket's key, or undefined where the event lacks a field. Lengths keep "a|b" apart from "a" and "b". */
function groupOf(event: IdsEvent, scenario: Scenario): string | undefined {
  let key = "";
  for (const field of scenario.groupBy) {
    const value = event[field];
    if (value === undefined) {
      return undefined;
    }
    key += `${value.length}:${value}`;
  }
  return key;
}

function forget(bucket: Bucket, before: number): void {
  for (const [value, at] of bucket.seen) {
    if (at >= before && bucket.seen.size <= MAX_SEEN) {
      return;
    }
    bucket.seen.delete(value);
  }
}

/**
 * Runs scenarios over events. Driven by the events' own time alone, without a clock or timers, so that the replay of
 * a log decides exactly as the live run did. Memory is bounded: each scenario keeps at most `capacity` buckets and
 * forgets the one that was quiet for the longest.
 */
export function createScenarioEngine(
  scenarios: readonly Scenario[],
  options: { readonly capacity?: number } = {},
): ScenarioEngine {
  const running = scenarios.map((scenario) => ({
    scenario,
    hash: scenarioHash(scenario),
    buckets: new LruMap<Bucket>(options.capacity ?? 10_000),
  }));

  const pour = (
    event: IdsEvent,
    scenario: Scenario,
    hash: string,
    buckets: LruMap<Bucket>,
  ): Overflow | undefined => {
    const key = groupOf(event, scenario);
    const subject = event[scenario.scope];
    if (key === undefined || subject === undefined) {
      return undefined;
    }
    let bucket = buckets.get(key);
    if (bucket === undefined) {
      bucket = { level: 0, leakedAt: event.at, from: event.at, count: 0, silentUntil: 0, seen: new Map() };
      buckets.set(key, bucket);
    }
    const now = Math.max(event.at, bucket.leakedAt);
    bucket.level = Math.max(0, bucket.level - (now - bucket.leakedAt) / scenario.leakMs);
    bucket.leakedAt = now;
    if (now < bucket.silentUntil) {
      return undefined;
    }
    if (bucket.level === 0 && scenario.within === undefined) {
      // Empty: what comes now is a new story.
      bucket.from = now;
      bucket.count = 0;
      bucket.seen.clear();
    }
    if (scenario.distinct !== undefined) {
      const value = event[scenario.distinct];
      if (value === undefined) {
        return undefined;
      }
      const known = bucket.seen.has(value);
      bucket.seen.delete(value);
      bucket.seen.set(value, now);
      forget(bucket, scenario.within === undefined ? Number.NEGATIVE_INFINITY : now - scenario.within);
      if (scenario.within !== undefined) {
        bucket.from = Math.min(...bucket.seen.values());
        bucket.count = bucket.seen.size;
        bucket.level = bucket.seen.size;
      } else if (known) {
        return undefined;
      }
    }
    if (scenario.within === undefined) {
      bucket.level += scenario.amountUnit === undefined ? 1 : (event.amount ?? 0) / scenario.amountUnit;
      bucket.count++;
    }
    if (bucket.level <= scenario.capacity) {
      return undefined;
    }
    const overflow: Overflow = {
      scenario: scenario.id,
      version: scenario.version,
      hash,
      about: scenario.about,
      confidence: scenario.confidence,
      scope: scenario.scope,
      subject,
      from: bucket.from,
      to: now,
      count: bucket.count,
    };
    bucket.silentUntil = now + scenario.blackholeMs;
    bucket.level = 0;
    bucket.count = 0;
    bucket.seen.clear();
    return overflow;
  };

  return {
    take(event) {
      const overflows: Overflow[] = [];
      for (const { scenario, hash, buckets } of running) {
        if (scenario.filter.every((condition) => passes(event, condition))) {
          const overflow = pour(event, scenario, hash, buckets);
          if (overflow !== undefined) {
            overflows.push(overflow);
          }
        }
      }
      return overflows;
    },
    get buckets() {
      return running.reduce((sum, { buckets }) => sum + buckets.size, 0);
    },
  };
}
