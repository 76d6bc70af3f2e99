import { describe, expect, it } from "vitest";
import { toHex } from "../../../host/base/index.ts";
import { createNoteIndex, type PatientNote } from "../../../host/client/index.ts";
import { foldWord } from "../../../host/client/note-search.ts";

let made = 0;
function note(text: string, changes: Partial<PatientNote> = {}): PatientNote {
  const noteId = toHex(new Uint8Array(16).fill(++made));
  return {
    ...{ noteId, text, at: made, retracted: false, replaces: null, author: noteId, authorName: "Dr Heron" },
    ...{ fingerprint: "ab", by: "doctor", digest: String(made), earlier: [], earlierMissing: false },
    ...changes,
  };
}

const find = (notes: readonly PatientNote[], words: string) =>
  createNoteIndex(notes)
    .search(words)
    .map(({ note: { text } }) => text);

describe("a search in notes", () => {
  it("asks neither for case nor for accents, in any script", () => {
    const notes = [
      note("Ménière disease"),
      note("ØDEM am Fuß"),
      note("Οίδημα"),
      note("高血圧の疑い"),
      note("Łódź"),
    ];
    for (const [words, text] of [
      ["meniere", "Ménière disease"],
      ["MENIÈRE ", "Ménière disease"],
      ["me\u0301nie\u0300re ", "Ménière disease"],
      ["ødem ", "ØDEM am Fuß"],
      ["odem ", "ØDEM am Fuß"],
      ["FUSS ", "ØDEM am Fuß"],
      ["οιδημα ", "Οίδημα"],
      ["血圧 ", "高血圧の疑い"],
      ["lodz ", "Łódź"],
    ] as const) {
      expect(find(notes, words), words).toEqual([text]);
    }
    expect(foldWord("ﬁbrin")).toBe("fibrin");
  });

  it("takes the last word as a beginning while it is being typed, and no other", () => {
    const notes = [note("ramipril five"), note("fever"), note("ramus fracture")];
    expect(find(notes, "ram").sort()).toEqual(["ramipril five", "ramus fracture"]);
    expect(find(notes, "ram ")).toEqual([]);
    expect(find(notes, "rami")).toEqual(["ramipril five"]);
    expect(find(notes, "ram fe")).toEqual(["fever"]);
  });

  it("puts the rare word before the common one, the denser note before the long one, the newer of two alike first", () => {
    const long = `fever ${"and so on ".repeat(40)}`;
    const notes = [
      note("cough today"),
      note("cough again"),
      note("cough, haemoptysis"),
      note(long),
      note("fever"),
    ];
    expect(find(notes, "cough haemoptysis ")[0]).toBe("cough, haemoptysis");
    expect(find(notes, "fever ")).toEqual(["fever", long]);
    expect(find(notes, "cough ").slice(-2).sort()).toEqual(["cough again", "cough today"].sort());
    expect(find([note("same words", { at: 1 }), note("same words", { at: 2 })], "same ")).toHaveLength(2);
    const [first] = createNoteIndex([note("a b", { at: 1 }), note("a b", { at: 9 })]).search("b ");
    expect(first?.note.at).toBe(9);
  });

  it("scores as Okapi BM25 does (k1 1.2, b 0.75; two notes of two words, one with the word)", () => {
    const [found] = createNoteIndex([note("fever rising"), note("nothing new")]).search("fever ");
    // ln(1 + (2 - 1 + 0.5) / (1 + 0.5)) × 1 × 2.2 / (1 + 1.2)
    expect(found?.score).toBeCloseTo(Math.log(2), 12);
  });

  it("says where the words stand, in the text as it was written", () => {
    const text = "Élan <b>vital</b>, e\u0301lan.";
    const [found] = createNoteIndex([note(text)]).search("elan vit");
    expect(found?.matches.map(([from, to]) => text.slice(from, to))).toEqual(["Élan", "vital", "e\u0301lan"]);
  });

  it("finds no retracted note, nothing for nothing, and takes words of objects and patterns as words", () => {
    const notes = [note("", { retracted: true }), note("constructor __proto__ toString .* [a-z]+")];
    for (const words of ["", "   ", ".*", "[", "hasOwnProperty "]) {
      expect(find(notes, words), words).toEqual([]);
    }
    for (const words of ["constructor ", "__proto__", "tostring"]) {
      expect(find(notes, words), words).toHaveLength(1);
    }
    expect(find([], "x")).toEqual([]);
  });

  it("gives the best of ten thousand notes and no more than asked for", () => {
    const words = [
      "cough",
      "fever",
      "pain",
      "sleep",
      "walks",
      "eats",
      "ramipril",
      "stable",
      "better",
      "worse",
    ];
    const notes = Array.from({ length: 10_000 }, (_, i) =>
      note(`${words[i % 10]} ${words[(i * 7) % 10]} ${words[(i * 3) % 10]} day ${i}`),
    );
    const index = createNoteIndex(notes);
    expect(index.search("day 777")[0]?.note.text).toContain("day 777");
    expect(index.search("ramipril pain ", 5)).toHaveLength(5);
    expect(index.search("d")).toHaveLength(100);
  });
});
