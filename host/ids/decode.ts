/**
 * Decoders that undo what attackers wrap a payload in. None of them ever throws; all are linear in the length.
 *
 * `decodeForm` reads a value once, as the application will. `canonical` goes on until nothing changes (at most
 * `MAX_ROUNDS` times) through percent, `%uXXXX`, overlong UTF-8, HTML entities and the escapes of JavaScript, so that
 * one rule sees all spellings of one payload.
 */

const MAX_ROUNDS = 4;

const HEX_VALUE = new Int8Array(128).fill(-1);
for (let digit = 0; digit < 16; digit++) {
  const character = digit.toString(16);
  HEX_VALUE[character.charCodeAt(0)] = digit;
  HEX_VALUE[character.toUpperCase().charCodeAt(0)] = digit;
}

function hexAt(text: string, at: number, digits: number): number {
  let value = 0;
  for (let i = at; i < at + digits; i++) {
    const code = text.charCodeAt(i);
    const digit = code < 128 ? (HEX_VALUE[code] as number) : -1;
    if (digit < 0 || Number.isNaN(code)) {
      return -1;
    }
    value = value * 16 + digit;
  }
  return value;
}

/** Length of the UTF-8 sequence that a byte begins; 0 where it begins none. */
function sequenceLength(byte: number): number {
  return byte < 0x80 ? 1 : byte < 0xc0 ? 0 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : byte < 0xf8 ? 4 : 0;
}

/** UTF-8 where it is well formed or merely overlong (`c0 ae` is a dot), Latin-1 byte by byte where it is neither. */
function decodeBytes(bytes: readonly number[]): string {
  let text = "";
  for (let i = 0; i < bytes.length; ) {
    const first = bytes[i] as number;
    const length = sequenceLength(first);
    let value = length > 1 ? first & (0x7f >> length) : first;
    let whole = length > 0 && i + length <= bytes.length;
    for (let j = 1; whole && j < length; j++) {
      const next = bytes[i + j] as number;
      whole = (next & 0xc0) === 0x80;
      value = value * 64 + (next & 0x3f);
    }
    if (whole && value <= 0x10ffff) {
      text += String.fromCodePoint(value);
      i += length;
    } else {
      text += String.fromCharCode(first);
      i++;
    }
  }
  return text;
}

/** Percent decoding once; `%uXXXX` too. What is not a valid escape stays. */
export function decodePercent(text: string): string {
  let at = text.indexOf("%");
  if (at < 0) {
    return text;
  }
  let result = "";
  let from = 0;
  while (at >= 0) {
    const wide = (text.charCodeAt(at + 1) | 0x20) === 0x75 ? hexAt(text, at + 2, 4) : -1;
    if (wide >= 0) {
      result += text.slice(from, at) + String.fromCharCode(wide);
      from = at + 6;
      at = text.indexOf("%", from);
      continue;
    }
    const bytes: number[] = [];
    let end = at;
    for (let byte = hexAt(text, end + 1, 2); byte >= 0; ) {
      bytes.push(byte);
      end += 3;
      byte = text.charCodeAt(end) === 0x25 ? hexAt(text, end + 1, 2) : -1;
    }
    if (bytes.length > 0) {
      result += text.slice(from, at) + decodeBytes(bytes);
      from = end;
      at = text.indexOf("%", end);
    } else {
      at = text.indexOf("%", at + 1);
    }
  }
  return result + text.slice(from);
}

/** A value of a query or an urlencoded form, read once as the application will. */
export function decodeForm(text: string): string {
  return decodePercent(text.includes("+") ? text.replaceAll("+", " ") : text);
}

const ENTITIES: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  amp: "&",
  quot: '"',
  apos: "'",
  nbsp: " ",
  tab: "\t",
  newline: "\n",
  colon: ":",
  semi: ";",
  lpar: "(",
  rpar: ")",
  sol: "/",
  bsol: "\\",
  equals: "=",
  grave: "`",
  period: ".",
  comma: ",",
  excl: "!",
  lbrace: "{",
  rbrace: "}",
  lcub: "{",
  rcub: "}",
  lsqb: "[",
  rsqb: "]",
  dollar: "$",
  percnt: "%",
  num: "#",
  verbar: "|",
  vert: "|",
};

function character(code: number, otherwise: string): string {
  return code >= 0 && code <= 0x10ffff ? String.fromCodePoint(code) : otherwise;
}

/** HTML entities by name (those that matter to a payload) and by number, with or without the semicolon. */
export function decodeEntities(text: string): string {
  if (!text.includes("&")) {
    return text;
  }
  return text.replace(
    /&(?:#x0{0,8}([0-9a-f]{1,6})|#0{0,8}(\d{1,7})|([a-z]{2,7}));?/gi,
    (whole, hex, decimal, name) => {
      if (hex !== undefined) {
        return character(Number.parseInt(hex, 16), whole);
      }
      if (decimal !== undefined) {
        return character(Number(decimal), whole);
      }
      // A name needs its semicolon: "&lt" as a parameter's name is no bracket.
      return whole.endsWith(";") ? (ENTITIES[name.toLowerCase()] ?? whole) : whole;
    },
  );
}

/** `\u003c`, `\u{3c}`, `\x3c` and `\74` of JavaScript; `0x2e` glued to path characters is left to the rules. */
export function decodeEscapes(text: string): string {
  if (!text.includes("\\")) {
    return text;
  }
  return text.replace(
    /\\(?:u\{0{0,8}([0-9a-f]{1,6})\}|u([0-9a-f]{4})|x([0-9a-f]{2}))/gi,
    (whole, braced, wide, short) => character(Number.parseInt(braced ?? wide ?? short, 16), whole),
  );
}

/** True where some character is not ASCII: only then is Unicode normalisation worth its cost. */
function isWide(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) {
      return true;
    }
  }
  return false;
}

export interface Canonical {
  /** Lower case, white space in one form, compatibility forms unified (NFKC), NUL removed. */
  readonly text: string;
  /** Rounds of decoding that changed something beyond the first reading; two or more are suspicious in themselves. */
  readonly rounds: number;
}

/** All encodings undone, in bounded steps. */
export function canonical(value: string): Canonical {
  let text = value;
  let rounds = 0;
  while (rounds < MAX_ROUNDS) {
    const next = decodeEscapes(decodeEntities(decodePercent(text)));
    if (next === text) {
      break;
    }
    text = next;
    rounds++;
  }
  if (isWide(text)) {
    text = text
      .normalize("NFKC")
      .replace(/[\u2018\u2019\u02bc]/g, "'")
      .replace(/[\u201c\u201d]/g, '"');
  }
  if (text.includes("\0")) {
    text = text.replaceAll("\0", "");
  }
  return { text: text.toLowerCase(), rounds };
}
