// A plot of |t| over the number of samples, one line for each test, with the limits 4.5 and 10. Plain SVG.

const [WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM] = [760, 440, 50, 40, 20, 150];
// Told apart by dashes as well as by colour.
const STYLES = [
  ["#0072b2", "none"],
  ["#d55e00", "8 3"],
  ["#009e73", "3 3"],
  ["#cc79a7", "10 3 2 3"],
  ["#666666", "1 4"],
  ["#999999", "6 6"],
];

function text(x, y, content, anchor = "start") {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}">${content}</text>`;
}

/** @param results as scripts/ntru-timing.mjs makes them: `{ test, t, points: [[samples, t]] }` */
export function plotTimings(title, results) {
  const counts = results[0].points.map(([count]) => count);
  const [first, last] = [counts[0], counts.at(-1)];
  const highest = Math.max(11, ...results.flatMap(({ points }) => points.map(([, t]) => Math.abs(t))));
  const x = (count) => LEFT + ((WIDTH - LEFT - RIGHT) * Math.log(count / first)) / Math.log(last / first);
  const y = (t) => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * Math.abs(t)) / highest;
  const parts = [text(LEFT, 22, title)];
  for (const level of [0, 4.5, 10]) {
    const dash = level === 0 ? "" : ' stroke-dasharray="2 4"';
    parts.push(
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(level).toFixed(1)}" y2="${y(level).toFixed(1)}" stroke="#444"${dash}/>`,
      text(LEFT - 6, (y(level) + 4).toFixed(1), level, "end"),
    );
  }
  for (const [count, anchor] of [
    [first, "start"],
    [last, "end"],
  ]) {
    parts.push(text(x(count).toFixed(1), HEIGHT - BOTTOM + 18, `${count} samples`, anchor));
  }
  results.forEach(({ test, t, points }, i) => {
    const [colour, dash] = STYLES[i % STYLES.length];
    const line = points.map(([count, value]) => `${x(count).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
    const style = `fill="none" stroke="${colour}" stroke-width="2" stroke-dasharray="${dash}"`;
    const below = HEIGHT - BOTTOM + 38 + 18 * i;
    parts.push(
      `<polyline points="${line}" ${style}/>`,
      `<line x1="${LEFT}" x2="${LEFT + 34}" y1="${below - 4}" y2="${below - 4}" ${style}/>`,
      text(LEFT + 42, below, `${test}: t = ${t.toFixed(2)}`),
    );
  });
  const body = parts.map((part) => `  ${part}`).join("\n");
  const box = `viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${box} font-family="sans-serif" font-size="13" fill="#222">
  <title>${title}</title>
  <rect width="100%" height="100%" fill="#fff"/>
${body}
</svg>
`;
}
