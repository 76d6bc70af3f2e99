import type { Part, Place } from "../request.ts";

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

/** The spellings of one value, each made when a rule first asks for it. */
export interface Views {
  readonly part: Part;
  get(view: View): string;
}

/** White space as one blank. Without it, nothing is copied. */
function collapse(text: string): string {
  return /[\t\n\v\f\r\u00a0]|\s\s/.test(text) ? text.replace(/\s+/g, " ") : text;
}

function sqlView(plain: string): string {
  let text = plain;
  if (text.includes("/*")) {
    // MySQL runs what stands in /*!50000 ... */.
    text = text
      .replace(/\/\*!\d{0,6}/g, " ")
      .replace(/\/\*[^*]*(?:\*(?!\/)[^*]*)*\*\//g, " ")
      .replaceAll("*/", " ");
    text = text.replace(/ +/g, " ");
  }
  return text.replace(/ ?([()=<>,;'"|&!+*-]) ?/g, "$1");
}

function shellView(plain: string): string {
  return plain.replace(/\$\{?ifs\}?(?:\$\d)?/g, " ").replace(/['"\\^]|\$@|\$\*|\$\{[a-z]{0,3}\}/g, "");
}

export function createViews(part: Part): Views {
  const kept: Partial<Record<View, string>> = {};
  const make = (view: View): string => {
    switch (view) {
      case "raw":
        // NUL as its visible picture, so that patterns stay legible.
        return part.value.includes("\0") ? part.value.replaceAll("\0", "␀") : part.value;
      case "plain":
        return collapse(part.canon);
      case "sql":
        return sqlView(get("plain"));
      case "shell":
        return shellView(get("plain"));
    }
  };
  const get = (view: View): string => {
    let text = kept[view];
    if (text === undefined) {
      text = make(view);
      kept[view] = text;
    }
    return text;
  };
  return { part, get };
}
