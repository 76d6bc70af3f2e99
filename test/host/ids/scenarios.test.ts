import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createScenarioEngine,
  eventSchema,
  type IdsEvent,
  type Overflow,
  SCENARIOS,
  type Scenario,
  scenarioHash,
} from "../../../host/ids/index.ts";
import { LOGS } from "./scenario-logs.ts";

const run = (scenarios: readonly Scenario[], events: readonly IdsEvent[], capacity?: number): Overflow[] => {
  const engine = createScenarioEngine(scenarios, capacity === undefined ? {} : { capacity });
  return events.flatMap((event) => engine.take(eventSchema.parse(event)));
};

it("every scenario has its two logs, and no log lacks its scenario", () => {
  expect(Object.keys(LOGS).sort()).toEqual(SCENARIOS.map(({ id }) => id).sort());
});

describe.each(SCENARIOS.map((scenario) => [scenario.id, scenario] as const))("%s", (id, scenario) => {
  const log = LOGS[id] as (typeof LOGS)[string];
  it("fires once and says what it saw", () => {
    const [first, ...more] = run([scenario], log.fires);
    expect(first).toMatchObject({
      scenario: id,
      version: scenario.version,
      hash: scenarioHash(scenario),
      scope: scenario.scope,
    });
    expect(first?.count).toBeGreaterThan(1);
    expect(first?.to).toBeGreaterThanOrEqual(first?.from as number);
    expect(more.length).toBeLessThan(2);
  });
  it("is quiet in honest life", () => {
    expect(run([scenario], log.quiet)).toEqual([]);
  });
  it("does not fire for others who share nothing with it", () => {
    const strangers = log.fires.map((event, i) => ({
      ...event,
      source: `s${i}`,
      ...(event.account === undefined ? {} : { account: `a${i}` }),
      ...(event.device === undefined ? {} : { device: `d${i}` }),
    }));
    expect(run([scenario], strangers)).toEqual([]);
  });
});

describe("the engine", () => {
  it("decides the same on a replay, whatever the clock says", () => {
    const events = Object.values(LOGS)
      .flatMap(({ fires, quiet }) => [...fires, ...quiet])
      .sort((a, b) => a.at - b.at);
    expect(run(SCENARIOS, JSON.parse(JSON.stringify(events)) as IdsEvent[])).toEqual(run(SCENARIOS, events));
    expect(run(SCENARIOS, events).length).toBeGreaterThan(10);
  });

  it("keeps its memory bounded under a flood of keys, and still sees who goes on", () => {
    const engine = createScenarioEngine(SCENARIOS, { capacity: 100 });
    let overflows = 0;
    for (let i = 0; i < 20_000; i++) {
      engine.take({ at: i, kind: "login-failed", source: `flood-${i}`, account: `a-${i}` });
      if (i % 50 === 0) {
        overflows += engine.take({ at: i, kind: "login-failed", source: "guesser", account: "x" }).length;
      }
    }
    expect(engine.buckets).toBeLessThanOrEqual(100 * SCENARIOS.length);
    expect(overflows).toBeGreaterThan(0);
  });

  it("keeps one bucket's memory bounded under a flood of distinct values", () => {
    const clone = SCENARIOS.find(({ id }) => id === "bulk-read") as Scenario;
    const patient = { ...clone, capacity: 1e9 };
    expect(
      run(
        [patient],
        Array.from({ length: 5000 }, (_, i) => ({
          at: i,
          kind: "record-read" as const,
          source: "s",
          account: "a",
          target: `t${i}`,
        })),
      ),
    ).toEqual([]);
  });

  it("is silent in its black hole and fires again after it", () => {
    const scenario = SCENARIOS.find(({ id }) => id === "password-guessing") as Scenario;
    const burst = (LOGS["password-guessing"] as (typeof LOGS)[string]).fires;
    const later = (ms: number) => burst.map((event) => ({ ...event, at: event.at + ms }));
    expect(run([scenario], [...burst, ...later(60_000)])).toHaveLength(1);
    expect(run([scenario], [...burst, ...later(scenario.blackholeMs + 60_000)])).toHaveLength(2);
  });

  it("does not mix groups whose names run together", () => {
    const scenario: Scenario = { ...(SCENARIOS[0] as Scenario), groupBy: ["source", "account"], capacity: 1 };
    const events: IdsEvent[] = [
      { at: 0, kind: "login-failed", source: "1:a", account: "b" },
      { at: 0, kind: "login-failed", source: "1", account: ":ab" },
    ];
    expect(run([scenario], events)).toEqual([]);
  });

  it("changes its hash with any change of a scenario, not with the order of its keys", () => {
    const [first] = SCENARIOS as [Scenario];
    expect(scenarioHash({ ...first, capacity: first.capacity + 1 })).not.toBe(scenarioHash(first));
    expect(scenarioHash(Object.fromEntries(Object.entries(first).reverse()) as unknown as Scenario)).toBe(
      scenarioHash(first),
    );
  });

  it("never throws and never leaks below empty, whatever the order of events", () => {
    const event = fc.record({
      at: fc.integer({ min: 0, max: 10_000_000 }),
      kind: fc.constantFrom("request", "login-failed", "upload", "record-read") as fc.Arbitrary<
        IdsEvent["kind"]
      >,
      source: fc.constantFrom("a", "b"),
      account: fc.constantFrom("x", "y"),
      target: fc.string({ maxLength: 5 }),
      amount: fc.double({ min: 0, max: 1e9, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 200 }), (events) => {
        for (const overflow of run(SCENARIOS, events)) {
          expect(overflow.to).toBeGreaterThanOrEqual(overflow.from);
        }
      }),
    );
  });
});
