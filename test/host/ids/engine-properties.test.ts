import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createEngine,
  type Engine,
  type Member,
  type Observation,
  recordEngine,
  replayLog,
  SCENARIOS,
  type SharedAlert,
} from "../../../host/ids/index.ts";
import {
  alert,
  beginning,
  engineOf,
  event,
  failedLogins,
  heard,
  MINUTE,
  measureOn,
  member,
  SECOND,
  START,
  shared,
  tell,
  uploads,
} from "./engine-world.ts";

const RULES = SCENARIOS.filter(({ scope }) => scope === "source").map(({ id }) => id);

/** Alerts of anybody about anybody, told at one moment. */
const alertsOf = (size: number) =>
  fc.array(
    fc
      .record({
        from: fc.integer({ min: 0, max: size }),
        about: fc.constantFrom("ann", "ben", "mallory"),
        rule: fc.constantFrom(...RULES),
        score: fc.double({ min: 0.3, max: 1, noNaN: true }),
      })
      .map(({ from, about, rule, score }) => alert(from, about, { rule, score })),
    { maxLength: 24 },
  );

const shuffled = <T>(items: readonly T[], keys: readonly number[]): T[] =>
  items
    .map((item, i) => ({ item, key: keys[i % keys.length] ?? 0, i }))
    .sort((a, b) => a.key - b.key || b.i - a.i)
    .map(({ item }) => item);

const inForce = (engine: Engine, at: number) =>
  ["ann", "ben", "mallory"].map((name) => {
    const decision = measureOn(engine, name, at);
    return decision === null ? null : [decision.measure, decision.until, decision.origin];
  });

const past = (): Observation[] => [
  ...uploads(START, "ann", 15),
  ...failedLogins(START, "mallory", 4),
  event(START + 20 * SECOND, "ben"),
];

describe("the order of what happens at one moment", () => {
  it("changes nobody's measure", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 9 }).chain((size) => fc.tuple(fc.constant(size), alertsOf(size))),
        fc.array(fc.integer(), { minLength: 7, maxLength: 7 }),
        ([size, alerts], keys) => {
          const run = (order: readonly SharedAlert[]) => {
            const engine = engineOf(size);
            tell(engine, past());
            tell(
              engine,
              order.map((one) => heard(START + MINUTE, one)),
            );
            return inForce(engine, START + MINUTE);
          };
          expect(run(shuffled(alerts, keys))).toEqual(run(alerts));
        },
      ),
      { numRuns: 150 },
    );
  });

  it("and neither does the order of the roster", () => {
    const members = Array.from({ length: 7 }, (_, i) => member(i));
    const run = (roster: readonly Member[]) => {
      const engine = engineOf(7, { members: roster });
      tell(engine, [...past(), ...[1, 2, 3].map((i) => heard(START + MINUTE, alert(i, "mallory")))]);
      return inForce(engine, START + MINUTE);
    };
    expect(run([...members].reverse())).toEqual(run(members));
  });
});

describe("duplicates", () => {
  it("change nothing, however often and late they come", () => {
    fc.assert(
      fc.property(alertsOf(5), fc.array(fc.nat(), { maxLength: 40 }), (alerts, again) => {
        const once = engineOf(5);
        const often = engineOf(5);
        const first = [...past(), ...alerts.map((one) => heard(START + MINUTE, one))];
        expect(tell(often, first)).toEqual(tell(once, first));
        const repeated =
          alerts.length === 0 ? [] : again.map((i) => alerts[i % alerts.length] as SharedAlert);
        const nothing = { alerts: [], share: [], decisions: [], ended: [] };
        expect(
          tell(
            often,
            repeated.map((one) => heard(START + 2 * MINUTE, one)),
          ),
        ).toEqual(nothing);
        const later = past().map((one) => event(START + 3 * MINUTE, "ben", { kind: "request", at: one.at }));
        expect(tell(often, later)).toEqual(tell(once, later));
        expect(often.members()).toEqual(once.members());
      }),
      { numRuns: 80 },
    );
  });
});

