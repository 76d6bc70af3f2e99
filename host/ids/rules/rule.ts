import type { Part, Place } from "../request.ts";
import { GramSet } from "./grams.ts";
import type { Keys } from "./keys.ts";

/** Kinds of attack, as OWASP's Core Rule Set groups them. */
export type AttackClass =
  | "sql"
  | "nosql"
  | "xss"
  | "command"
  | "path"
  | "ssrf"
  | "template"
  | "protocol"
  | "code"
  | "deserialisation"
  | "ldap"
  | "xpath"
  | "scanner";

/**
 * A spelling of a value that a rule looks at.
 * - `plain`: all encodings undone, lower case, white space as one blank.
 * - `sql`: plain without comments, and without blanks beside punctuation.
 * - `shell`: plain without quotes, backslashes and carets, `${IFS}` as a blank.
 * - `raw`: as the application reads it, case and white space kept.
 */
export type View = "plain" | "sql" | "shell" | "raw";

export interface Rule {
  readonly id: string;
  readonly attack: AttackClass;
  /** Grows with every change of meaning. */
  readonly version: number;
  /** How sure one hit makes us that the request is an attack, in (0, 1). */
  readonly confidence: number;
  readonly view: View;
  /** Where it looks; everywhere but in the method if absent. */
  readonly places?: readonly Place[];
  /** Only values that hold at least one character of each of these strings are looked at: cheap, before the pattern. */
  readonly holds?: readonly string[];
  /** Only texts that hold one of these are looked at: cheaper still than the pattern's own search. */
  readonly words?: readonly string[];
  /** Linear by construction: no quantifier without a bound (a test proves it). */
  readonly pattern: RegExp;
  /** Values that it must find, in its places; encoded ones are decoded as in a query. */
  readonly fires: readonly string[];
  /** Values that it must leave alone. */
  readonly quiet: readonly string[];
}

/** White space as one blank. Without it, nothing is copied. */
function collapse(text: string): string {
  return /[\t\n\v\f\r\u00a0]|\s\s/.test(text) ? text.replace(/\s+/g, " ") : text;
}

const TIGHT = tableOf("()=<>,;'\"|&!+*-");
const SHELL_QUOTES = tableOf("'\"\\^");

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(128);
  for (const character of characters) {
    table[character.charCodeAt(0)] = 1;
  }
  return table;
}

function isIn(table: Uint8Array, code: number): boolean {
  return code < 128 && table[code] === 1;
}

/** Places where something was cut out and two ends meet, in the text that is left. */
type Seams = number[];

/** There are no two blanks in a row, so one beside punctuation goes, whichever side it is on. */
function tighten(text: string, seams: Seams): string {
  let tight = "";
  let from = 0;
  for (let at = text.indexOf(" "); at >= 0; at = text.indexOf(" ", at + 1)) {
    if (isIn(TIGHT, text.charCodeAt(at - 1)) || isIn(TIGHT, text.charCodeAt(at + 1))) {
      tight += text.slice(from, at);
      seams.push(tight.length);
      from = at + 1;
    }
  }
  return from === 0 ? text : tight + text.slice(from);
}

function unquote(text: string, seams: Seams): string {
  let bare = "";
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if (isIn(SHELL_QUOTES, text.charCodeAt(at))) {
      bare += text.slice(from, at);
      seams.push(bare.length);
      from = at + 1;
    }
  }
  return from === 0 ? text : bare + text.slice(from);
}

function withoutComments(plain: string): string {
  // MySQL runs what stands in /*!50000 ... */.
  return plain
    .replace(/\/\*!\d{0,6}/g, " ")
    .replace(/\/\*[^*]*(?:\*(?!\/)[^*]*)*\*\//g, " ")
    .replaceAll("*/", " ")
    .replace(/ +/g, " ");
}

function expandShell(plain: string): string {
  return plain.replace(/\$\{?ifs\}?(?:\$\d)?/g, " ").replace(/['"\\^]|\$@|\$\*|\$\{[a-z]{0,3}\}/g, "");
}

/**
 * The spellings of one value, each made when a rule first asks for it, and which grams they hold. One is used for all
 * values in turn, so that nothing is allocated for a value that no rule looks at.
 */
export class Views {
  /** Grams of all views made so far: they differ little, and one set tells of all what it tells of the plain one. */
  readonly grams: GramSet;
  private part: Part | undefined;
  private raw: string | undefined;
  private plain = "";
  private sql: string | undefined;
  private shell: string | undefined;

  constructor(keys: Keys) {
    this.grams = new GramSet(keys);
  }

  turnTo(part: Part): void {
    this.part = part;
    this.plain = collapse(part.canon);
    this.raw = undefined;
    this.sql = undefined;
    this.shell = undefined;
    this.grams.clear();
    this.grams.add(this.plain);
  }

  /** The view; its grams have been taken in. */
  get(view: View): string {
    switch (view) {
      case "plain":
        return this.plain;
      case "raw":
        this.raw ??= this.makeRaw(this.part as Part);
        return this.raw;
      case "sql":
        this.sql ??= this.makeSql();
        return this.sql;
      case "shell":
        this.shell ??= this.makeShell();
        return this.shell;
    }
  }

  private makeRaw({ value, canon, rounds }: Part): string {
    // NUL as its visible picture, so that patterns stay legible.
    const raw = value.includes("\0") ? value.replaceAll("\0", "␀") : value;
    // Where a value of ASCII was not decoded, the plain view is the value in lower case, and grams have no case.
    if (rounds > 0 || this.plain !== canon || /[\0\u0080-\uffff]/.test(value)) {
      this.grams.add(raw);
    }
    return raw;
  }

  private makeSql(): string {
    const hasComments = this.plain.includes("/*");
    const text = hasComments ? withoutComments(this.plain) : this.plain;
    if (hasComments) {
      this.grams.add(text);
    }
    const seams: Seams = [];
    const tight = tighten(text, seams);
    this.sew(tight, seams);
    return tight;
  }

  private makeShell(): string {
    if (this.plain.includes("$")) {
      const expanded = expandShell(this.plain);
      this.grams.add(expanded);
      return expanded;
    }
    const seams: Seams = [];
    const bare = unquote(this.plain, seams);
    this.sew(bare, seams);
    return bare;
  }

  /** All grams of a text of which pieces were cut out are in the whole text, but for those across the seams. */
  private sew(text: string, seams: Seams): void {
    for (const seam of seams) {
      this.grams.add(text, Math.max(0, seam - 2), Math.min(text.length, seam + 2));
    }
  }
}
