import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { WritableStream } from "../../../host/client/index.ts";
import { createNotes, NOTE_LIMITS } from "../../../host/records/index.ts";
import { flatten } from "../../support/leaks.ts";
import { noteTicketOf } from "../../support/records.ts";
import { backends } from "../../support/stores.ts";
import { DAY_MS, dumpOf } from "../../support/system.ts";
import { someId } from "../http/attack.ts";
import { type NoteScene, startNoteScene } from "./note-scene.ts";

const HOSTILE = `<img src=x onerror=alert(1)><script>alert("1")</script>\u202e {{7*7}} ' OR 1=1 --`;

describe.each(backends())("notes about a patient on the $name store", (backend) => {
  let scene: NoteScene;
  beforeAll(async () => {
    scene = await startNoteScene(backend);
  });
  afterAll(() => scene?.system.stop());

  it("reach the patient and every reader, newest first, with who wrote them, and the cloud learns no word", async () => {
    const { system, ada, heron, stork, notesOf, idOf, sharedBy, ownStream } = scene;
    const stream = await sharedBy(ada, heron);
    await notesOf(heron, "Dr Heron").write(stream, { text: "Sleeps badly.\nRamipril 5 mg." });
    system.clock.advance(1000);
    const own = await ownStream(ada);
    await notesOf(ada, "Ada Lovelace").write(own, { text: "Dizzy in the morning." });
    for (const [person, seen] of [
      [ada, own],
      [heron, stream],
      [stork, await sharedBy(ada, stork)],
    ] as const) {
      const { notes, refused } = await notesOf(person, "").list(seen);
      expect(refused).toEqual([]);
      expect(notes).toMatchObject([
        { text: "Dizzy in the morning.", by: "patient", authorName: "Ada Lovelace", author: idOf(ada) },
        { text: "Sleeps badly.\nRamipril 5 mg.", by: "doctor", fingerprint: heron.fingerprint, earlier: [] },
      ]);
    }
    for (const store of Object.values(system.stores)) {
      const kept = (await dumpOf(store)).map(({ document }) => flatten(document)).join(" ");
      expect(kept).not.toMatch(/Ramipril|Dizzy|Dr Heron|Ada Lovelace/);
    }
    const documents = (await dumpOf(system.stores.cloud)).filter(({ collection }) => collection === "notes");
    const accounts = documents.map(({ document }) => flatten(document)).join(" ");
    expect(documents).toHaveLength(2);
    expect(accounts).not.toContain(idOf(heron));
    expect(accounts).not.toContain(idOf(ada));
  });

  it("stay text, whatever is in them, and come back as they were", async () => {
    const { ada, heron, stork, notesOf, sharedBy, texts } = scene;
    const stream = await sharedBy(ada, heron);
    await notesOf(heron, HOSTILE).write(stream, { text: HOSTILE });
    await notesOf(heron, "x").write(stream, { text: "界".repeat(4000) });
    const list = await texts(stork, await sharedBy(ada, stork));
    expect(list).toContain(HOSTILE);
    expect(list).toContain("界".repeat(4000));
    const writer = notesOf(heron, "x");
    for (const [text, code] of [
      ["x".repeat(4001), "NOTE_TOO_LONG"],
      [" \n ", "NOTE_TEXT_INVALID"],
      ["bell \u0007", "NOTE_TEXT_INVALID"],
      ["half \ud800", "NOTE_TEXT_INVALID"],
    ] as const) {
      await expect(writer.write(stream, { text })).rejects.toMatchObject({ code });
    }
  });

  it("are replaced and retracted by their author alone; what stood there before stays readable", async () => {
    const { ada, heron, stork, notesOf, idOf, sharedBy, ownStream, refusals, post, forged } = scene;
    const stream = await sharedBy(ada, heron);
    const heronsNotes = notesOf(heron, "Dr Heron");
    const first = await heronsNotes.write(stream, { text: "Dose 50 mg" });
    const second = await heronsNotes.write(stream, { text: "Dose 5 mg", replaces: first.noteId });
    const theirs = await sharedBy(ada, stork);
    const storksNotes = notesOf(stork, "Dr Stork");
    const shown = async () =>
      (await storksNotes.list(theirs)).notes.find(({ earlier }) =>
        earlier.some(({ noteId }) => noteId === first.noteId),
      );
    expect(await shown()).toMatchObject({ text: "Dose 5 mg", earlier: [{ text: "Dose 50 mg" }] });
    await expect(storksNotes.write(theirs, { text: "x", replaces: second.noteId })).rejects.toMatchObject({
      code: "NOTE_NOT_YOURS",
    });
    await expect(storksNotes.retract(theirs, first.noteId)).rejects.toMatchObject({ code: "NOTE_NOT_YOURS" });
    await expect(heronsNotes.retract(stream, someId())).rejects.toMatchObject({ code: "NOTE_UNKNOWN" });
    await heronsNotes.retract(stream, first.noteId);
    expect(await shown()).toMatchObject({
      ...{ text: "", retracted: true },
      earlier: [{ text: "Dose 5 mg" }, { text: "Dose 50 mg" }],
    });
    // Who skips the check of the honest client is caught by every reader.
    const bytes = await forged(ada, {
      key: stork.keys.signing,
      identity: stork.session.account.identity,
      consent: theirs.consentStatement,
      note: { author: idOf(stork), replaces: second.noteId },
    });
    expect((await post(stream.streamId, await noteTicketOf(stork, stream.streamId), bytes)).status).toBe(201);
    expect(await refusals(ada, await ownStream(ada))).toEqual(["NOTE_NOT_YOURS"]);
    expect(await shown()).toMatchObject({ text: "", retracted: true });
  });

  it("of before a consent without history stay closed, and a replaced one among them is said to be missing", async () => {
    const { system, notesOf, share, sharedBy, ownStream } = scene;
    const wren = await system.patient("wren", "Wren");
    await wren.owner.startEpoch("medical");
    const wrensNotes = notesOf(wren, "Wren");
    const { noteId } = await wrensNotes.write(await ownStream(wren), { text: "Before." });
    const crane = await system.doctor("dr-crane");
    await share(wren, crane, "from-now");
    await wrensNotes.write(await ownStream(wren), { text: "After.", replaces: noteId });
    const { notes, refused } = await notesOf(crane, "").list(await sharedBy(wren, crane));
    expect(notes).toMatchObject([{ text: "After.", earlier: [], earlierMissing: true }]);
    expect(refused.map(({ code }) => code)).toEqual(["EPOCH_UNKNOWN"]);
  });

  it("are told to who follows the stream, as news of their own", async () => {
    const { ada, heron, stork, notesOf, sharedBy } = scene;
    const stream = await sharedBy(ada, stork);
    const controller = new AbortController();
    let heard = 0;
    const heardTwo = new Promise<void>((resolve) => {
      const onNote = () => {
        heard++;
        if (heard === 1) {
          // The connection stands: what comes now is news.
          notesOf(heron, "Dr Heron")
            .write(stream as WritableStream, { text: "News" })
            .catch(() => {});
        } else {
          resolve();
        }
      };
      (async () => {
        for await (const _ of stork.reader.follow(stream, controller.signal, { onNote })) {
          // Nothing was measured.
        }
      })();
    });
    // Heron's own consent vouches; stork's stream lends the place alone.
    await heardTwo;
    controller.abort();
    expect(heard).toBe(2);
  });

  it("are bounded by stream, day and ticket, and counted once however often they come", async () => {
    const { system } = scene;
    const limits = { stream: 4, day: 3, ticket: 2 };
    const notes = await createNotes({
      ...{ store: system.stores.cloud, clock: system.clock, onStored: () => {}, limits },
    });
    const streamId = someId();
    const add = (byte: number, holder: string) =>
      notes.add(streamId, new Uint8Array(4096).fill(byte), holder);
    expect(await add(1, "a")).toMatchObject({ status: "stored", position: 1 });
    for (let i = 0; i < 5; i++) {
      expect(await add(1, "a")).toMatchObject({ status: "duplicate", position: 1 });
    }
    await add(2, "a");
    await expect(add(3, "a")).rejects.toMatchObject({ code: "NOTES_TICKET", status: 429 });
    expect(await add(3, "b")).toMatchObject({ position: 3 });
    await expect(add(4, "c")).rejects.toMatchObject({ code: "NOTES_TODAY", status: 429 });
    system.clock.advance(DAY_MS + 1);
    await add(4, "d");
    await expect(add(5, "e")).rejects.toMatchObject({ code: "NOTE_LIMIT", status: 409 });
    expect(await add(2, "e")).toMatchObject({ status: "duplicate", position: 2 });
    expect((await notes.page(streamId, 1, 2)).cursor).toBe(3);
    expect(NOTE_LIMITS.stream * 16_384).toBeLessThan(200 * 1024 * 1024);
  });

  it("written at the same moment all have a place of their own", async () => {
    const { system } = scene;
    const others = await createNotes({
      ...{ store: system.stores.cloud, clock: system.clock, onStored: () => {} },
    });
    const same = await createNotes({
      ...{ store: system.stores.cloud, clock: system.clock, onStored: () => {} },
    });
    const streamId = someId();
    const stored = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        (i % 2 === 0 ? others : same).add(streamId, new Uint8Array(4096).fill(i), `holder ${i}`),
      ),
    );
    expect(stored.map(({ position }) => position).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 12 }, (_, i) => i + 1),
    );
  });
});
