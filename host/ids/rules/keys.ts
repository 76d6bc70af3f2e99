import { GRAMS, gramsOf } from "./grams.ts";
import type { Required } from "./required.ts";

/** Rules that have a bit; one beyond them is asked every time. */
export const MAX_KEYED = 128;
const WORDS = MAX_KEYED / 32;

/** How often characters stand in English prose and in numbers, roughly: rarer grams make better keys. */
const OFTEN = " etaoinsrhldcumfpgwybvk0123456789.,-jxqz:/()'\"";

function frequencyOf(text: string): number {
  let frequency = 1;
  for (const character of text) {
    const rank = OFTEN.indexOf(character);
    frequency *= rank < 0 ? 0.001 : 0.15 / (1 + rank / 3);
  }
  return frequency;
}

interface Cover {
  /** A text that holds what is required holds at least one of these. */
  readonly grams: readonly number[];
  readonly frequency: number;
}

/** Of a literal, its rarest gram. */
function coverOfLiteral(text: string): Cover | undefined {
  const width = Math.min(3, text.length);
  return gramsOf(text)
    .map((gram, at) => ({ grams: [gram], frequency: frequencyOf(text.slice(at, at + width)) }))
    .sort((a, b) => a.frequency - b.frequency)[0];
}

function coverOf(required: Required): Cover | undefined {
  switch (required.kind) {
    case "any":
      return undefined;
    case "literal":
      return coverOfLiteral(required.text);
    case "all":
      return required.of
        .map(coverOf)
        .filter((cover) => cover !== undefined)
        .sort((a, b) => a.frequency - b.frequency)[0];
    case "some": {
      const covers = required.of.map(coverOf).filter((cover) => cover !== undefined);
      return covers.length < required.of.length
        ? undefined
        : {
            grams: covers.flatMap(({ grams }) => grams),
            frequency: covers.reduce((sum, { frequency }) => sum + frequency, 0),
          };
    }
  }
}

/**
 * From a gram to the rules that it calls for: one look for each gram of a text finds every rule that could fire on it
 * at all. Rules are numbered from 0.
 */
export class Keys {
  /** For each gram, where its rules stand in `rules`; 0 for none. */
  readonly of = new Uint16Array(GRAMS);
  /** Sets of rules, four words of bits each. */
  readonly rules: Int32Array;
  /** Rules that no gram can call for, so they are called for always. */
  readonly always: Int32Array = new Int32Array(WORDS);

  constructor(required: readonly Required[]) {
    const byGram = new Map<number, Int32Array>();
    for (const [rule, one] of required.slice(0, MAX_KEYED).entries()) {
      const cover = coverOf(one);
      const sets =
        cover === undefined
          ? [this.always]
          : cover.grams.map((gram) => {
              const set = byGram.get(gram) ?? new Int32Array(WORDS);
              byGram.set(gram, set);
              return set;
            });
      for (const set of sets) {
        set[rule >> 5] = (set[rule >> 5] as number) | (1 << (rule & 31));
      }
    }
    const places = new Map<string, number>([["", 0]]);
    const rules: number[] = [0, 0, 0, 0];
    for (const [gram, set] of byGram) {
      const name = set.join();
      let place = places.get(name);
      if (place === undefined) {
        place = rules.length;
        places.set(name, place);
        rules.push(...set);
      }
      this.of[gram] = place;
    }
    this.rules = Int32Array.from(rules);
  }
}
