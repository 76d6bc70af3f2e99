import type { Estimate, Outcome } from "./measure.ts";
import type { SimulationRow } from "./run.ts";
import { ATTACKS, type Attack } from "./world.ts";

const PANEL = { width: 270, height: 170, left: 46, top: 30, right: 14, bottom: 34 } as const;
const COLUMNS = 3;
const HEAD = 34;
const LEGEND = 44;

/** Told apart by dashes as well as by colour; the colours are Okabe and Ito's, on white in light and dark pages. */
const STYLES: readonly (readonly [colour: string, dash: string])[] = [
  ["#777777", "1 4"],
  ["#d55e00", "8 3"],
  ["#009e73", "3 3"],
  ["#cc79a7", "10 3 2 3"],
  ["#0072b2", "none"],
];

/** What a chart shows. */
export interface ChartOptions {
  readonly title: string;
  readonly measure: keyof Outcome;
  /** Range of the vertical axis. */
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
}

/** One panel an attack, one line a model: a measure over the share of liars, with 95 % confidence intervals. Plain SVG. */
export function chartTrust(rows: readonly SimulationRow[], options: ChartOptions): string {
  const attacks = ATTACKS.filter((attack) => rows.some((row) => row.attack === attack));
  const models = [...new Set(rows.map(({ model }) => model))];
  const lines = Math.ceil(attacks.length / COLUMNS);
  const width = COLUMNS * PANEL.width;
  const height = HEAD + lines * PANEL.height + LEGEND;
  const parts = [
    text(PANEL.left, 22, options.title, "start", 15),
    ...attacks.map((attack, i) => {
      const [x, y] = [(i % COLUMNS) * PANEL.width, HEAD + Math.floor(i / COLUMNS) * PANEL.height];
      return `<g transform="translate(${x} ${y})">\n${panel(attack, rows, models, options)}\n</g>`;
    }),
    ...models.map((model, i) => legend(model, i, models.length, width, height)),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12" fill="#222">
<title>${options.title}</title>
<rect width="100%" height="100%" fill="#fff"/>
${parts.join("\n")}
</svg>
`;
}

function panel(
  attack: Attack,
  rows: readonly SimulationRow[],
  models: readonly string[],
  { measure, low, high, ticks }: ChartOptions,
): string {
  const here = rows.filter((row) => row.attack === attack);
  const shares = [...new Set(here.map(({ honest }) => 1 - honest))].sort((a, b) => a - b);
  const [first, last] = [shares[0] as number, shares.at(-1) as number];
  const [from, to] = [PANEL.left, PANEL.width - PANEL.right];
  const [bottom, top] = [PANEL.height - PANEL.bottom, PANEL.top];
  const x = (share: number) =>
    last === first ? from : from + ((to - from) * (share - first)) / (last - first);
  const y = (value: number) => {
    const inside = Math.min(high, Math.max(low, value));
    return bottom - ((bottom - top) * (inside - low)) / (high - low);
  };
  const grid = ticks.map(
    (tick) =>
      `<line x1="${from}" x2="${to}" y1="${at(y(tick))}" y2="${at(y(tick))}" stroke="#ddd"/>${text(from - 6, y(tick) + 4, String(tick), "end")}`,
  );
  const axis = shares.map((share) => text(x(share), bottom + 19, `${Math.round(100 * share)}%`, "middle"));
  const curves = models.map((model, i) => {
    const [colour, dash] = STYLES[i % STYLES.length] as readonly [string, string];
    const points = here
      .filter((row) => row.model === model)
      .map((row): readonly [number, Estimate] => [1 - row.honest, row[measure]])
      .sort(([a], [b]) => a - b);
    const line = points.map(([share, { mean }]) => `${at(x(share))},${at(y(mean))}`).join(" ");
    const whiskers = points
      .filter(([, { margin }]) => Number.isFinite(margin))
      .map(([share, { mean, margin }]) => {
        const [above, below] = [y(mean + margin), y(mean - margin)];
        return `<line x1="${at(x(share))}" x2="${at(x(share))}" y1="${at(above)}" y2="${at(below)}" stroke="${colour}"/>`;
      });
    const style = `fill="none" stroke="${colour}" stroke-width="${i === models.length - 1 ? 2.5 : 1.7}" stroke-dasharray="${dash}"`;
    return `<polyline points="${line}" ${style}/>${whiskers.join("")}`;
  });
  return [text(from, PANEL.top - 10, attack, "start", 13), ...grid, ...axis, ...curves].join("\n");
}

function legend(model: string, i: number, count: number, width: number, height: number): string {
  const [colour, dash] = STYLES[i % STYLES.length] as readonly [string, string];
  const x = PANEL.left + (i * (width - PANEL.left)) / count;
  const y = height - 16;
  return `<line x1="${at(x)}" x2="${at(x + 30)}" y1="${y - 4}" y2="${y - 4}" stroke="${colour}" stroke-width="2" stroke-dasharray="${dash}"/>${text(x + 36, y, model)}`;
}

function text(x: number, y: number, content: string, anchor = "start", size = 12): string {
  return `<text x="${at(x)}" y="${at(y)}" text-anchor="${anchor}" font-size="${size}">${content}</text>`;
}

function at(value: number): string {
  return value.toFixed(1);
}
