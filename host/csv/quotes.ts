/** What the quotes of a text say before anything is cut. */
export interface Quotes {
  /** Index of the first that has no business where it stands; -1 where all have. */
  readonly misplaced: number;
  /** Whether blanks stand before an opening one. */
  readonly afterBlanks: boolean;
}

const BLANKS = [" ", "\t"];

/**
 * Looks whether quotes stand where RFC 4180 (section 2, rules 5 to 7) has them: around a whole field, doubled inside.
 * papaparse takes a stray one for text, and looks through the rest of a line at each that does not close, which takes
 * minutes for a line made for it. What is not closed yet may be later.
 * @param options.blanks whether blanks may stand around quotes
 * @param options.loose whether a field that has none at its ends may have them inside
 */
export function quotesIn(
  text: string,
  options: { readonly delimiter: string; readonly blanks: boolean; readonly loose: boolean },
): Quotes {
  const { delimiter, blanks, loose } = options;
  let afterBlanks = false;
  let at = text.indexOf('"');
  while (at >= 0) {
    let before = at - 1;
    while (blanks && BLANKS.includes(text[before] ?? "")) {
      before--;
    }
    if (before >= 0 && text[before] !== delimiter && text[before] !== "\n") {
      if (!loose) {
        return { misplaced: at, afterBlanks };
      }
      at = text.indexOf('"', at + 1);
      continue;
    }
    afterBlanks ||= before < at - 1;
    let end = text.indexOf('"', at + 1);
    while (end >= 0 && text[end + 1] === '"') {
      end = text.indexOf('"', end + 2);
    }
    if (end < 0) {
      break;
    }
    let after = end + 1;
    while (blanks && BLANKS.includes(text[after] ?? "")) {
      after++;
    }
    const ends =
      [undefined, delimiter, "\n"].includes(text[after]) || /^\r(?:\n|$)/.test(text.slice(after, after + 2));
    if (!ends) {
      return { misplaced: end, afterBlanks };
    }
    at = text.indexOf('"', end + 1);
  }
  return { misplaced: -1, afterBlanks };
}
