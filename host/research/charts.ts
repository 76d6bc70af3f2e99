/** Charts as SVG for a page: colours are the page's own (`--ink`, `--faint`, `--line`, `--mark`), so that it can be dark. */

const WIDTH = 460;
const HEIGHT = 250;
const BOX = { left: 58, right: 16, top: 14, bottom: 40 } as const;

/** A chart with a title that says what is seen, and the text alternative for those who do not see it. */
export interface Chart {
  readonly title: string;
  readonly svg: string;
}

/** Escapes text for XML and HTML. */
export function escapeXml(text: string): string {
  return text.replace(/[<>&"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A number in at most three digits that matter. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) {
    return `${Number((value / 1e6).toPrecision(3))} M`;
  }
  if (size >= 1e4) {
    return `${Number((value / 1e3).toPrecision(3))} k`;
  }
  return String(Number(value.toPrecision(3)));
}

function at(value: number): string {
  return value.toFixed(1);
}

function text(
  x: number,
  y: number,
  content: string,
  anchor: "start" | "middle" | "end",
  kind = "tick",
): string {
  return `<text class="${kind}" x="${at(x)}" y="${at(y)}" text-anchor="${anchor}">${escapeXml(content)}</text>`;
}

function frame(title: string, height: number, parts: readonly string[]): Chart {
  return {
    title,
    svg: `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeXml(title)}">\n${parts.join("\n")}\n</svg>`,
  };
}

/** Round steps from 0 to a little above the greatest value. */
function ticksTo(greatest: number): number[] {
  const rough = Math.max(greatest, 1e-12) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  return Array.from({ length: Math.ceil(greatest / step - 1e-9) + 1 }, (_, i) => i * step);
}

export interface LineOptions {
  readonly title: string;
  readonly xLabel: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly format?: (value: number) => string;
  /** The point to set off. */
  readonly chosen?: number;
}

/** A line over a few values, each with its own tick, evenly apart. */
export function lineChart({ title, xLabel, points, format = short, chosen }: LineOptions): Chart {
  const ticks = ticksTo(Math.max(0, ...points.map(([, y]) => y)));
  const top = ticks.at(-1) || 1;
  const x = (i: number) =>
    BOX.left + ((i + 0.5) * (WIDTH - BOX.left - BOX.right)) / Math.max(1, points.length);
  const y = (value: number) => HEIGHT - BOX.bottom - (value / top) * (HEIGHT - BOX.bottom - BOX.top);
  const line = points.map(([, value], i) => `${at(x(i))},${at(y(value))}`).join(" ");
  return frame(title, HEIGHT, [
    ...ticks.map(
      (tick) =>
        `<line class="grid" x1="${BOX.left}" x2="${WIDTH - BOX.right}" y1="${at(y(tick))}" y2="${at(y(tick))}"/>${text(BOX.left - 8, y(tick) + 4, format(tick), "end")}`,
    ),
    `<polyline class="line" points="${line}"/>`,
    ...points.map(
      ([k, value], i) =>
        `<circle class="${k === chosen ? "dot chosen" : "dot"}" cx="${at(x(i))}" cy="${at(y(value))}" r="${k === chosen ? 5 : 3.5}"><title>${escapeXml(`${xLabel} ${k}: ${format(value)}`)}</title></circle>${text(x(i), HEIGHT - BOX.bottom + 17, String(k), "middle", k === chosen ? "tick strong" : "tick")}`,
    ),
    text((BOX.left + WIDTH - BOX.right) / 2, HEIGHT - 6, xLabel, "middle", "label"),
  ]);
}

export interface BarOptions {
  readonly title: string;
  readonly bars: readonly (readonly [name: string, value: number])[];
  readonly format: (value: number) => string;
  /** What a full bar stands for. */
  readonly full: number;
}

/** Bars that lie, each with its name before and its value behind. */
export function barChart({ title, bars, format, full }: BarOptions): Chart {
  const names = 140;
  const values = 62;
  const row = 28;
  const room = WIDTH - names - values;
  return frame(
    title,
    bars.length * row + 8,
    bars.flatMap(([name, value], i) => {
      const y = 6 + i * row;
      const width = Math.max(1, (Math.min(value, full) / full) * room);
      return [
        text(names - 10, y + 15, clip(name, 20), "end"),
        `<rect class="rail" x="${names}" y="${y + 3}" width="${room}" height="16" rx="3"/>`,
        `<rect class="bar" x="${names}" y="${y + 3}" width="${at(width)}" height="16" rx="3"><title>${escapeXml(`${name}: ${format(value)}`)}</title></rect>`,
        text(names + room + 8, y + 15, format(value), "start"),
      ];
    }),
  );
}

export interface HistogramOptions {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** Values with how often they occur, ascending. */
  readonly counts: readonly (readonly [value: number, count: number])[];
}

const MOST_BINS = 24;

/** How often values occur, in at most 24 bins of one width; the last takes all above when a few lie far out. */
export function histogramChart({ title, xLabel, yLabel, counts }: HistogramOptions): Chart {
  const least = (counts[0] as readonly [number, number])[0];
  const end = farEnd(counts);
  const width = Math.max(1, Math.ceil((end - least + 1) / MOST_BINS));
  const bins = Array.from({ length: Math.ceil((end - least + 1) / width) }, () => 0);
  for (const [value, count] of counts) {
    const bin = Math.min(bins.length - 1, Math.floor((value - least) / width));
    bins[bin] = (bins[bin] as number) + count;
  }
  const ticks = ticksTo(Math.max(...bins));
  const top = ticks.at(-1) || 1;
  const room = (WIDTH - BOX.left - BOX.right) / bins.length;
  const y = (value: number) => HEIGHT - BOX.bottom - (value / top) * (HEIGHT - BOX.bottom - BOX.top);
  const nameOf = (i: number) => {
    const from = least + i * width;
    const to = from + width - 1;
    const open = i === bins.length - 1 && (counts.at(-1) as readonly [number, number])[0] > to;
    return open ? `${from}+` : from === to ? String(from) : `${from}-${to}`;
  };
  const named = Math.ceil(bins.length / 6);
  return frame(title, HEIGHT, [
    ...ticks.map(
      (tick) =>
        `<line class="grid" x1="${BOX.left}" x2="${WIDTH - BOX.right}" y1="${at(y(tick))}" y2="${at(y(tick))}"/>${text(BOX.left - 8, y(tick) + 4, short(tick), "end")}`,
    ),
    ...bins.map((count, i) => {
      const x = BOX.left + i * room;
      const label =
        i % named === 0 || bins.length <= 6
          ? text(x + room / 2, HEIGHT - BOX.bottom + 17, nameOf(i), "middle")
          : "";
      return `<rect class="bar" x="${at(x + 1)}" y="${at(y(count))}" width="${at(Math.max(1, room - 2))}" height="${at(HEIGHT - BOX.bottom - y(count))}"><title>${escapeXml(`${xLabel} ${nameOf(i)}: ${count} ${yLabel}`)}</title></rect>${label}`;
    }),
    text((BOX.left + WIDTH - BOX.right) / 2, HEIGHT - 6, xLabel, "middle", "label"),
  ]);
}

/** The greatest value, or where 99 % lie below if the greatest is more than twice that. */
function farEnd(counts: readonly (readonly [number, number])[]): number {
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  const greatest = (counts.at(-1) as readonly [number, number])[0];
  let seen = 0;
  for (const [value, count] of counts) {
    seen += count;
    if (seen >= 0.99 * total) {
      return greatest > 2 * value ? value : greatest;
    }
  }
  return greatest;
}

function clip(name: string, most: number): string {
  return name.length > most ? `${name.slice(0, most - 1)}…` : name;
}
