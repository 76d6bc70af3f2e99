import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ALERT_EVENT,
  ALERT_LEVELS,
  ALERT_POLICY,
  type Alert,
  type AlertCommand,
  type AlertEvent,
  type AlertLevel,
  advanceAlert,
  decideAlert,
  replayAlert,
} from "../../../../host/analytics/index.ts";
import { isMedcloudletError } from "../../../../host/base/index.ts";

const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 5, 8);
const at = (minutes: number) => START + Math.round(minutes * MINUTE);
const observe = (minutes: number, level: AlertLevel | null, reason = "NEWS2"): AlertCommand => ({
  type: "observe",
  at: at(minutes),
  level,
  reason,
});
const tick = (minutes: number): AlertCommand => ({ type: "tick", at: at(minutes) });
const acknowledge = (minutes: number, by = "dr-heron"): AlertCommand => ({
  type: "acknowledge",
  at: at(minutes),
  by,
});
const snooze = (minutes: number, until: number): AlertCommand => ({
  type: "snooze",
  at: at(minutes),
  by: "dr-heron",
  until: at(until),
});
const resolve = (minutes: number): AlertCommand => ({
  type: "resolve",
  at: at(minutes),
  by: "dr-heron",
  reason: "seen",
});

/** The history after commands; what is refused changes nothing. */
function live(commands: readonly AlertCommand[], from: readonly AlertEvent[] = []): readonly AlertEvent[] {
  return commands.reduce((events, command) => {
    try {
      return advanceAlert(events, command).events;
    } catch (error) {
      if (!isMedcloudletError(error)) {
        throw error;
      }
      return events;
    }
  }, from);
}
const alertAfter = (...commands: AlertCommand[]): Alert => replayAlert(live(commands)) as Alert;
const types = (events: readonly AlertEvent[]) => events.map(({ type }) => type);

describe("the life of an alert", () => {
  it("begins with a finding, and not without", () => {
    expect(live([observe(0, null), tick(1)])).toEqual([]);
    expect(alertAfter(observe(0, "urgent", "NEWS2 6"))).toMatchObject({
      status: "raised",
      level: "urgent",
      reason: "NEWS2 6",
      tier: 0,
    });
    expect(() => decideAlert(null, acknowledge(0))).toThrow(
      expect.objectContaining({ code: "ALERT_NOT_RAISED" }),
    );
  });

  it.each(ALERT_LEVELS)(
    "an unanswered %s alert is escalated when its time is over, tier by tier",
    (level) => {
      const limit = ALERT_POLICY.answerWithin[level] / MINUTE;
      expect(alertAfter(observe(0, level), tick(limit - 0.001)).status).toBe("raised");
      expect(alertAfter(observe(0, level), tick(limit))).toMatchObject({
        status: "escalated",
        tier: 1,
        since: at(limit),
      });
      expect(alertAfter(observe(0, level), tick(2 * limit))).toMatchObject({ status: "escalated", tier: 2 });
      expect(alertAfter(observe(0, level), tick(1000 * limit)).tier).toBe(ALERT_POLICY.highestTier);
    },
  );

  it("answered in time it is not", () => {
    expect(alertAfter(observe(0, "emergency"), acknowledge(4.9), tick(500))).toMatchObject({
      status: "acknowledged",
      owner: "dr-heron",
      tier: 0,
    });
  });

  it("answered too late it is escalated first, at the moment that was due", () => {
    const events = live([observe(0, "emergency"), acknowledge(90)]);
    expect(types(events)).toEqual(["raised", "escalated", "escalated", "escalated", "acknowledged"]);
    expect(events[1]?.at).toBe(at(5));
  });

  it("a snooze that was forgotten ends by itself, and then the time to answer runs", () => {
    expect(alertAfter(observe(0, "urgent"), snooze(1, 30), tick(29.9)).status).toBe("snoozed");
    expect(alertAfter(observe(0, "urgent"), snooze(1, 30), tick(30))).toMatchObject({
      status: "raised",
      owner: null,
    });
    expect(alertAfter(observe(0, "urgent"), snooze(1, 30), tick(45)).status).toBe("escalated");
  });

  it("a graver level breaks a snooze and an acknowledgement, a milder one does not", () => {
    for (const quiet of [snooze(1, 50), acknowledge(1)]) {
      expect(
        alertAfter(observe(0, "urgent"), quiet, observe(2, "attention"), observe(3, "urgent")).status,
      ).toBe(quiet.type === "snooze" ? "snoozed" : "acknowledged");
      expect(alertAfter(observe(0, "urgent"), quiet, observe(2, "emergency"))).toMatchObject({
        status: "escalated",
        level: "emergency",
        tier: 1,
        owner: null,
        snoozedUntil: null,
      });
    }
  });

  it("an escalated alert cannot be snoozed before somebody has acknowledged it", () => {
    const events = live([observe(0, "urgent"), tick(20)]);
    expect(() => advanceAlert(events, snooze(21, 30))).toThrow(
      expect.objectContaining({ code: "ALERT_ESCALATED" }),
    );
    expect(replayAlert(live([acknowledge(21), snooze(22, 40)], events))?.status).toBe("snoozed");
  });

  it.each([
    ["attention", 480],
    ["urgent", 60],
    ["emergency", 15],
  ] as const)("the longest snooze of %s is %d minutes", (level, longest) => {
    const events = live([observe(0, level)]);
    expect(advanceAlert(events, snooze(1, 1 + longest)).alert?.status).toBe("snoozed");
    for (const until of [1, 0, 1.001 + longest]) {
      expect(() => advanceAlert(events, snooze(1, until))).toThrow(
        expect.objectContaining({ code: "ALERT_SNOOZE_INVALID" }),
      );
    }
  });

  it("good readings resolve what somebody has seen, and what is mild, never what called in vain", () => {
    const well = [observe(4, null), tick(34)];
    expect(alertAfter(observe(0, "urgent"), acknowledge(1), ...well)).toMatchObject({
      status: "resolved",
      since: at(34),
    });
    expect(alertAfter(observe(0, "attention"), ...well).status).toBe("resolved");
    expect(alertAfter(observe(0, "urgent"), ...well).status).toBe("escalated");
    expect(alertAfter(observe(0, "urgent"), acknowledge(1), observe(4, null), tick(33.9)).status).toBe(
      "acknowledged",
    );
    const returned = [observe(4, null), observe(20, "attention"), tick(60)];
    expect(alertAfter(observe(0, "urgent"), acknowledge(1), ...returned).status).toBe("acknowledged");
  });

  it("a clock that went back counts as standing still", () => {
    const events = live([observe(10, "urgent"), acknowledge(3)]);
    expect(events.map(({ at: moment }) => moment)).toEqual([at(10), at(10)]);
  });
});

