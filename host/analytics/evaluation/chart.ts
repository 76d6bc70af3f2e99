/** A line of a chart. */
export interface ChartLine {
  readonly label: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Drawn as marks instead of a line. */
  readonly marks?: true;
}

/** What a chart shows; both axes linear. */
export interface LineChart {
  readonly title: string;
  readonly x: { readonly label: string; readonly most: number; readonly ticks: readonly number[] };
  readonly y: { readonly label: string; readonly most: number; readonly ticks: readonly number[] };
  readonly lines: readonly ChartLine[];
  /** In the corner that the lines leave free. */
  readonly legend: "top right" | "bottom right";
  /** How a tick is written; as a percentage where left out. */
  readonly percent?: { readonly x?: boolean; readonly y?: boolean };
}

const WIDTH = 640;
const HEIGHT = 440;
const BOX = { left: 66, top: 44, right: 24, bottom: 58 } as const;

/** Okabe and Ito's colours, told apart by dashes too, on a white sheet of their own: legible on light and dark pages. */
const STYLES: readonly (readonly [colour: string, dash: string])[] = [
  ["#0072b2", "none"],
  ["#d55e00", "8 3"],
  ["#009e73", "3 3"],
  ["#cc79a7", "10 3 2 3"],
];

/** Plain SVG. */
export function drawLines(chart: LineChart): string {
  const right = WIDTH - BOX.right;
  const bottom = HEIGHT - BOX.bottom;
  const x = (value: number) => BOX.left + ((right - BOX.left) * Math.min(value, chart.x.most)) / chart.x.most;
  const y = (value: number) => bottom - ((bottom - BOX.top) * Math.min(value, chart.y.most)) / chart.y.most;
  const written = (value: number, percent = true) =>
    percent ? `${Math.round(100 * value)}%` : String(value);
  const parts = [
    text(BOX.left, 26, chart.title, "start", 15),
    ...chart.x.ticks.map(
      (tick) =>
        `<line x1="${at(x(tick))}" x2="${at(x(tick))}" y1="${BOX.top}" y2="${bottom}" stroke="#ddd"/>${text(x(tick), bottom + 20, written(tick, chart.percent?.x), "middle")}`,
    ),
    ...chart.y.ticks.map(
      (tick) =>
        `<line x1="${BOX.left}" x2="${right}" y1="${at(y(tick))}" y2="${at(y(tick))}" stroke="#ddd"/>${text(BOX.left - 8, y(tick) + 4, written(tick, chart.percent?.y), "end")}`,
    ),
    text((BOX.left + right) / 2, HEIGHT - 14, chart.x.label, "middle"),
    `<text transform="translate(18 ${(BOX.top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeXml(chart.y.label)}</text>`,
  ];
  for (const [i, { label, points, marks }] of chart.lines.entries()) {
    const [colour, dash] = STYLES[i % STYLES.length] as readonly [string, string];
    parts.push(
      marks
        ? points
            .map(([a, b]) => `<circle cx="${at(x(a))}" cy="${at(y(b))}" r="5" fill="${colour}"/>`)
            .join("")
        : `<polyline points="${points.map(([a, b]) => `${at(x(a))},${at(y(b))}`).join(" ")}" fill="none" stroke="${colour}" stroke-width="2.2" stroke-dasharray="${dash}"/>`,
    );
    const row =
      chart.legend === "top right" ? BOX.top + 22 + 20 * i : bottom - 14 - 20 * (chart.lines.length - 1 - i);
    const column = right - 270;
    parts.push(
      marks
        ? `<circle cx="${column + 15}" cy="${row - 4}" r="5" fill="${colour}"/>`
        : `<line x1="${column}" x2="${column + 30}" y1="${row - 4}" y2="${row - 4}" stroke="${colour}" stroke-width="2.2" stroke-dasharray="${dash}"/>`,
      text(column + 38, row, label),
    );
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12" fill="#222">
<title>${escapeXml(chart.title)}</title>
<rect width="100%" height="100%" fill="#fff"/>
${parts.join("\n")}
</svg>
`;
}

/** Points of a ROC curve: for each threshold the share of others and of events at or above it. */
export function rocPoints(
  judged: readonly { readonly score: number; readonly event: boolean }[],
  most = 200,
): (readonly [number, number])[] {
  const sorted = [...judged].sort((a, b) => b.score - a.score);
  const events = sorted.filter(({ event }) => event).length;
  const points: [number, number][] = [[0, 0]];
  let hits = 0;
  for (const [i, { score, event }] of sorted.entries()) {
    hits += event ? 1 : 0;
    if (sorted[i + 1]?.score !== score) {
      points.push([(i + 1 - hits) / Math.max(1, sorted.length - events), hits / Math.max(1, events)]);
    }
  }
  const every = Math.max(1, Math.floor(points.length / most));
  return points.filter((_, i) => i % every === 0 || i === points.length - 1);
}

function text(x: number, y: number, content: string, anchor = "start", size = 12): string {
  return `<text x="${at(x)}" y="${at(y)}" text-anchor="${anchor}" font-size="${size}">${escapeXml(content)}</text>`;
}

function escapeXml(content: string): string {
  return content.replace(/[<>&"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function at(value: number): string {
  return value.toFixed(1);
}
