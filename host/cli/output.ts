import { type Options as BarOptions, SingleBar } from "cli-progress";
import pc from "picocolors";

/** Colours for people, nothing for pipes. */
export type Colours = ReturnType<typeof pc.createColors>;

/** A bar on a terminal; nothing elsewhere. */
export interface Progress {
  step(by?: number): void;
  end(): void;
}

/**
 * How a command speaks. Results go to stdout: text for people, or JSON with `--json` (one object, or one a line for
 * a stream). Notes and progress go to stderr and only to a terminal, so that a pipe stays quiet; trouble always.
 */
export interface Output {
  readonly json: boolean;
  readonly colours: Colours;
  /** Columns of the terminal that results go to; unbounded elsewhere. */
  readonly width: number;
  /** A result: `text` for people, `data` for programs. */
  result(data: unknown, text: string): void;
  /** A heading above results, for people only. */
  heading(text: string): void;
  /** Something on the way that nobody needs to keep. */
  note(text: string): void;
  /** Something that keeps the work waiting: on stderr also in a pipe, for silence would look like a hang. */
  trouble(text: string): void;
  /** Rings the terminal's bell, where somebody sits at one. */
  bell(): void;
  progress(label: string, total: number): Progress;
}

const BAR: BarOptions = {
  format: "  {label} {bar} {value}/{total}  {eta_formatted} left",
  barCompleteChar: "█",
  barIncompleteChar: "░",
  hideCursor: true,
  clearOnComplete: false,
  stopOnComplete: true,
};

/**
 * Whatever moves a cursor, sets a title or a clipboard, or turns writing around; colours and line breaks stay. Names and
 * words of other people are cleaned where they are put into a text (`printable`); this is for where that was forgotten.
 */
const UNRULY =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /\u001b(?!\[\d{1,3}m)|[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** A text as it may go to a terminal. */
export function tame(text: string): string {
  return text.replace(UNRULY, "");
}

export function createOutput(options: { readonly json: boolean }): Output {
  const { json } = options;
  const colourful = !json && process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
  const notes = !json && process.stderr.isTTY === true;
  return {
    json,
    colours: pc.createColors(colourful),
    width: process.stdout.columns ?? Number.POSITIVE_INFINITY,
    result(data, text) {
      process.stdout.write(json ? `${JSON.stringify(data)}\n` : `${tame(text)}\n`);
    },
    heading(text) {
      if (!json) {
        process.stdout.write(`${tame(text)}\n`);
      }
    },
    note(text) {
      if (notes) {
        process.stderr.write(`${tame(text)}\n`);
      }
    },
    trouble(text) {
      process.stderr.write(`${tame(text)}\n`);
    },
    bell() {
      if (notes) {
        process.stderr.write("\u0007");
      }
    },
    progress(label, total) {
      if (!notes || total === 0) {
        return { step: () => {}, end: () => {} };
      }
      const bar = new SingleBar(BAR);
      bar.start(total, 0, { label });
      return { step: (by = 1) => bar.increment(by), end: () => bar.stop() };
    },
  };
}

/** A table with aligned columns; the first row is the head. */
export function table(rows: readonly (readonly string[])[], colours: Colours): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  return rows
    .map((row, i) => {
      const line = row.map((cell, column) => cell.padEnd(widths[column] as number)).join("  ");
      return `  ${i === 0 ? colours.dim(line.trimEnd()) : line.trimEnd()}`;
    })
    .join("\n");
}

/** A time (ms since 1970 UTC) as day and minute in UTC, for the columns of a table. */
export function minuteText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace("T", " ");
}

/** A moment for people: the day and the minute, in UTC as everywhere in this program, and saying so. */
export function minuteOf(ms: number): string {
  return `${minuteText(ms)} UTC`;
}

/** Bytes for people. */
export function size(bytes: number): string {
  return bytes < 1024
    ? `${bytes} B`
    : bytes < 1024 ** 2
      ? `${(bytes / 1024).toFixed(1)} KB`
      : `${(bytes / 1024 ** 2).toFixed(1)} MB`;
}

/** A fingerprint in groups that can be read aloud. */
export function groups(hex: string): string {
  return (hex.match(/.{1,4}/g) ?? []).join(" ");
}