const anyLevel = fc.constantFrom<AlertLevel>(...ALERT_LEVELS);
/** What may be wanted, each after some minutes. */
const anyWish = fc.tuple(
  fc.double({ min: 0, max: 90, noNaN: true }),
  fc.oneof(
    {
      arbitrary: fc.record({ type: fc.constant("observe" as const), level: fc.option(anyLevel) }),
      weight: 4,
    },
    {
      arbitrary: fc.record({ type: fc.constant("snooze" as const), for: fc.integer({ min: 1, max: 500 }) }),
      weight: 2,
    },
    { arbitrary: fc.record({ type: fc.constantFrom("acknowledge" as const, "tick" as const) }), weight: 2 },
    { arbitrary: fc.record({ type: fc.constant("resolve" as const) }), weight: 1 },
  ),
);
const anyCommands = fc.array(anyWish, { maxLength: 25 }).map((wishes) => {
  let minutes = 0;
  return wishes.map(([pause, wish]): AlertCommand => {
    minutes += pause;
    if (wish.type === "observe") {
      return observe(minutes, wish.level);
    }
    if (wish.type === "snooze") {
      return snooze(minutes, minutes + wish.for);
    }
    return { acknowledge, resolve, tick }[wish.type](minutes);
  });
});
/** Lives that begin. */
const anyLife = fc.tuple(anyLevel, anyCommands).map(([level, commands]) => [observe(0, level), ...commands]);

