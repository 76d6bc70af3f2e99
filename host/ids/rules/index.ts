import { createHash } from "node:crypto";
import type { Part } from "../request.ts";
import { CODE_RULES, DIRECTORY_RULES, PROTOCOL_RULES } from "./code.ts";
import { COMMAND_RULES } from "./command.ts";
import { FURTHER_RULES } from "./further.ts";
import { Keys, MAX_KEYED } from "./keys.ts";
import { NOSQL_RULES, PATH_RULES, SSRF_RULES, TEMPLATE_RULES } from "./path.ts";
import { FACT_RULES } from "./protocol.ts";
import { oneOf, type Required, Requirements, requiredBy } from "./required.ts";
import { type Rule, type View, Views } from "./rule.ts";
import { SQL_RULES } from "./sql.ts";
import { XSS_RULES } from "./xss.ts";

export type { AttackClass, Rule, View } from "./rule.ts";

export const RULES: readonly Rule[] = [
  ...SQL_RULES,
  ...NOSQL_RULES,
  ...XSS_RULES,
  ...COMMAND_RULES,
  ...PATH_RULES,
  ...SSRF_RULES,
  ...TEMPLATE_RULES,
  ...CODE_RULES,
  ...DIRECTORY_RULES,
  ...PROTOCOL_RULES,
  ...FACT_RULES,
  ...FURTHER_RULES,
];

/**
 * Names what a rule does by its content: SHA-256 of its canonical JSON (keys sorted; samples left out, for they do
 * not decide anything). Members compare hashes, so that an edited rule does not count as the same witness.
 */
export function ruleHash(rule: Rule): string {
  const { id, attack, version, confidence, view, places, holds, words, pattern } = rule;
  const content = {
    attack,
    confidence,
    flags: pattern.flags,
    holds: holds ?? null,
    id,
    pattern: pattern.source,
    places: places === undefined ? null : [...places].sort(),
    version,
    view,
    words: words ?? null,
  };
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
}

/** Hash of a whole set, independent of its order. */
export function ruleSetHash(rules: readonly Rule[] = RULES): string {
  return createHash("sha256").update(rules.map(ruleHash).sort().join("\n")).digest("hex");
}

/** One rule that fired, and where. */
export interface Hit {
  readonly rule: string;
  readonly attack: Rule["attack"];
  readonly confidence: number;
  readonly place: Part["place"];
  readonly name: string;
}

interface Prepared {
  readonly rule: Rule;
  /** Its number, which is its bit. */
  readonly number: number;
  /** Where to ask whether a text may hold what the pattern requires, and whether it may hold a word. */
  readonly possible: number;
  readonly worded: number;
  /** Marks that a value must share a bit with; all bits where a rule asks for nothing. */
  readonly first: number;
  readonly second: number;
  readonly third: number;
}

/** Characters that rules ask for, one bit each; letters, digits and blanks have none. */
const MARKED = "'\"`<>()[]{};|&$#*/\\.:=!%@-";
const EXTRA = ["\n", "+", ",", "?", "^", "~", "_"];
const BIT_OF = new Int32Array(128);
for (const [index, marked] of [...MARKED].entries()) {
  BIT_OF[marked.charCodeAt(0)] = 1 << index;
}
for (const [index, marked] of EXTRA.entries()) {
  BIT_OF[marked.charCodeAt(0)] = 1 << (MARKED.length + Math.min(index, 31 - MARKED.length));
}

/** Control characters other than the white space of text share the last bit. */
for (let code = 0; code < 32; code++) {
  if (code !== 9) {
    BIT_OF[code] = 1 << 31;
  }
}

/** Which marked characters a text holds. */
export function marksOf(text: string): number {
  let mask = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 128) {
      mask |= BIT_OF[code] as number;
    }
  }
  return mask;
}

/** A rule without `holds` can fire on words alone; values without any of these words' beginnings are spared it. */
const WORDY =
  /\b(?:union|select|order|group|having|case|into|in|load|then|drop|alter|update|insert|delete|create|procedure|collate|where|or|and|waitfor|information_schema|from|sysibm|exec|table|xp_|sp_|rdb|limit|rlike|xor|regexp|like|group)\b|@@|xp_|sp_|rdb|\d[a-z]/;

/** Numbers, dates and times: half the values of an API, and nothing that a rule could find. */
const NUMBER = /^[+-]?\d(?:[-:.+t]?\d){0,30}z?$/;

function isHarmless(part: Part, mask: number): boolean {
  return (
    part.place !== "protocol" &&
    part.value.length === part.canon.length &&
    (NUMBER.test(part.canon) || (mask === 0 && !WORDY.test(part.canon)))
  );
}

