// A bar chart, on a logarithmic scale, of what NTRU costs here and what else one might take: plain SVG.
// node scripts/bench-plot.mjs BENCH.json NATIVE.json OUTPUT.svg
// with what npm run --silent bench -- --json and npm run --silent bench:native -- --json wrote.
import { readFileSync, writeFileSync } from "node:fs";

const SET = "ntruhps2048677";
const OPERATIONS = ["key pair", "encapsulate", "decapsulate"];
const [WIDTH, LEFT, RIGHT, TOP] = [760, 252, 78, 64];
const [BAR, STEP, HEADING, GAP] = [16, 22, 24, 12];
/** Readable on either background; the page's own colours win where a viewer tells an image about them. */
const STYLE = `
    .paper { fill: #fff } .grid { stroke: #d0d4da } text { fill: #24292f } .value { stroke: #fff }
    .value { stroke-width: 4px; paint-order: stroke }
    .own { fill: #0072b2 } .native { fill: #e69f00 } .other { fill: #8a929c } .faint { fill: #57606a }
    @media (prefers-color-scheme: dark) {
      .paper { fill: #0d1117 } .grid { stroke: #343b44 } text { fill: #e6edf3 } .value { stroke: #0d1117 }
      .own { fill: #56b4e9 } .native { fill: #e69f00 } .other { fill: #7d8590 } .faint { fill: #9aa4af }
    }`;

function text(x, y, content, attributes = "") {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}"${attributes}>${content}</text>`;
}

/** The bars of an operation, fastest kind of thing first. */
function barsOf(bench, native, operation) {
  const beside = native.results.find((row) => row.set === SET && row.operation === operation);
  const of = (set, implementation) => {
    const row = bench.results.find(
      (it) => it.set === set && it.operation === operation && it.implementation === implementation,
    );
    if (row === undefined) {
      throw new Error(`The benchmark has no ${operation} of ${implementation}.`);
    }
    return row.medianMicroseconds;
  };
  if (beside === undefined) {
    throw new Error(`The native benchmark has no ${operation} of ${SET}.`);
  }
  return [
    { label: `native ${beside.variant}, seed given`, kind: "native", time: beside.nativeMicroseconds },
    { label: "medcloudlet, seed given", kind: "own", time: beside.apiMicroseconds },
    { label: "medcloudlet", kind: "own", time: of(SET, "medcloudlet") },
    { label: "@oqs/liboqs-js", kind: "other", time: of(SET, "@oqs/liboqs-js") },
    {
      label: "ML-KEM-768, @noble/post-quantum",
      kind: "other",
      time: of("ML-KEM-768", "@noble/post-quantum"),
    },
    { label: "X25519, node:crypto (native)", kind: "other", time: of("X25519", "node:crypto") },
  ];
}

function microseconds(time) {
  return time >= 1000 ? `${(time / 1000).toFixed(1)} ms` : `${time.toFixed(time < 100 ? 1 : 0)} µs`;
}

function plot(bench, native) {
  const groups = OPERATIONS.map((operation) => ({ operation, bars: barsOf(bench, native, operation) }));
  const times = groups.flatMap(({ bars }) => bars.map(({ time }) => time));
  const first = Math.floor(Math.log10(Math.min(...times)));
  const last = Math.log10(Math.max(...times));
  const x = (time) => LEFT + ((WIDTH - LEFT - RIGHT) * (Math.log10(time) - first)) / (last - first);
  const parts = [];
  let y = TOP;
  for (const { operation, bars } of groups) {
    parts.push(text(LEFT, y + 12, operation, ' class="value" font-weight="bold"'));
    y += HEADING;
    for (const { label, kind, time } of bars) {
      const width = (x(time) - LEFT).toFixed(1);
      parts.push(
        text(LEFT - 8, y + 12, label, ' text-anchor="end"'),
        `<rect class="${kind}" x="${LEFT}" y="${y}" width="${width}" height="${BAR}" rx="2"/>`,
        text(x(time) + 6, y + 12, microseconds(time), ' class="value"'),
      );
      y += STEP;
    }
    y += GAP;
  }
  const bottom = y - GAP + 4;
  const grid = Array.from({ length: Math.floor(last) - first + 1 }, (_, index) => 10 ** (first + index)).map(
    (time) =>
      `<line class="grid" x1="${x(time).toFixed(1)}" x2="${x(time).toFixed(1)}" y1="${TOP - 8}" y2="${bottom}"/>` +
      text(x(time), bottom + 18, microseconds(time).replace(".0", ""), ' class="faint" text-anchor="middle"'),
  );
  const title = `What one operation costs: ${SET} and others`;
  const where = `Node ${bench.node}, ${bench.cpu}; logarithmic. "Seed given": without drawing random bytes.`;
  const head = [
    text(16, 24, title, ' font-size="16" font-weight="bold"'),
    text(16, 44, where, ' class="faint"'),
  ];
  const height = bottom + 34;
  const body = [...head, ...grid, ...parts].map((part) => `  ${part}`).join("\n");
  const box = `viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${box} font-family="sans-serif" font-size="13">
  <title>${title}</title>
  <style>${STYLE}
  </style>
  <rect class="paper" width="100%" height="100%" rx="6"/>
${body}
</svg>
`;
}

const [benchFile, nativeFile, output] = process.argv.slice(2);
if (output === undefined) {
  console.error("node scripts/bench-plot.mjs BENCH.json NATIVE.json OUTPUT.svg");
  process.exit(2);
}
const [bench, native] = [benchFile, nativeFile].map((file) => JSON.parse(readFileSync(file, "utf8")));
writeFileSync(output, plot(bench, native));
