import { describe, expect, it } from "vitest";
import { createAlertJournal } from "../../../host/web/worker/doctor/alert-journal.ts";
import { rejectionOf } from "../sealing/fixtures.ts";

const MINUTE = 60_000;
const ABOUT = { streamId: "s1", patient: "Ada", kind: "news2" };
const GRAVE = { level: "emergency", reason: "NEWS2 9" } as const;
const WELL = { level: null, reason: "well" } as const;

function journalAt(start: number, kept: string | null = null) {
  let time = start;
  const journal = createAlertJournal({ clock: { now: () => time }, kept });
  return {
    journal,
    pass(ms: number) {
      time += ms;
    },
  };
}

describe("the journal of alerts", () => {
  it("has one open alert of a stream and kind, and a mark for each time it became graver", () => {
    const { journal, pass } = journalAt(1000);
    journal.observe(ABOUT, { level: "urgent", reason: "NEWS2 5" }, 10);
    expect(journal.observe(ABOUT, { level: "urgent", reason: "NEWS2 5" }, 20)).toBe(false);
    pass(MINUTE);
    journal.observe(ABOUT, GRAVE, 30);
    const [only, ...others] = journal.list();
    expect(others).toEqual([]);
    expect(only).toMatchObject({
      patient: "Ada",
      alert: { status: "raised", level: "emergency" },
      marks: [
        { time: 10, level: "urgent" },
        { time: 30, level: "emergency" },
      ],
    });
  });

  it("escalates what nobody answers by the clock alone", () => {
    const { journal, pass } = journalAt(0);
    journal.observe(ABOUT, GRAVE, 0);
    expect(journal.tick()).toBe(false);
    pass(5 * MINUTE);
    expect(journal.tick()).toBe(true);
    expect(journal.list()[0]?.alert).toMatchObject({ status: "escalated", tier: 1 });
  });

  it("puts those that call before those in hand, and what is over last", () => {
    const { journal } = journalAt(0);
    journal.observe({ ...ABOUT, streamId: "in hand" }, GRAVE, 0);
    journal.apply(journal.list()[0]?.id as string, { type: "acknowledge", by: "me" });
    journal.observe({ ...ABOUT, streamId: "over" }, GRAVE, 0);
    const over = journal.list().find(({ streamId }) => streamId === "over");
    journal.apply(over?.id as string, { type: "resolve", by: "me", reason: "" });
    journal.observe({ ...ABOUT, streamId: "calls" }, { level: "attention", reason: "red" }, 0);
    expect(journal.list().map(({ streamId }) => streamId)).toEqual(["calls", "in hand", "over"]);
  });

  it("refuses what the life of an alert refuses, and an alert that it has not", async () => {
    const { journal } = journalAt(0);
    journal.observe(ABOUT, GRAVE, 0);
    const id = journal.list()[0]?.id as string;
    const late = { type: "snooze", by: "me", forMs: 16 * MINUTE } as const;
    expect(await rejectionOf(Promise.resolve().then(() => journal.apply(id, late)))).toBe(
      "ALERT_SNOOZE_INVALID",
    );
    const unknown = Promise.resolve().then(() => journal.apply("x", { type: "acknowledge", by: "me" }));
    expect(await rejectionOf(unknown)).toBe("ALERT_NOT_FOUND");
  });

  it("goes on from what it gave to be kept, and begins anew from what is damaged", () => {
    const first = journalAt(0).journal;
    first.observe(ABOUT, GRAVE, 0);
    first.noteSeen("s1", 77);
    const second = journalAt(1, first.text()).journal;
    expect(second.list()).toEqual(first.list());
    expect([second.seenUntil("s1"), second.seenUntil("s2")]).toEqual([77, Number.NEGATIVE_INFINITY]);
    expect(second.observe(ABOUT, GRAVE, 1)).toBe(false);
    expect(journalAt(1, first.text().slice(5)).journal.list()).toEqual([]);
    expect(journalAt(1, '{"timelines":[{"id":1}],"seen":[]}').journal.list()).toEqual([]);
  });

  it("keeps a bounded number of alerts, and of their events, without changing how they stand", () => {
    const { journal, pass } = journalAt(0);
    for (let i = 0; i < 300; i++) {
      pass(MINUTE);
      journal.observe({ ...ABOUT, streamId: `s${i}` }, GRAVE, i);
      const open = journal.list().find(({ streamId }) => streamId === `s${i}`);
      journal.apply(open?.id as string, { type: "resolve", by: "me", reason: "" });
    }
    expect(journal.list().length).toBeLessThanOrEqual(201);
    expect(journal.list()[0]?.streamId).toBe("s299");
    journal.observe(ABOUT, { level: "urgent", reason: "up and down" }, 0);
    for (let i = 0; i < 200; i++) {
      pass(1000);
      journal.observe(ABOUT, i % 2 === 0 ? WELL : { level: "urgent", reason: "again" }, i);
    }
    const [open] = journal.list();
    expect(open?.events.length).toBeLessThanOrEqual(64);
    expect(open?.alert).toMatchObject({ status: "raised", level: "urgent", easedAt: null });
  });

  it("hears what is measured after an alert was resolved that readings dated ahead had raised", () => {
    const { journal, pass } = journalAt(0);
    journal.observe(ABOUT, GRAVE, 3 * 60 * MINUTE);
    pass(MINUTE);
    journal.apply(journal.list()[0]?.id as string, { type: "resolve", by: "me", reason: "clock wrong" });
    // What lay on the screen by then is answered still.
    expect(journal.observe(ABOUT, GRAVE, MINUTE)).toBe(false);
    pass(MINUTE);
    expect(journal.observe(ABOUT, GRAVE, 2 * MINUTE)).toBe(true);
    expect(journal.list()[0]?.alert.status).toBe("raised");
  });

  it.each(["resolve", "acknowledge"] as const)(
    "escalates in time after a clock that was ahead (%s)",
    (type) => {
      const start = 24 * 60 * MINUTE;
      const { journal, pass } = journalAt(2 * start);
      journal.observe(ABOUT, GRAVE, start);
      journal.apply(journal.list()[0]?.id as string, { type, by: "me", reason: "" });
      pass(-start);
      for (const right of [journal, journalAt(start, journal.text()).journal]) {
        expect(right.list()[0]?.alert.changedAt).toBeLessThanOrEqual(start);
      }
      journal.observe({ ...ABOUT, streamId: "other" }, GRAVE, start);
      pass(1000);
      journal.observe(ABOUT, type === "resolve" ? GRAVE : WELL, start + 1000);
      pass(31 * MINUTE);
      const own = journal.list().find(({ streamId }) => streamId === "s1");
      expect(own?.alert).toMatchObject(
        type === "resolve" ? { status: "escalated", tier: 3 } : { status: "resolved" },
      );
    },
  );

  it("keeps an alert whose reason was long", () => {
    const { journal } = journalAt(0);
    const long = "x".repeat(501);
    journal.observe(ABOUT, { level: "urgent", reason: long }, 1);
    journal.observe({ ...ABOUT, kind: "other" }, { level: "urgent", reason: "" }, 1);
    const id = journal.list().find(({ kind }) => kind === "news2")?.id as string;
    journal.apply(id, { type: "resolve", by: "me", reason: long });
    const kept = journalAt(0, journal.text()).journal.list();
    expect(kept).toEqual(journal.list());
    expect(kept[1]?.events[1]).toMatchObject({ reason: long.slice(0, 500) });
    const uncut = journal.text().replaceAll("x".repeat(500), long);
    expect(journalAt(0, uncut).journal.list()).toEqual(kept);
  });

  it("loses by what it cannot read no more than that", () => {
    const { journal } = journalAt(0);
    journal.observe(ABOUT, GRAVE, 1);
    journal.observe({ ...ABOUT, streamId: "s2" }, GRAVE, 1);
    journal.noteSeen("s1", 7);
    const note = JSON.parse(journal.text());
    note.timelines[0].steps[0].later = "than this version";
    note.seen.push(["s2"]);
    note.more = {};
    const after = journalAt(0, JSON.stringify(note)).journal;
    expect(after.list().map(({ streamId }) => streamId)).toEqual(["s2"]);
    expect(after.seenUntil("s1")).toBe(7);
  });

  it("goes on from what was kept before there were timelines", () => {
    const raised = { type: "raised", at: 5, level: "urgent", reason: "NEWS2 5" };
    const over = { type: "resolved", at: 9, by: "me", reason: "better" };
    const worse = [
      { type: "raised", at: 9, level: "urgent", reason: "NEWS2 5" },
      { type: "acknowledged", at: 10, by: "me" },
      { type: "worsened", at: 20, level: "emergency", reason: "NEWS2 9" },
      { type: "escalated", at: 20, tier: 1, cause: "worse" },
      { type: "acknowledged", at: 30, by: "me" },
      { type: "snoozed", at: 40, by: "me", until: 40 + MINUTE },
      { type: "eased", at: 50 },
    ];
    const marks = [
      { time: 8, level: "urgent" },
      { time: 18, level: "emergency" },
    ];
    const alerts = [
      { ...ABOUT, id: "aa", events: [raised, over], marks: [{ time: 4, level: "urgent" }] },
      { ...ABOUT, id: "bb", events: worse, marks },
      { ...ABOUT, id: "cc", events: [{ type: "unheard of" }], marks: [] },
    ];
    const { journal } = journalAt(60, JSON.stringify({ alerts, seen: [["s1", 18]] }));
    expect(journal.list()).toMatchObject([
      { id: "bb", alert: { status: "snoozed", owner: "me", tier: 1, easedAt: 50 }, events: worse, marks },
      { id: "aa", alert: { status: "resolved" }, events: [raised, over], marks: [{ time: 4 }] },
    ]);
    expect(journal.seenUntil("s1")).toBe(18);
    expect(journalAt(60, journal.text()).journal.list()).toEqual(journal.list());
  });
});
