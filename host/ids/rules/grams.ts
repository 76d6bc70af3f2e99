import type { Keys } from "./keys.ts";

const PAIRS = 128;
const TRIPLES = PAIRS + 128 * 128;
const TRIPLE_MASK = 0x7fff;
/** Places of all grams: characters, pairs, and triples, of which some share one. */
export const GRAMS = TRIPLES + TRIPLE_MASK + 1;

const FOLD = new Uint8Array(128);
for (let code = 0; code < 128; code++) {
  FOLD[code] = code >= 65 && code <= 90 ? code + 32 : code;
}

/** ASCII folded to lower case; everything beyond shares the place of a character that no rule asks for. */
function folded(code: number): number {
  return code < 128 ? (FOLD[code] as number) : 0x7f;
}

/** Rolls on by one character: after three more, a character is shifted out of it. */
function roll(triple: number, code: number): number {
  return ((triple << 5) ^ code) & TRIPLE_MASK;
}

/** Places that a text holding this literal has marked: the fewest that say it all. */
export function gramsOf(literal: string): number[] {
  const codes = Array.from({ length: literal.length }, (_, i) => folded(literal.charCodeAt(i)));
  const [first = 0, second = 0] = codes;
  if (codes.length < 2) {
    return codes.length === 0 ? [] : [first];
  }
  if (codes.length === 2) {
    return [PAIRS + first * 128 + second];
  }
  return codes.slice(2).map((_, i) => TRIPLES + codes.slice(i, i + 3).reduce(roll, 0));
}

/**
 * Which characters, pairs and triples of characters a text holds, ASCII case folded: one pass over the text, after
 * which "can this literal occur at all?" is a few looks into a table. It may say yes to a text that lacks the literal,
 * never no to one that has it.
 */
export class GramSet {
  readonly marks = new Uint8Array(GRAMS);
  /** What marks the grams of the present texts: counting spares wiping the table for each. */
  now = 0;
  /** Bits of the rules that some gram calls for. */
  readonly called = new Int32Array(4);
  private readonly keys: Keys;

  constructor(keys: Keys) {
    this.keys = keys;
  }

  /** Forgets everything. */
  clear(): void {
    this.now++;
    if (this.now === 256) {
      this.marks.fill(0);
      this.now = 1;
    }
    this.called.set(this.keys.always);
  }

  /** Takes a text in, or a piece of it from `start` to before `end`. */
  add(text: string, start = 0, end = text.length): void {
    const { marks, now } = this;
    const { of } = this.keys;
    let last = 0;
    let triple = 0;
    for (let i = start; i < end; i++) {
      const code = folded(text.charCodeAt(i));
      triple = roll(triple, code);
      const pair = PAIRS + last * 128 + code;
      last = code;
      if (marks[pair] !== now) {
        marks[pair] = now;
        marks[code] = now;
        if (of[pair] !== 0 || of[code] !== 0) {
          this.call(of[pair] as number);
          this.call(of[code] as number);
        }
      }
      if (marks[TRIPLES + triple] !== now) {
        marks[TRIPLES + triple] = now;
        if (of[TRIPLES + triple] !== 0) {
          this.call(of[TRIPLES + triple] as number);
        }
      }
    }
  }

  private call(place: number): void {
    const { called } = this;
    const { rules } = this.keys;
    for (let word = 0; word < 4; word++) {
      called[word] = (called[word] as number) | (rules[place + word] as number);
    }
  }
}
