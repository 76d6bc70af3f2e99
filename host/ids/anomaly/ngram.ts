import { mix } from "./hash.ts";

/**
 * Character trigrams with Witten-Bell back-off, for many fields in one hashed table. Training counts; the finished
 * table holds the surprise of each seen trigram, bigram and unigram in sixteenths of a bit, one byte each, so that
 * scoring a character is mostly one look.
 */
const UNITS = 16;
const UNKNOWN_BITS = 9;
const ESCAPE = 0x10000;
const EDGE = 0x10001;
/** Characters of one value that are looked at. */
const NGRAM_CHARACTERS = 512;

/** Where the hashes of a field's grams of one order begin. */
function startOf(field: number, order: number): number {
  return Math.imul(field ^ (order * 0x9e3779b1), 0x85ebca6b);
}

function gram(start: number, before2: number, before1: number, code: number): number {
  let hash = Math.imul(start ^ before2, 0x01000193) ^ (start >>> 15);
  hash = Math.imul(hash ^ before1, 0x2c1b3c6d) ^ (hash >>> 13);
  hash = Math.imul(hash ^ code, 0x297a2d39);
  return mix(hash);
}

/** Case does not matter to what a field holds; digits are alike. */
function fold(code: number): number {
  return code >= 65 && code <= 90 ? code + 32 : code >= 48 && code <= 57 ? 48 : code;
}

interface Context {
  total: number;
  readonly next: Map<number, number>;
}

export class NgramCount {
  private readonly contexts = new Map<
    string,
    { field: number; order: number; b2: number; b1: number } & Context
  >();

  /** With `once`, a gram that a text holds several times counts as one. */
  add(field: number, text: string, once = false): void {
    const seen = once ? new Set<string>() : undefined;
    const isNew = (gram: string): boolean => {
      const known = seen?.has(gram) === true;
      seen?.add(gram);
      return !known;
    };
    let b2 = EDGE;
    let b1 = EDGE;
    const end = Math.min(text.length, NGRAM_CHARACTERS);
    for (let i = 0; i <= end; i++) {
      const code = i < end ? fold(text.charCodeAt(i)) : EDGE;
      if (!once || isNew(`${b2},${b1},${code}`)) {
        this.count(field, 3, b2, b1, code);
      }
      if (!once || isNew(`${b1},${code}`)) {
        this.count(field, 2, 0, b1, code);
      }
      if (!once || isNew(`${code}`)) {
        this.count(field, 1, 0, 0, code);
      }
      b2 = b1;
      b1 = code;
    }
  }

  /** Takes in what `tell` told elsewhere. */
  addTold(grams: readonly number[]): void {
    for (let i = 0; i + 5 < grams.length; i += 6) {
      const [field, order, b2, b1, code, times] = grams.slice(i, i + 6) as [
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      this.count(field, order, b2, b1, code, times);
    }
  }

  /** Field, order, two characters before, character and number of what came at least so often in these fields. */
  tell(least: number, fields: ReadonlySet<number>): number[] {
    const told: number[] = [];
    for (const { field, order, b2, b1, next } of this.contexts.values()) {
      if (!fields.has(field)) {
        continue;
      }
      for (const [code, times] of next) {
        if (times >= least) {
          told.push(field, order, b2, b1, code, times);
        }
      }
    }
    return told;
  }

  private count(field: number, order: number, b2: number, b1: number, code: number, times = 1): void {
    const key = `${field},${order},${b2},${b1}`;
    let context = this.contexts.get(key);
    if (context === undefined) {
      context = { field, order, b2, b1, total: 0, next: new Map() };
      this.contexts.set(key, context);
    }
    context.total += times;
    context.next.set(code, (context.next.get(code) ?? 0) + times);
  }

  /** The finished table; `maximumLog2` bounds its size, beyond which rare trigrams are left out. */
  compile(maximumLog2 = 20): Uint8Array {
    let entries = 0;
    for (const { next } of this.contexts.values()) {
      entries += next.size + 1;
    }
    const log2 = Math.min(maximumLog2, Math.max(10, Math.ceil(Math.log2(entries * 4))));
    const rarest = entries * 2 > 2 ** log2 ? 2 : 1;
    const table = new Uint8Array(2 ** log2);
    const mask = table.length - 1;
    const put = (hash: number, bits: number): void => {
      const value = Math.max(1, Math.min(255, Math.round(bits * UNITS) + 1));
      const at = hash & mask;
      // Where two meet, the likelier one stays: a collision may hide a surprise but never makes one up.
      table[at] = table[at] === 0 ? value : Math.min(table[at] as number, value);
    };
    // Order by order, so that longer contexts can build on shorter ones.
    const probability = new Map<string, Map<number, number>>();
    for (const order of [1, 2, 3]) {
      for (const [key, { field, b2, b1, total, next, order: own }] of this.contexts) {
        if (own !== order) {
          continue;
        }
        const kinds = next.size;
        const shorter =
          order === 1 ? undefined : probability.get(order === 2 ? `${field},1,0,0` : `${field},2,0,${b1}`);
        const kept = new Map<number, number>();
        for (const [code, count] of next) {
          const backed = order === 1 ? 2 ** -UNKNOWN_BITS : (shorter?.get(code) ?? 2 ** -UNKNOWN_BITS);
          const p = (count + kinds * backed) / (total + kinds);
          kept.set(code, p);
          if (order < 3 || count >= rarest) {
            put(gram(startOf(field, order), b2, b1, code), -Math.log2(p));
          }
        }
        put(gram(startOf(field, order), b2, b1, ESCAPE), Math.log2((total + kinds) / kinds));
        probability.set(key, kept);
      }
    }
    return table;
  }
}

export interface Surprise {
  /** Bits for each character, on average. */
  readonly mean: number;
  /** Greatest mean over four characters in a row. */
  readonly burst: number;
}

/** Surprise of a text as a value of `field`. */
export function surprise(table: Uint8Array, field: number, text: string): Surprise {
  const mask = table.length - 1;
  const one = startOf(field, 1);
  const two = startOf(field, 2);
  const three = startOf(field, 3);
  let b2 = EDGE;
  let b1 = EDGE;
  let sum = 0;
  let burst = 0;
  let w1 = 0;
  let w2 = 0;
  let w3 = 0;
  const end = Math.min(text.length, NGRAM_CHARACTERS);
  for (let i = 0; i <= end; i++) {
    const code = i < end ? fold(text.charCodeAt(i)) : EDGE;
    let bits = 0;
    let value = table[gram(three, b2, b1, code) & mask] as number;
    if (value === 0) {
      bits += Math.max(0, (table[gram(three, b2, b1, ESCAPE) & mask] as number) - 1) / UNITS;
      value = table[gram(two, 0, b1, code) & mask] as number;
      if (value === 0) {
        bits += Math.max(0, (table[gram(two, 0, b1, ESCAPE) & mask] as number) - 1) / UNITS;
        value = table[gram(one, 0, 0, code) & mask] as number;
        if (value === 0) {
          bits += UNKNOWN_BITS + Math.max(0, (table[gram(one, 0, 0, ESCAPE) & mask] as number) - 1) / UNITS;
        }
      }
    }
    if (value > 0) {
      bits += (value - 1) / UNITS;
    }
    sum += bits;
    const window = (bits + w1 + w2 + w3) / Math.min(4, i + 1);
    if (i >= Math.min(3, end) && window > burst) {
      burst = window;
    }
    w3 = w2;
    w2 = w1;
    w1 = bits;
    b2 = b1;
    b1 = code;
  }
  return { mean: sum / (end + 1), burst };
}
