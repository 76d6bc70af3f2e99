import { describe, expect, it } from "vitest";
import { chainNotes, type NoteVersion } from "../../../host/client/index.ts";

const version = (noteId: string, at: number, changes: Partial<NoteVersion> = {}): NoteVersion => ({
  ...{ noteId, at, text: `${noteId} at ${at}`, retracted: false, replaces: null, author: "a" },
  ...{ authorName: "Dr Heron", fingerprint: "heron", by: "doctor", digest: `${noteId}${at}` },
  ...changes,
});

const outline = (versions: readonly NoteVersion[]) =>
  chainNotes(versions).notes.map(({ noteId, earlier, earlierMissing }) => [
    noteId,
    earlier.map((before) => before.noteId),
    earlierMissing,
  ]);

/** Every order in which a cloud could show them. */
function* orders<T>(items: readonly T[]): Generator<T[]> {
  if (items.length === 0) {
    yield [];
  }
  for (const [i, item] of items.entries()) {
    for (const rest of orders(items.filter((_, j) => j !== i))) {
      yield [item, ...rest];
    }
  }
}

describe("a chain of notes", () => {
  const chain = [
    version("1", 10),
    version("2", 20, { replaces: "1" }),
    version("3", 30, { replaces: "2" }),
    version("x", 15),
  ];

  it("is the same in whatever order the cloud shows it, and however often", () => {
    for (const order of orders(chain)) {
      expect(outline([...order, ...order])).toEqual([
        ["3", ["2", "1"], false],
        ["x", [], false],
      ]);
    }
  });

  it("tells that something in its middle or at its beginning is withheld, and cannot tell of its end", () => {
    const without = (noteId: string) => outline(chain.filter((note) => note.noteId !== noteId))[0];
    expect(without("1")).toEqual(["3", ["2"], true]);
    expect(without("2")).toEqual(["3", [], true]);
    // An honest limit: the newest word that somebody withholds leaves no gap.
    expect(without("3")).toEqual(["2", ["1"], false]);
  });

  it("that two machines of one author went on with is one, the newer word in front", () => {
    const fork = [...chain, version("4", 40, { replaces: "1", text: "", retracted: true })];
    expect(outline(fork)[0]).toEqual(["4", ["3", "2", "1"], false]);
  });

  it("is nobody else's to go on with; an id that two authors use is two notes", () => {
    const foreign = version("9", 50, { replaces: "3", fingerprint: "stork" });
    const { notes, refused } = chainNotes([...chain, foreign]);
    expect(notes[0]?.noteId).toBe("3");
    expect(refused.map(({ code }) => code)).toEqual(["NOTE_NOT_YOURS"]);
    expect(outline([...chain, version("3", 60, { fingerprint: "stork" })])).toHaveLength(3);
  });

  it("with two notes under one id shows the one that was there first, and says so", () => {
    const { notes, refused } = chainNotes([version("1", 10), version("1", 20, { text: "other" })]);
    expect(notes).toMatchObject([{ text: "1 at 10" }]);
    expect(refused.map(({ code }) => code)).toEqual(["NOTE_ID_REUSED"]);
  });

  it("that bites its tail ends all the same", () => {
    const circle = [version("1", 10, { replaces: "2" }), version("2", 20, { replaces: "1" })];
    expect(outline(circle)).toEqual([["2", ["1"], false]]);
    expect(outline([version("1", 10, { replaces: "1" })])).toEqual([["1", [], false]]);
  });

  it("of ten thousand links is put together", () => {
    const links = Array.from({ length: 10_000 }, (_, i) =>
      version(String(i), i, i === 0 ? {} : { replaces: String(i - 1) }),
    );
    const { notes } = chainNotes(links);
    expect(notes).toHaveLength(1);
    expect(notes[0]?.earlier).toHaveLength(9999);
  });
});
