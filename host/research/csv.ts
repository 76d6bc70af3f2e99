import { MedcloudletError } from "../base/index.ts";

/** A record longer than this means an unbalanced quote, not data. In UTF-16 code units. */
const MOST_IN_A_RECORD = 1024 * 1024;
const NEEDS_QUOTES = /[",\r\n]/;
const LINE_BREAK = /\r\n|[\r\n]/g;

/** A field of CSV (RFC 4180) under a comma: in quotes where it must be. */
export function csvField(text: string): string {
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * The text on its own: a field that was cut out of a larger text keeps all of that in memory. For what is kept while the
 * file goes by.
 */
export function keptText(text: string): string {
  // Shorter ones are copied by V8 anyway.
  return text.length < 13 ? text : Buffer.from(text).toString();
}

/** Takes a file's text piece by piece and hands out its records. */
export interface CsvParser {
  /** @throws MedcloudletError `RESEARCH_CSV_SYNTAX`, and what the taker throws */
  write(text: string): void;
  /** The file is over. @throws as `write` */
  end(): void;
}

interface Found {
  readonly record: string[];
  /** Where the next one begins. */
  readonly next: number;
  /** Line breaks within it. */
  readonly breaks: number;
  /** An empty line is no record. */
  readonly empty: boolean;
}

/** ASCII blanks, which `trim` drops. */
const isBlank = (code: number): boolean =>
  code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d || code === 0x0c;

function trimmed(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) {
    from++;
  }
  while (to > from && isBlank(text.charCodeAt(to - 1))) {
    to--;
  }
  return to - from === text.length ? text : text.slice(from, to);
}

/**
 * Reads CSV (RFC 4180): a record a line, with the line ending that the first one has (CRLF, LF or CR); a field in quotes
 * may hold anything, a quote doubled. Empty lines and a byte order mark are passed over, every record must be as long as
 * the first. Records without quotes, nearly all there are, are split and not looked at letter by letter: the general
 * parser that was here before took a third of a release's time. A test compares the two.
 *
 * @param options `delimiter`: one character; `trim`: drops ASCII blanks around fields, not within quotes
 * @param take is given each record and the line on which it ends; see `keptText` for what it keeps
 */
export function createCsvParser(
  { delimiter, trim }: { readonly delimiter: string; readonly trim: boolean },
  take: (record: readonly string[], line: number) => void,
): CsvParser {
  let rest = "";
  let ending: string | null = null;
  let width: number | null = null;
  let line = 1;
  let isFirst = true;

  const fault = (what: string, at = line) =>
    new MedcloudletError("RESEARCH_CSV_SYNTAX", `The file is not well-formed CSV: ${what} at line ${at}.`, {
      status: 400,
      details: { line: at },
    });

  /** Length of the line ending at a place; 0 where there is none, null where the text ends too early to tell. */
  const breakAt = (text: string, at: number, over: boolean): number | null => {
    const letter = text[at];
    if (letter !== "\n" && letter !== "\r") {
      return 0;
    }
    const unsure = letter === "\r" && at + 1 === text.length && !over;
    if (ending === null) {
      if (unsure) {
        return null;
      }
      ending = letter === "\n" ? "\n" : text[at + 1] === "\n" ? "\r\n" : "\r";
    }
    return text.startsWith(ending, at) ? ending.length : unsure && ending === "\r\n" ? null : 0;
  };

  /** Behind blanks that `trim` drops. Null as in `breakAt`. */
  const behindBlanks = (text: string, from: number, over: boolean): number | null => {
    let at = from;
    while (trim && isBlank(text.charCodeAt(at)) && text[at] !== delimiter) {
      const found = breakAt(text, at, over);
      if (found !== 0) {
        return found === null ? null : at;
      }
      at++;
    }
    return at;
  };

  /** A field in quotes whose content begins at `from`. Null where the text ends within it. */
  const quoted = (text: string, from: number, over: boolean): { field: string; next: number } | null => {
    let field = "";
    for (let at = from; ; ) {
      const quote = text.indexOf('"', at);
      if (quote < 0 && over) {
        throw fault("Quote Not Closed: the file ends within a record that begins");
      }
      if (quote < 0 || (quote + 1 === text.length && !over)) {
        return null;
      }
      field += text.slice(at, quote);
      if (text[quote + 1] !== '"') {
        return { field, next: quote + 1 };
      }
      field += '"';
      at = quote + 2;
    }
  };

  /** A record letter by letter. Null where the text ends within it. */
  const careful = (text: string, from: number, over: boolean): Found | null => {
    const record: string[] = [];
    let hasQuotes = false;
    let breaks = 0;
    for (let start = from; ; ) {
      let field: string;
      let at = behindBlanks(text, start, over);
      if (at === null) {
        return null;
      }
      if (text[at] === '"') {
        hasQuotes = true;
        const found = quoted(text, at + 1, over);
        at = found === null ? null : behindBlanks(text, found.next, over);
        if (found === null || at === null) {
          return null;
        }
        field = found.field;
        breaks += field.match(LINE_BREAK)?.length ?? 0;
      } else {
        while (at < text.length && text[at] !== delimiter) {
          const found = breakAt(text, at, over);
          if (found === null) {
            return null;
          }
          if (found > 0) {
            break;
          }
          if (text[at] === '"') {
            throw fault("Invalid Opening Quote: a quote stands within a field that does not begin with one");
          }
          at++;
        }
        field = text.slice(start, at);
        field = trim ? trimmed(field) : field;
      }
      record.push(field);
      if (text[at] === delimiter) {
        start = at + 1;
        continue;
      }
      const ended = breakAt(text, at, over);
      if (ended === null || (at >= text.length && !over)) {
        return null;
      }
      if (ended === 0 && at < text.length) {
        throw fault("Invalid Closing Quote: something stands between a closing quote and the next field");
      }
      return {
        record,
        next: at + ended,
        breaks,
        empty: record.length === 1 && field === "" && !hasQuotes,
      };
    }
  };

  /** Takes what is whole in the text; gives how far that goes. */
  const takeFrom = (text: string, over: boolean): number => {
    let quote = -1;
    let at = 0;
    while (at < text.length) {
      let found: Found | null;
      const end = ending === null ? -1 : text.indexOf(ending, at);
      if (quote < at) {
        quote = text.indexOf('"', at);
        quote = quote < 0 ? text.length : quote;
      }
      if (ending !== null && end >= 0 && quote > end) {
        const fields = text.slice(at, end).split(delimiter);
        const record = trim ? fields.map(trimmed) : fields;
        const empty = record.length === 1 && record[0] === "";
        found = { record, next: end + ending.length, breaks: 0, empty };
      } else {
        found = careful(text, at, over);
      }
      if (found === null) {
        break;
      }
      if (found.next - at > MOST_IN_A_RECORD) {
        throw fault("Record Too Long: a quote may be missing in the record");
      }
      line += found.breaks;
      if (!found.empty) {
        width ??= found.record.length;
        if (found.record.length !== width) {
          throw fault(`Invalid Record Length: there are ${found.record.length} fields and not ${width}`);
        }
        take(found.record, line);
      }
      line++;
      at = found.next;
    }
    if (text.length - at > MOST_IN_A_RECORD) {
      throw fault("Record Too Long: a quote may be missing in the record");
    }
    return at;
  };

  return {
    write(text) {
      const whole = rest === "" ? text : rest + text;
      const begin = isFirst && whole.startsWith("\ufeff") ? 1 : 0;
      isFirst &&= whole === "";
      const from = begin === 0 ? whole : whole.slice(1);
      rest = from.slice(takeFrom(from, false));
    },
    end() {
      takeFrom(rest, true);
      rest = "";
    },
  };
}
