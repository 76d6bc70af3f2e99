import type { PatientNote } from "./patient-note.ts";

/** A note that fits, and why. */
export interface FoundNote {
  readonly note: PatientNote;
  /** Okapi BM25 (Robertson and Zaragoza, 2009); higher fits better. */
  readonly score: number;
  /** Where in the note's text the words stand: UTF-16 offsets from and to, in order. */
  readonly matches: readonly (readonly [number, number])[];
}

/** Opened notes, ready to be searched on the reader's machine: no word of a search leaves it. */
export interface NoteIndex {
  /**
   * Notes with any of the words, the best first, equal ones the newest first. Case and accents do not count; a last word
   * that no space follows also finds words that begin with it.
   */
  search(words: string, limit?: number): FoundNote[];
}

interface Token {
  readonly word: string;
  readonly start: number;
  readonly end: number;
}

/** How much a further occurrence adds, and how much a long note loses. */
const K1 = 1.2;
const B = 0.75;
const MOST = 100;

/** Letters that are accented and do not come apart under Unicode. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  đ: "d",
  ð: "d",
  ł: "l",
  ı: "i",
  þ: "th",
};
const WORD = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{M}\p{N}]+/gu;

/** A word as it is compared: no case, no accents (Unicode NFKD without its marks). */
export function foldWord(word: string): string {
  return word
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[ßæœøđðłıþ]/g, (letter) => LETTERS[letter] ?? letter);
}

function tokensOf(text: string): Token[] {
  return [...text.matchAll(WORD)].map(({ 0: word, index }) => ({
    word: foldWord(word),
    start: index,
    end: index + word.length,
  }));
}

export function createNoteIndex(notes: readonly PatientNote[]): NoteIndex {
  const documents = notes
    .filter(({ retracted }) => !retracted)
    .map((note) => ({ note, tokens: tokensOf(note.text) }));
  /** Which documents have a word, and how often. */
  const postings = new Map<string, Map<number, number>>();
  for (const [i, { tokens }] of documents.entries()) {
    for (const { word } of tokens) {
      const posting = postings.get(word) ?? new Map<number, number>();
      posting.set(i, (posting.get(i) ?? 0) + 1);
      postings.set(word, posting);
    }
  }
  const total = documents.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const average = Math.max(1, total / Math.max(1, documents.length));

  /** Documents with a word, or with any word that begins with it. */
  const occurrences = (word: string, isPrefix: boolean): ReadonlyMap<number, number> => {
    if (!isPrefix) {
      return postings.get(word) ?? new Map();
    }
    const merged = new Map<number, number>();
    for (const [candidate, posting] of postings) {
      if (candidate.startsWith(word)) {
        for (const [i, count] of posting) {
          merged.set(i, (merged.get(i) ?? 0) + count);
        }
      }
    }
    return merged;
  };

  return {
    search(words, limit = MOST) {
      const asked = tokensOf(words);
      const last = asked.at(-1);
      const prefix = last !== undefined && last.end === words.length ? last.word : null;
      const exact = new Set(asked.slice(0, prefix === null ? undefined : -1).map(({ word }) => word));
      const terms = [
        ...[...exact].map((word) => ({ word, isPrefix: false })),
        ...(prefix === null ? [] : [{ word: prefix, isPrefix: true }]),
      ];
      const scores = new Map<number, number>();
      for (const { word, isPrefix } of terms) {
        const found = occurrences(word, isPrefix);
        const rarity = Math.log(1 + (documents.length - found.size + 0.5) / (found.size + 0.5));
        for (const [i, count] of found) {
          const length = documents[i]?.tokens.length ?? 0;
          const weight = (count * (K1 + 1)) / (count + K1 * (1 - B + (B * length) / average));
          scores.set(i, (scores.get(i) ?? 0) + rarity * weight);
        }
      }
      const fits = ({ word }: Token) => exact.has(word) || (prefix !== null && word.startsWith(prefix));
      return [...scores]
        .flatMap(([i, score]) => {
          const document = documents[i];
          return document === undefined ? [] : [{ ...document, score }];
        })
        .sort((a, b) => b.score - a.score || b.note.at - a.note.at)
        .slice(0, limit)
        .map(({ note, tokens, score }) => ({
          note,
          score,
          matches: tokens.filter(fits).map(({ start, end }) => [start, end] as const),
        }));
    },
  };
}