describe("properties of any life", () => {
  it("the history is valid, ascends, and replayed step by step gives the state", () => {
    fc.assert(
      fc.property(anyLife, (commands) => {
        const events = live(commands);
        const read = (JSON.parse(JSON.stringify(events)) as unknown[]).map((event) =>
          ALERT_EVENT.parse(event),
        );
        expect(replayAlert(read)).toEqual(replayAlert(events));
        expect(events.map(({ type }) => type).indexOf("raised", 1)).toBe(-1);
        expect(
          events.every(({ at: moment }, i) => i === 0 || moment >= (events[i - 1] as AlertEvent).at),
        ).toBe(true);
      }),
    );
  });

  it("how often anybody looks at the clock makes no difference", () => {
    fc.assert(
      fc.property(anyLife, fc.array(fc.double({ min: 0, max: 2000, noNaN: true })), (commands, looks) => {
        const end = tick(5000);
        const often = [...commands, ...looks.map(tick)].sort((a, b) => a.at - b.at);
        expect(live([...often, end])).toEqual(live([...commands, end]));
      }),
    );
  });

  it("a snooze survives any readings that are no graver, until its end", () => {
    const mild = fc.array(fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.option(anyLevel)));
    fc.assert(
      fc.property(
        anyLife,
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        mild,
        (commands, share, readings) => {
          const events = live(commands);
          const alert = replayAlert(events) as Alert;
          const begin = (commands.at(-1) as AlertCommand).at;
          const until = begin + Math.ceil(share * ALERT_POLICY.longestSnooze[alert.level]);
          let snoozed: readonly AlertEvent[];
          try {
            snoozed = advanceAlert(events, { type: "snooze", at: begin, by: "dr-heron", until }).events;
          } catch {
            return;
          }
          const { level } = replayAlert(snoozed) as Alert;
          const rank = ALERT_LEVELS.indexOf(level);
          const later = readings
            .filter(([, seen]) => seen === null || ALERT_LEVELS.indexOf(seen) <= rank)
            .map(
              ([when, seen]): AlertCommand => ({
                type: "observe",
                at: Math.floor(begin + when * (until - begin)),
                level: seen,
                reason: "",
              }),
            )
            .sort((a, b) => a.at - b.at);
          const whole = live([...later, { type: "tick", at: until - 1 }], snoozed);
          expect(["snoozed", "resolved"]).toContain(replayAlert(whole)?.status);
          expect(types(whole.slice(snoozed.length))).not.toContain("escalated");
        },
      ),
    );
  });

  it("an escalation is never lost: only a person ends it, and its tier never sinks", () => {
    fc.assert(
      fc.property(anyLife, (commands) => {
        let tier = 0;
        let calling = false;
        for (const event of live([...commands, tick(1e6)])) {
          if (event.type === "escalated") {
            expect(event.tier).toBeGreaterThanOrEqual(tier);
            tier = event.tier;
            calling = true;
          } else if (event.type === "acknowledged" || event.type === "resolved") {
            expect(calling && event.type === "resolved" && event.by === null).toBe(false);
            calling = false;
          } else if (calling) {
            expect(["worsened", "eased", "returned"]).toContain(event.type);
          }
        }
      }),
    );
  });

  it("whatever the readings do, what no person answers is escalated in time, or was mild and passed", () => {
    const readings = fc.array(fc.tuple(fc.double({ min: 0, max: 20, noNaN: true }), fc.option(anyLevel)));
    fc.assert(
      fc.property(anyLevel, readings, (level, seen) => {
        let minutes = 0;
        const commands = seen.map(([pause, now]) => {
          minutes += pause;
          return observe(minutes, now);
        });
        const events = live([observe(0, level), ...commands, tick(10_000)]);
        const alert = replayAlert(events) as Alert;
        if (alert.status === "resolved") {
          expect(alert.level).toBe("attention");
          return;
        }
        expect(alert.tier).toBe(ALERT_POLICY.highestTier);
        const first = events.find(({ type }) => type === "escalated") as AlertEvent;
        expect(first.at).toBeLessThanOrEqual(START + ALERT_POLICY.answerWithin[level]);
      }),
    );
  });

  it("nothing leaves resolved", () => {
    fc.assert(
      fc.property(anyLife, anyCommands, (commands, later) => {
        // What time resolved before is not resolved twice.
        const events = live([...commands, tick(5000), resolve(5000)]);
        expect(replayAlert(events)?.status).toBe("resolved");
        for (const command of later) {
          const late = { ...command, at: command.at + 5001 * MINUTE };
          if (command.type === "observe" || command.type === "tick") {
            expect(advanceAlert(events, late).added).toEqual([]);
          } else {
            expect(() => advanceAlert(events, late)).toThrow(
              expect.objectContaining({ code: "ALERT_RESOLVED" }),
            );
          }
        }
      }),
    );
  });
});