function prepare(
  rules: readonly Rule[],
  required: readonly Required[],
  requirements: Requirements,
): Prepared[] {
  return rules.map((rule, number) => {
    const [first = -1, second = -1, third = -1] = (rule.holds ?? []).map(marksOf);
    return {
      rule,
      number,
      first,
      second,
      third,
      possible: requirements.add(required[number] as Required),
      worded: requirements.add(oneOf(rule.words ?? [])),
    };
  });
}

/** Finds the rules that a request's values fire. */
export interface Inspector {
  readonly hash: string;
  /** At most one hit for each rule: the first. */
  inspect(parts: readonly Part[]): Hit[];
}

/** Words are asked for only in values longer than this: in short ones a rule may fire without them. */
const SHORT = 160;
/** Sets of marks that are remembered with the rules they call for. */
const MAX_CALLS = 4096;

/** Rules that values of one place with the same marks could fire. */
interface Called {
  readonly bits: Int32Array;
  /** Rules without a bit. */
  readonly further: readonly Prepared[];
  readonly views: readonly View[];
}

export function createInspector(rules: readonly Rule[] = RULES): Inspector {
  const requirements = new Requirements();
  const required = rules.map(({ pattern }) => requiredBy(pattern));
  const prepared = prepare(rules, required, requirements);
  const calls = new Map<Part["place"], Map<number, Called>>();
  const views = new Views(new Keys(required));

  const makeCalled = (place: Part["place"], mask: number): Called => {
    const list = prepared.filter(
      ({ rule: { places }, first, second, third }) =>
        (places === undefined || places.includes(place)) &&
        (first === -1 || ((mask & first) !== 0 && (mask & second) !== 0 && (mask & third) !== 0)),
    );
    const bits = new Int32Array(MAX_KEYED / 32);
    for (const { number } of list) {
      bits[number >> 5] = (bits[number >> 5] ?? 0) | (1 << (number & 31));
    }
    return {
      bits,
      further: list.filter(({ number }) => number >= MAX_KEYED),
      views: [...new Set(list.map(({ rule }) => rule.view))],
    };
  };

  const calledBy = (place: Part["place"], mask: number): Called => {
    let byMask = calls.get(place);
    if (byMask === undefined) {
      byMask = new Map();
      calls.set(place, byMask);
    }
    let called = byMask.get(mask);
    if (called === undefined) {
      called = makeCalled(place, mask);
      if (byMask.size >= MAX_CALLS) {
        byMask.clear();
      }
      byMask.set(mask, called);
    }
    return called;
  };

  const fires = ({ rule: { words, pattern, view }, possible, worded }: Prepared): boolean => {
    const { grams } = views;
    if (!requirements.isMet(possible, grams)) {
      return false;
    }
    const text = views.get(view);
    return (
      (words === undefined ||
        text.length < SHORT ||
        (requirements.isMet(worded, grams) && words.some((word) => text.includes(word)))) &&
      pattern.test(text)
    );
  };

  return {
    hash: ruleSetHash(rules),
    inspect(parts) {
      const hits: Hit[] = [];
      const fired = new Set<string>();
      const ask = (one: Prepared, { place, name }: Part): void => {
        const { id: rule, attack, confidence } = one.rule;
        if (!fired.has(rule) && fires(one)) {
          fired.add(rule);
          hits.push({ rule, attack, confidence, place, name });
        }
      };
      for (const part of parts) {
        // Where nothing was decoded, lower case and NFKC take no mark away.
        const asSent = part.rounds === 0 && part.value.length === part.canon.length;
        const mask = asSent ? marksOf(part.canon) : marksOf(part.canon) | marksOf(part.value);
        if (isHarmless(part, mask)) {
          continue;
        }
        const called = calledBy(part.place, mask);
        views.turnTo(part);
        // All views are made before the grams are asked, for each adds its own.
        for (const view of called.views) {
          views.get(view);
        }
        for (const [word, bits] of called.bits.entries()) {
          for (let left = bits & (views.grams.called[word] as number); left !== 0; left &= left - 1) {
            ask(prepared[word * 32 + 31 - Math.clz32(left & -left)] as Prepared, part);
          }
        }
        for (const one of called.further) {
          ask(one, part);
        }
      }
      return hits;
    },
  };
}

/**
 * One belief from all hits: 1 minus the product of their doubts, taken once for each class of attack (rules of one
 * class see the same thing, so a second one adds little).
 */
export function beliefOf(hits: readonly Hit[]): number {
  const best = new Map<string, number>();
  for (const hit of hits) {
    best.set(hit.attack, Math.max(best.get(hit.attack) ?? 0, hit.confidence));
  }
  let doubt = 1;
  for (const confidence of best.values()) {
    doubt *= 1 - confidence;
  }
  // Further hits of one class move the belief a little, so that the ranking among sure attacks stays fine.
  return 1 - doubt * 0.9 ** Math.min(20, Math.max(0, hits.length - best.size));
}
