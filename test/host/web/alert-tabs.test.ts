import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ALERT_LEVELS, type AlertLevel } from "../../../host/analytics/index.ts";
import { isMedcloudletError } from "../../../host/base/index.ts";
import { type AlertJournal, createAlertJournal } from "../../../host/web/worker/doctor/alert-journal.ts";

const MINUTE = 60_000;
const ABOUT = { streamId: "s1", patient: "Ada", kind: "news2" };
const rank = (level: AlertLevel) => ALERT_LEVELS.indexOf(level);

/** Tabs of one person; what one of them did waits until it is heard. */
function tabs(count: number) {
  let time = 0;
  const clock = { now: () => time };
  const journals = Array.from({ length: count }, () => createAlertJournal({ clock, kept: null }));
  const post: { to: AlertJournal; text: string }[] = [];
  const send = (from: AlertJournal) => {
    const text = from.news();
    if (text !== null) {
      post.push(...journals.filter((other) => other !== from).map((to) => ({ to, text })));
    }
  };
  const [one, other] = journals as [AlertJournal, AlertJournal];
  return {
    ...{ one, other, journals, post, send },
    now: () => time,
    pass(ms: number) {
      time += ms;
    },
    /** Lets every tab hear everything. */
    settle() {
      for (const journal of journals) {
        send(journal);
      }
      for (const { to, text } of post.splice(0)) {
        to.join(text);
      }
    },
  };
}

const only = (journal: AlertJournal) => {
  const open = journal.list().filter(({ alert }) => alert.status !== "resolved");
  expect(open).toHaveLength(1);
  return open[0] as (typeof open)[number];
};

