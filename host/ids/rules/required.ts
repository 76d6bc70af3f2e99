import { type GramSet, gramsOf } from "./grams.ts";

/**
 * What a text must hold for a pattern to match, read off the pattern itself: literals joined by "and" and "or" (the
 * idea of Cox, "Regular Expression Matching with a Trigram Index", 2012). Most rules are ruled out by it for most
 * texts, without running them. It forgets whatever it cannot express, so it never rules out a text that matches.
 */
export type Required =
  | { readonly kind: "any" }
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "all" | "some"; readonly of: readonly Required[] };

const ANYTHING: Required = { kind: "any" };
/** Sets of strings beyond this size are not multiplied out. */
const MAX_STRINGS = 512;
const MAX_CLASS = 8;
const MAX_REPEAT = 4;

/** What is known of a part of a pattern. */
interface Known {
  /** Every string that it matches, where those are few. */
  readonly exact?: readonly string[];
  readonly required: Required;
}

const NOTHING: Known = { exact: [""], required: ANYTHING };
const UNKNOWN: Known = { required: ANYTHING };

function all(of: readonly Required[]): Required {
  const parts = of.filter(({ kind }) => kind !== "any");
  return parts.length === 0
    ? ANYTHING
    : parts.length === 1
      ? (parts[0] as Required)
      : { kind: "all", of: parts };
}

function some(of: readonly Required[]): Required {
  return of.length === 0 || of.some(({ kind }) => kind === "any")
    ? ANYTHING
    : of.length === 1
      ? (of[0] as Required)
      : { kind: "some", of };
}

/** At least one of these strings. */
export function oneOf(strings: readonly string[]): Required {
  return strings.some((text) => text === "")
    ? ANYTHING
    : some(shortest(strings).map((text) => ({ kind: "literal", text })));
}

/** Without those that hold another one: "a or ab" asks for no more than "a". */
function shortest(strings: readonly string[]): string[] {
  const kept: string[] = [];
  for (const text of [...new Set(strings)].sort((a, b) => a.length - b.length)) {
    if (!kept.some((shorter) => text.includes(shorter))) {
      kept.push(text);
    }
  }
  return kept;
}

function requiredOf({ exact, required }: Known): Required {
  return exact === undefined ? required : oneOf(exact);
}

function product(one: readonly string[], other: readonly string[]): string[] | undefined {
  return one.length * other.length > MAX_STRINGS
    ? undefined
    : one.flatMap((head) => other.map((tail) => head + tail));
}

const CONTROLS: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  f: "\f",
  "0": "\0",
};

class Reader {
  private at = 0;
  private readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  alternatives(): Known {
    const ways = [this.sequence()];
    while (this.source[this.at] === "|") {
      this.at++;
      ways.push(this.sequence());
    }
    if (ways.length === 1) {
      return ways[0] as Known;
    }
    const exact = ways.flatMap((way) => way.exact ?? []);
    const isExact = ways.every((way) => way.exact !== undefined) && exact.length <= MAX_STRINGS;
    const required = some(ways.map(requiredOf));
    return isExact ? { exact, required } : { required };
  }

  private sequence(): Known {
    const needed: Required[] = [];
    let run: readonly string[] = [""];
    let isExact = true;
    const flush = (): void => {
      needed.push(oneOf(run));
      isExact = false;
    };
    while (this.at < this.source.length && this.source[this.at] !== "|" && this.source[this.at] !== ")") {
      const next = this.repeated(this.atom());
      const longer = next.exact === undefined ? undefined : product(run, next.exact);
      if (longer !== undefined) {
        run = longer;
        continue;
      }
      flush();
      run = next.exact ?? [""];
      needed.push(next.exact === undefined ? next.required : ANYTHING);
    }
    if (isExact) {
      return { exact: run, required: ANYTHING };
    }
    return { required: all([...needed, oneOf(run)]) };
  }

  private repeated(what: Known): Known {
    const found = /^(?:([?*+])|\{(\d+)(,(\d*))?\})\??/.exec(this.source.slice(this.at));
    if (found === null) {
      return what;
    }
    this.at += found[0].length;
    const [, sign, from, comma, to] = found;
    const least = sign === "+" ? 1 : sign === undefined ? Number(from) : 0;
    const most =
      sign === "?" ? 1 : sign !== undefined || (comma !== undefined && to === "") ? 99 : Number(to ?? from);
    if (what.exact !== undefined && most <= MAX_REPEAT) {
      let power: string[] | undefined = [""];
      const strings: string[] = [];
      for (let times = 0; times <= most && power !== undefined; times++) {
        if (times >= least) {
          strings.push(...power);
        }
        power = times < most ? product(power, what.exact) : power;
      }
      if (power !== undefined && strings.length <= MAX_STRINGS) {
        return { exact: [...new Set(strings)], required: ANYTHING };
      }
    }
    if (least === 0) {
      return UNKNOWN;
    }
    const twice = what.exact === undefined || least < 2 ? undefined : product(what.exact, what.exact);
    return { required: twice === undefined ? requiredOf(what) : oneOf(twice) };
  }

