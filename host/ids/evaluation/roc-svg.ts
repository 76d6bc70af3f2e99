import type { RocPoint } from "./metrics.ts";

export interface Curve {
  readonly label: string;
  readonly points: readonly RocPoint[];
}

const COLOURS = ["#2f81f7", "#d9730d", "#2da44e", "#bf3989", "#8250df", "#6e7781"];
const WIDTH = 640;
const HEIGHT = 460;
const BOX = { left: 64, top: 44, right: 24, bottom: 60 } as const;
/** False-positive rates below this are drawn at the left edge. */
const LEAST = 1e-4;

function escapeXml(text: string): string {
  return text.replace(/[<>&"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** False-positive rate on a logarithmic axis: what counts is left of one percent. */
function x(rate: number): number {
  const share = (Math.log10(Math.max(LEAST, rate)) - Math.log10(LEAST)) / -Math.log10(LEAST);
  return BOX.left + share * (WIDTH - BOX.left - BOX.right);
}

function y(rate: number): number {
  return BOX.top + (1 - rate) * (HEIGHT - BOX.top - BOX.bottom);
}

/** ROC curves as an SVG that is legible on light and on dark ground: mid-tone colours for lines and for text. */
export function drawRoc(title: string, curves: readonly Curve[]): string {
  const parts: string[] = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="13">`,
    "<style>text{fill:#7d8590}.grid{stroke:#8c959f;stroke-opacity:.35}.line{fill:none;stroke-width:2}</style>",
    `<title>${escapeXml(title)}</title>`,
    `<text x="${BOX.left}" y="24" font-size="15" font-weight="600">${escapeXml(title)}</text>`,
  ];
  for (const rate of [1e-4, 1e-3, 1e-2, 1e-1, 1]) {
    const at = x(rate).toFixed(1);
    parts.push(`<line class="grid" x1="${at}" x2="${at}" y1="${BOX.top}" y2="${HEIGHT - BOX.bottom}"/>`);
    parts.push(`<text x="${at}" y="${HEIGHT - BOX.bottom + 20}" text-anchor="middle">${rate * 100}%</text>`);
  }
  for (const rate of [0, 0.2, 0.4, 0.6, 0.8, 1]) {
    const at = y(rate).toFixed(1);
    parts.push(`<line class="grid" x1="${BOX.left}" x2="${WIDTH - BOX.right}" y1="${at}" y2="${at}"/>`);
    parts.push(
      `<text x="${BOX.left - 8}" y="${(y(rate) + 4).toFixed(1)}" text-anchor="end">${Math.round(rate * 100)}%</text>`,
    );
  }
  parts.push(
    `<text x="${(BOX.left + WIDTH - BOX.right) / 2}" y="${HEIGHT - 16}" text-anchor="middle">false alarms (logarithmic)</text>`,
    `<text transform="translate(16 ${(BOX.top + HEIGHT - BOX.bottom) / 2}) rotate(-90)" text-anchor="middle">attacks found</text>`,
  );
  for (const [i, { label, points }] of curves.entries()) {
    const colour = COLOURS[i % COLOURS.length] as string;
    // Steps, not slopes: between two thresholds nothing is known.
    const corners: [string, string][] = [];
    for (const [falseRate, rate] of points) {
      const corner: [string, string] = [x(falseRate).toFixed(1), y(rate).toFixed(1)];
      // Of a rise at one place only the foot and the top are drawn.
      if (corners.at(-1)?.[0] === corner[0] && corners.at(-2)?.[0] === corner[0]) {
        corners.pop();
      }
      corners.push(corner);
    }
    const path = corners
      .map(([across, up], at) => (at === 0 ? `M${across} ${up}` : `H${across}V${up}`))
      .join("");
    parts.push(`<path class="line" stroke="${colour}" d="${path}"/>`);
    const row = HEIGHT - BOX.bottom - 14 - 20 * (curves.length - 1 - i);
    const column = WIDTH - BOX.right - 330;
    parts.push(
      `<line x1="${column}" x2="${column + 22}" y1="${row - 4}" y2="${row - 4}" stroke="${colour}" stroke-width="3"/>`,
    );
    parts.push(`<text x="${column + 30}" y="${row}">${escapeXml(label)}</text>`);
  }
  parts.push("</svg>");
  return `${parts.join("\n")}\n`;
}