describe("a third of the members lying", () => {
  const most = (size: number) => Math.floor((size - 1) / 3);
  const crowd = fc.integer({ min: 4, max: 13 }).chain((size) =>
    fc.record({
      size: fc.constant(size),
      // cloudlet-0 is the one that we look at, and honest.
      liars: fc.shuffledSubarray(
        Array.from({ length: size - 1 }, (_, i) => i + 1),
        { minLength: most(size), maxLength: most(size) },
      ),
      rules: fc.array(fc.constantFrom(...RULES), { minLength: 4, maxLength: 4 }),
    }),
  );

  it("does not block an honest client, known here or not, whatever they say and however often", () => {
    fc.assert(
      fc.property(crowd, ({ size, liars, rules }) => {
        const engine = engineOf(size);
        const lies = (at: number, about: string) =>
          rules.flatMap((rule) => liars.map((i) => heard(at, alert(i, about, { rule, score: 1 }))));
        tell(engine, [...uploads(START, "patient", 20), ...lies(START + MINUTE, "patient")]);
        tell(engine, lies(START + MINUTE, "newcomer"));
        tell(engine, [
          ...uploads(START + 2 * MINUTE, "patient", 20),
          ...lies(START + 3 * MINUTE, "patient"),
          ...uploads(START + 3 * MINUTE, "newcomer", 30),
        ]);
        expect(measureOn(engine, "patient", START + 4 * MINUTE)).toBeNull();
        expect(measureOn(engine, "newcomer", START + 4 * MINUTE)).toBeNull();
      }),
      { numRuns: 60 },
    );
  });

  it("does not hide an attacker whom the honest saw: by keeping quiet, or by crying wolf at everybody else", () => {
    fc.assert(
      fc.property(crowd, fc.boolean(), ({ size, liars }, noisy) => {
        const engine = engineOf(size);
        const honest = Array.from({ length: size - 1 }, (_, i) => i + 1).filter((i) => !liars.includes(i));
        if (noisy) {
          tell(
            engine,
            liars.flatMap((i) =>
              Array.from({ length: 40 }, (_, n) => heard(START, alert(i, `somebody-${n}`, { score: 1 }))),
            ),
          );
        }
        // Behaves here like a patient, even.
        tell(engine, uploads(START, "mallory", 15));
        tell(
          engine,
          honest.map((i) => heard(START + MINUTE, alert(i, "mallory", { rule: "scanner", score: 0.9 }))),
        );
        expect(measureOn(engine, "mallory", START + 2 * MINUTE)?.origin).toBe("mesh");
      }),
      { numRuns: 60 },
    );
  });
});

describe("a replay", () => {
  const anything = fc.array(
    fc.oneof(
      fc.record({
        at: fc.integer({ min: START, max: START + 200 * MINUTE }),
        who: fc.constantFrom("ann", "ben", "mallory"),
        count: fc.integer({ min: 1, max: 14 }),
        what: fc.constantFrom("fail", "upload", "attack"),
      }),
      fc.record({
        at: fc.integer({ min: START, max: START + 200 * MINUTE }),
        who: fc.constantFrom("ann", "ben", "mallory"),
        from: fc.integer({ min: 0, max: 5 }),
        what: fc.constantFrom("heard"),
      }),
      fc.record({
        at: fc.integer({ min: START, max: START + 200 * MINUTE }),
        which: fc.nat({ max: 5 }),
        what: fc.constantFrom("lift", "confirm"),
      }),
    ),
    { maxLength: 30 },
  );

  it("comes to the same as the live run, whatever happened", async () => {
    await fc.assert(
      fc.asyncProperty(anything, async (steps) => {
        const lines: string[] = [];
        const engine = recordEngine(createEngine(), (line) => lines.push(line));
        tell(engine, beginning(5));
        const made: string[] = [];
        for (const step of steps) {
          const observations: Observation[] =
            "which" in step
              ? made.slice(step.which, step.which + 1).map((decision) => ({
                  kind: "ruling",
                  at: step.at,
                  ruling: {
                    decision,
                    ruling: step.what === "lift" ? "lift" : "confirm",
                    by: "o",
                    reason: "r",
                  },
                }))
              : "from" in step
                ? [heard(step.at, alert(step.from, step.who))]
                : step.what === "fail"
                  ? failedLogins(step.at, step.who, step.count)
                  : step.what === "upload"
                    ? uploads(step.at, step.who, step.count)
                    : [{ ...event(step.at, step.who, { kind: "attack-found" }), score: 0.9 } as Observation];
          made.push(...tell(engine, observations).decisions.map(({ id }) => id));
          // Who looks changes nothing.
          engine.members();
          measureOn(engine, "ann", step.at);
        }
        const replay = await replayLog(lines.map((line) => line.trimEnd()));
        expect(replay.differences).toEqual([]);
        expect(replay.decisions.map(({ id }) => id)).toEqual(made);
      }),
      { numRuns: 60 },
    );
  });
});

it("keeps within its bounds under a flood of places and names", () => {
  const engine = engineOf(3);
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 30_000; i++) {
    engine.observe(event(START + i, `place-${i}`, { kind: "login-failed", account: `name-${i}` }));
  }
  // 60,000 pseudonyms went by; 20,000 are kept.
  expect((process.memoryUsage().heapUsed - before) / 2 ** 20).toBeLessThan(250);
  tell(engine, failedLogins(START + 30_000, "mallory", 12));
  expect(measureOn(engine, "mallory", START + 45_000)?.subject.shared).toBe(shared("mallory"));
});