  private atom(): Known {
    const now = this.source[this.at] as string;
    if (now === "(") {
      return this.group();
    }
    if (now === "[") {
      return this.characterClass();
    }
    this.at++;
    if (now === "\\") {
      const text = this.escape();
      return text === undefined ? UNKNOWN : { exact: [text], required: ANYTHING };
    }
    if (now === "^" || now === "$") {
      return NOTHING;
    }
    return now === "." ? UNKNOWN : { exact: [now], required: ANYTHING };
  }

  private group(): Known {
    const head = /^\((?:\?(?::|<?[=!]|<\w+>))?/.exec(this.source.slice(this.at))?.[0] ?? "(";
    this.at += head.length;
    const inside = this.alternatives();
    this.at++;
    // Looking around takes no character; what it asks for is left out.
    return /[=!]$/.test(head) ? NOTHING : inside;
  }

  /** What follows a backslash: its text, "" where it takes no character, undefined where it is a class. */
  private escape(): string | undefined {
    const now = this.source[this.at] as string;
    this.at++;
    const hex = now === "x" ? 2 : now === "u" && this.source[this.at] !== "{" ? 4 : 0;
    if (hex > 0) {
      const code = Number.parseInt(this.source.slice(this.at, this.at + hex), 16);
      this.at += hex;
      return String.fromCharCode(code);
    }
    if (now === "p" || now === "P" || now === "u") {
      this.at = this.source.indexOf("}", this.at) + 1;
      return undefined;
    }
    if (now === "b" || now === "B") {
      return "";
    }
    if (CONTROLS[now] !== undefined) {
      return CONTROLS[now];
    }
    return /[a-z1-9]/i.test(now) ? undefined : now;
  }

  private characterClass(): Known {
    this.at++;
    const negated = this.source[this.at] === "^";
    const members: string[] = [];
    let few = !negated;
    while (this.source[this.at] !== "]") {
      const one = this.member();
      const isRange = this.source[this.at] === "-" && this.source[this.at + 1] !== "]";
      if (isRange) {
        this.at++;
        this.member();
      }
      few &&= one !== undefined && !isRange;
      members.push(one ?? "");
    }
    this.at++;
    return few && members.length <= MAX_CLASS ? { exact: members, required: ANYTHING } : UNKNOWN;
  }

  private member(): string | undefined {
    const now = this.source[this.at] as string;
    this.at++;
    if (now !== "\\") {
      return now;
    }
    if (this.source[this.at] === "b") {
      this.at++;
      return "\b";
    }
    return this.escape();
  }
}

/** Reads a pattern; one with the flags `i` and `u` together folds more than ASCII and is left unread. */
export function requiredBy(pattern: RegExp): Required {
  return pattern.ignoreCase && pattern.unicode
    ? ANYTHING
    : requiredOf(new Reader(pattern.source).alternatives());
}

/** Ends of a walk through a program. */
const NO = -1;
const YES = -2;

/**
 * Many requirements as one table of branches: look for a gram, go on at one place if it is there and at another if
 * not. A walk is a loop over three arrays, without a call or an object.
 */
export class Requirements {
  private readonly grams: number[] = [];
  private readonly present: number[] = [];
  private readonly absent: number[] = [];
  private table: readonly [Int32Array, Int32Array, Int32Array] | undefined;

  /** Where the walk of this requirement begins. */
  add(required: Required): number {
    this.table = undefined;
    return this.branch(required, YES, NO);
  }

  /** Whether a text that holds these grams may hold what is required there. */
  isMet(start: number, set: GramSet): boolean {
    this.table ??= [Int32Array.from(this.grams), Int32Array.from(this.present), Int32Array.from(this.absent)];
    const [grams, present, absent] = this.table;
    const { marks, now } = set;
    let at = start;
    while (at >= 0) {
      at = (marks[grams[at] as number] === now ? present[at] : absent[at]) as number;
    }
    return at === YES;
  }

  /** From the end to the beginning, as each branch must know where the next ones are. */
  private branch(required: Required, yes: number, no: number): number {
    switch (required.kind) {
      case "any":
        return yes;
      case "literal":
        return gramsOf(required.text).reduceRight((next, gram) => this.push(gram, next, no), yes);
      case "all":
        return required.of.reduceRight((next, part) => this.branch(part, next, no), yes);
      case "some":
        return required.of.reduceRight((next, part) => this.branch(part, yes, next), no);
    }
  }

  private push(gram: number, yes: number, no: number): number {
    this.grams.push(gram);
    this.present.push(yes);
    this.absent.push(no);
    return this.grams.length - 1;
  }
}
