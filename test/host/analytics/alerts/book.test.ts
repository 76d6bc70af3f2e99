import { beforeEach, describe, expect, it } from "vitest";
import { type AlertBook, createAlertBook } from "../../../../host/analytics/index.ts";
import { randomBytes, toHex, utf8 } from "../../../../host/base/index.ts";
import { deriveSecret, lockWith, unlockWith } from "../../../../host/client/index.ts";
import type { Store } from "../../../../host/store/index.ts";
import { backends } from "../../../support/stores.ts";

const MINUTE = 60_000;
const SUBJECT = { streamId: "ab".repeat(16), kind: "news2", patient: "Ada Lovelace" };
const grave = { level: "urgent", reason: "NEWS2 6" } as const;
const well = { level: null, reason: "NEWS2 0" } as const;

function lockOf(seed = randomBytes(32)) {
  return {
    lock: (text: string) => lockWith(seed, "alerts", utf8(text)),
    async unlock(locked: Uint8Array<ArrayBuffer>) {
      const bytes = await unlockWith(seed, "alerts", locked);
      return bytes === null ? null : new TextDecoder().decode(bytes);
    },
    nameOf: (text: string) => toHex(deriveSecret(seed, text).subarray(0, 16)),
  };
}

for (const backend of backends()) {
  describe(`alerts on the reader's machine (${backend.name})`, () => {
    let now: number;
    let store: Store;
    let book: AlertBook;
    const clock = { now: () => now };
    const lock = lockOf();

    beforeEach(async () => {
      now = Date.UTC(2026, 0, 5, 8);
      store = await backend.open("alerts");
      book = await createAlertBook({ store, clock, lock });
      return () => store.close();
    });

    it("one alert for a stream and kind, however many readings show it", async () => {
      expect(await book.observe(SUBJECT, well)).toBeNull();
      expect((await book.observe(SUBJECT, grave))?.added).toMatchObject([
        { type: "raised", level: "urgent" },
      ]);
      for (let i = 0; i < 5; i++) {
        now += MINUTE;
        expect(await book.observe(SUBJECT, grave)).toBeNull();
      }
      await book.observe({ ...SUBJECT, kind: "silence" }, { level: "attention", reason: "nothing" });
      expect((await book.list()).map(({ subject, alert }) => [subject.kind, alert.level])).toEqual([
        ["news2", "urgent"],
        ["silence", "attention"],
      ]);
    });

    it("a resolved alert stays so, and the next finding is another", async () => {
      const first = await book.observe(SUBJECT, grave);
      await book.apply(first?.kept.id ?? "", { type: "resolve", by: "dr-heron", reason: "given fluids" });
      expect(await book.observe(SUBJECT, well)).toBeNull();
      now += MINUTE;
      const second = await book.observe(SUBJECT, grave);
      expect(second?.kept.id).not.toBe(first?.kept.id);
      // Another program with the same keys goes on where this one is.
      const other = await createAlertBook({ store, clock, lock });
      expect(await other.observe(SUBJECT, grave)).toBeNull();
      expect((await other.list()).map(({ alert }) => alert.status)).toEqual(["raised", "resolved"]);
    });

    it("what fell due is written down before it is shown, and before a refusal", async () => {
      const raised = await book.observe(SUBJECT, grave);
      now += 16 * MINUTE;
      const attempt = book.apply(raised?.kept.id ?? "", { type: "snooze", by: "dr-heron", forMs: MINUTE });
      await expect(attempt).rejects.toThrow(expect.objectContaining({ code: "ALERT_ESCALATED" }));
      const reopened = await createAlertBook({ store, clock: { now: () => 0 }, lock });
      expect((await reopened.list())[0]?.alert).toMatchObject({ status: "escalated", tier: 1 });
    });

    it("an id may be its beginning, and nothing else", async () => {
      const { kept } = (await book.observe(SUBJECT, grave)) ?? {};
      const acknowledge = { type: "acknowledge", by: "dr-heron" } as const;
      expect((await book.apply(kept?.id.slice(0, 8) ?? "", acknowledge)).alert.status).toBe("acknowledged");
      for (const id of ["", "zz", `${kept?.id}0`]) {
        await expect(book.apply(id, acknowledge)).rejects.toThrow(
          expect.objectContaining({ code: "ALERT_NOT_FOUND" }),
        );
      }
    });

    it("nothing of it lies in the clear", async () => {
      await book.observe(SUBJECT, grave);
      const dump: string[] = [];
      for await (const { document } of store.dump()) {
        dump.push(
          JSON.stringify(document),
          Buffer.from((document.sealed as Uint8Array) ?? []).toString("latin1"),
        );
      }
      expect(dump.length).toBeGreaterThan(0);
      for (const secret of ["Lovelace", SUBJECT.streamId, "news2", "NEWS2", "urgent"]) {
        expect(dump.join("\n")).not.toContain(secret);
      }
    });

    it("another's keys, a swapped document and an old one put back are noticed", async () => {
      const a = await book.observe(SUBJECT, grave);
      const b = await book.observe({ ...SUBJECT, kind: "trend" }, grave);
      const stranger = await createAlertBook({ store, clock, lock: lockOf() });
      await expect(stranger.list()).rejects.toThrow(expect.objectContaining({ code: "ALERT_DAMAGED" }));
      const documents = await store.collection<{ _id: string; sealed: Uint8Array; version: number }>({
        name: "alerts",
        indexes: [],
      });
      const [first, second] = [a?.kept.id ?? "", b?.kept.id ?? ""];
      const old = await documents.findOne({ _id: { $eq: first } });
      const other = await documents.findOne({ _id: { $eq: second } });
      await documents.updateOne({ _id: { $eq: first } }, { $set: { sealed: other?.sealed as Uint8Array } });
      await expect(book.list()).rejects.toThrow(expect.objectContaining({ code: "ALERT_DAMAGED" }));
      await documents.updateOne({ _id: { $eq: first } }, { $set: { sealed: old?.sealed as Uint8Array } });
      await book.apply(first, { type: "acknowledge", by: "dr-heron" });
      await documents.updateOne({ _id: { $eq: first } }, { $set: { sealed: old?.sealed as Uint8Array } });
      await expect(book.list()).rejects.toThrow(expect.objectContaining({ code: "ALERT_DAMAGED" }));
    });

    if (backend.name === "embedded") {
      it("two programs at once make one alert and lose no wish", async () => {
        const other = await createAlertBook({ store, clock, lock });
        await Promise.all([book, other, book, other].map((each) => each.observe(SUBJECT, grave)));
        expect(await book.list()).toHaveLength(1);
        const id = (await book.list())[0]?.id ?? "";
        await Promise.all([
          book.apply(id, { type: "acknowledge", by: "dr-heron" }),
          other.observe(SUBJECT, { level: "emergency", reason: "NEWS2 9" }),
          other.apply(id, { type: "acknowledge", by: "dr-crane" }),
        ]);
        const events = (await book.list())[0]?.events.map(({ type }) => type) ?? [];
        expect(events.filter((type) => type === "acknowledged")).toHaveLength(2);
        expect(events).toContain("worsened");
      });
    }
  });
}