describe("alerts in two tabs", () => {
  it("are one where both see the same, and acknowledged in both where one was told", () => {
    const { one, other, pass, settle } = tabs(2);
    one.observe(ABOUT, { level: "urgent", reason: "NEWS2 5" }, 10);
    pass(40);
    other.observe(ABOUT, { level: "urgent", reason: "NEWS2 5" }, 10);
    settle();
    expect(other.list()).toEqual(one.list());
    pass(MINUTE);
    one.apply(only(one).id, { type: "acknowledge", by: "me" });
    settle();
    expect(only(other).alert).toMatchObject({ status: "acknowledged", owner: "me" });
    pass(MINUTE);
    one.apply(only(one).id, { type: "snooze", by: "me", forMs: 5 * MINUTE });
    settle();
    expect(only(other).alert.status).toBe("snoozed");
    pass(5 * MINUTE);
    expect([one.tick(), other.tick()]).toEqual([true, true]);
    expect([only(one).alert.status, only(other).alert.status]).toEqual(["raised", "raised"]);
  });

  it("keep an acknowledgement of one that the other had under another name", () => {
    const { one, other, pass, settle } = tabs(2);
    one.observe(ABOUT, { level: "urgent", reason: "silent" }, 1);
    pass(20);
    other.observe(ABOUT, { level: "urgent", reason: "silent" }, 2);
    other.apply(only(other).id, { type: "acknowledge", by: "me" });
    settle();
    expect(only(one).alert.status).toBe("acknowledged");
    expect(one.list()).toEqual(other.list());
  });

  it.each(["acknowledge", "snooze", "resolve"] as const)(
    "call on where who did %s had not seen how grave it had become",
    (type) => {
      const { one, other, pass, settle } = tabs(2);
      one.observe(ABOUT, { level: "urgent", reason: "NEWS2 5" }, 1);
      settle();
      pass(MINUTE);
      other.observe(ABOUT, { level: "emergency", reason: "NEWS2 9" }, 2);
      pass(5);
      one.apply(only(one).id, { type, by: "me", forMs: MINUTE, reason: "" });
      settle();
      for (const journal of [one, other]) {
        const { alert, events } = only(journal);
        expect(alert.level).toBe("emergency");
        expect(["raised", "escalated"]).toContain(alert.status);
        expect(events.some((event) => event.type === "acknowledged")).toBe(type === "acknowledge");
      }
    },
  );

  it("raise a new one for what came after it was resolved elsewhere, and none for what had come before", () => {
    const { one, other, pass, settle } = tabs(2);
    one.observe(ABOUT, { level: "urgent", reason: "NEWS2 5" }, 5);
    settle();
    pass(MINUTE);
    one.apply(only(one).id, { type: "resolve", by: "me", reason: "" });
    pass(5);
    // Not heard yet: the other tab is slow, and then sees something graver.
    other.observe(ABOUT, { level: "emergency", reason: "NEWS2 9" }, 6);
    settle();
    expect(only(one)).toMatchObject({ alert: { level: "emergency", status: "raised" } });
    expect(one.list()).toEqual(other.list());
    one.apply(only(one).id, { type: "resolve", by: "me", reason: "" });
    settle();
    expect(other.observe(ABOUT, { level: "emergency", reason: "NEWS2 9" }, 6)).toBe(false);
    expect(other.list().every(({ alert }) => alert.status === "resolved")).toBe(true);
  });

  it("survive one tab that kept what it had before it heard of the other", () => {
    const { one, other, settle } = tabs(2);
    one.observe(ABOUT, { level: "urgent", reason: "NEWS2 5" }, 5);
    settle();
    const stale = other.text();
    one.apply(only(one).id, { type: "acknowledge", by: "me" });
    const next = createAlertJournal({ clock: { now: () => 0 }, kept: one.text() });
    expect(next.join(stale)).toBe(false);
    expect(only(next).alert.status).toBe("acknowledged");
  });

  it("refuse what is no journal", () => {
    const { one } = tabs(1);
    expect([one.join("{"), one.join('{"timelines":[{}],"seen":[]}')]).toEqual([false, false]);
    expect(one.list()).toEqual([]);
  });

  it("keep an acknowledged alert one and in hand, however long its readings go up and down", () => {
    const { one, other, pass, settle } = tabs(2);
    const well = { level: null, reason: "well" } as const;
    const grave = { level: "emergency", reason: "NEWS2 9" } as const;
    one.observe(ABOUT, grave, 1);
    other.observe(ABOUT, { level: "urgent", reason: "NEWS2 5" }, 2);
    other.apply(only(other).id, { type: "acknowledge", by: "me" });
    const late = other.text();
    settle();
    one.apply(only(one).id, { type: "acknowledge", by: "me" });
    settle();
    const { alert, marks } = only(one);
    for (let i = 0; i < 40; i++) {
      pass(20 * MINUTE);
      one.observe(ABOUT, well, 2 * i);
      pass(5);
      other.observe(ABOUT, well, 2 * i);
      settle();
      pass(5 * MINUTE);
      one.observe(ABOUT, grave, 2 * i + 1);
      other.observe(ABOUT, grave, 2 * i + 1);
      settle();
      const now = only(one);
      expect({ ...now.alert, changedAt: 0 }, `${i}`).toEqual({ ...alert, changedAt: 0 });
      expect([now.marks, other.list()]).toEqual([marks, one.list()]);
      expect(JSON.parse(one.text()).timelines[0].steps.length).toBeLessThanOrEqual(61);
    }
    one.join(late);
    expect(only(one).alert.status).toBe("acknowledged");
  });

  it("do not raise again what was answered when the answer is too old to be kept", () => {
    const { one, other, pass } = tabs(2);
    const grave = { level: "emergency", reason: "NEWS2 9" } as const;
    one.observe(ABOUT, grave, 1);
    pass(1000);
    one.apply(only(one).id, { type: "resolve", by: "me", reason: "" });
    pass(500);
    // Not heard yet.
    other.observe(ABOUT, grave, 1);
    one.join(other.text());
    expect(one.list()).toHaveLength(1);
    for (let i = 0; i < 201; i++) {
      pass(1000);
      one.observe({ ...ABOUT, streamId: `t${i}` }, grave, 1);
      one.apply(only(one).id, { type: "resolve", by: "me", reason: "" });
    }
    expect(one.list().filter(({ streamId }) => streamId === "s1")).toEqual([]);
    expect(one.list().every(({ alert }) => alert.status === "resolved")).toBe(true);
  });

  it("agree on an alert that their clock had dated ahead, whenever each of them looks", () => {
    const { one, other, pass, settle } = tabs(2);
    pass(120 * MINUTE);
    one.observe(ABOUT, { level: "emergency", reason: "NEWS2 9" }, 1);
    settle();
    pass(-60 * MINUTE);
    one.list();
    pass(7);
    other.list();
    other.observe(ABOUT, { level: null, reason: "well" }, 2);
    settle();
    one.join(other.text());
    other.join(one.text());
    expect(other.list()).toEqual(one.list());
    pass(5 * MINUTE);
    expect(only(one).alert).toMatchObject({ status: "escalated", tier: 1 });
  });

  const tab = fc.nat({ max: 2 });
  const act = fc.oneof(
    fc.record({
      act: fc.constant("pass" as const),
      ms: fc.constantFrom(1, 900, MINUTE, 7 * MINUTE, 40 * MINUTE),
    }),
    fc.record({ act: fc.constant("observe" as const), tab, level: fc.constantFrom(null, ...ALERT_LEVELS) }),
    fc.record({
      act: fc.constant("wish" as const),
      tab,
      type: fc.constantFrom("acknowledge", "snooze", "resolve"),
    }),
    fc.record({ act: fc.constant("hear" as const), nth: fc.nat(), twice: fc.boolean() }),
  );

  it("lose no acknowledgement and no escalation, however late and in whatever order tabs hear of each other", () => {
    fc.assert(
      fc.property(fc.array(act, { minLength: 5, maxLength: 60 }), (acts) => {
        const { journals, post, send, now, pass, settle } = tabs(3);
        const wishes: { by: string; type: string; at: number; saw: AlertLevel }[] = [];
        const sightings: { level: AlertLevel; at: number }[] = [];
        acts.forEach((one, i) => {
          if (one.act === "pass") {
            pass(one.ms);
          } else if (one.act === "hear") {
            const [heard] = post.splice(one.nth % (post.length || 1), 1);
            heard?.to.join(heard.text);
            if (heard !== undefined && one.twice) {
              heard.to.join(heard.text);
            }
          } else {
            const journal = journals[one.tab] as AlertJournal;
            if (one.act === "observe") {
              const { level } = one;
              if (journal.observe(ABOUT, { level, reason: `${i}` }, i) && level !== null) {
                sightings.push({ level, at: now() });
              }
            } else {
              const open = journal.list().find(({ alert }) => alert.status !== "resolved");
              const wish = { type: one.type, by: `at ${i}`, forMs: MINUTE, reason: "" };
              try {
                if (open !== undefined) {
                  journal.apply(open.id, wish as Parameters<AlertJournal["apply"]>[1]);
                  wishes.push({ by: wish.by, type: one.type, at: now(), saw: open.alert.level });
                }
              } catch (error) {
                expect(isMedcloudletError(error, "ALERT_ESCALATED")).toBe(true);
              }
            }
            send(journal);
          }
        });
        settle();
        const [list, ...others] = journals.map((journal) => journal.list()) as [
          ReturnType<AlertJournal["list"]>,
          ReturnType<AlertJournal["list"]>,
        ];
        for (const other of others) {
          expect(other).toEqual(list);
        }
        expect(list.filter(({ alert }) => alert.status !== "resolved").length).toBeLessThanOrEqual(1);
        const events = list.flatMap((alert) => alert.events);
        const isQuiet = (type: string) => ["acknowledged", "snoozed", "resolved"].includes(type);
        for (const wish of wishes.filter(({ type }) => type === "acknowledge")) {
          const stands = events.some((event) => "by" in event && event.by === wish.by);
          const overBefore = list.some(
            ({ alert }) => alert.status === "resolved" && alert.changedAt <= wish.at,
          );
          expect(stands || overBefore, `${wish.by} is lost`).toBe(true);
        }
        for (const { alert, events: own } of list) {
          const last = own.findLast(({ type }) => isQuiet(type));
          if (isQuiet(alert.status) && last !== undefined && "by" in last && last.by !== null) {
            const { saw } = wishes.find(({ by }) => by === last.by) as { saw: AlertLevel };
            expect(rank(saw), "quiet for who had seen less").toBeGreaterThanOrEqual(rank(alert.level));
          }
        }
        for (const { level, at } of sightings) {
          const shown = list.some(
            ({ alert }) =>
              alert.raisedAt <= at &&
              rank(alert.level) >= rank(level) &&
              (alert.status !== "resolved" || alert.changedAt >= at),
          );
          expect(shown, `${level} at ${at} is lost`).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});
