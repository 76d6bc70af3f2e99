import { barChart, type Chart, escapeXml, histogramChart, lineChart, short } from "./charts.ts";
import type { Guarantee } from "./guarantee.ts";
import { type Measures, measure } from "./measure.ts";
import { type QueryError, queryError } from "./queries.ts";
import { type Anonymized, anonymize } from "./release.ts";
import type { Table } from "./table.ts";

/** What one k costs. */
export interface Costs {
  readonly k: number;
  readonly measures: Measures;
  readonly queryError: QueryError;
}

/** What a report is about: a release, and what other k would cost. */
export interface ReportData {
  readonly name: string;
  readonly guarantee: Guarantee;
  readonly incomplete: number;
  readonly chosen: Costs;
  readonly byK: readonly Costs[];
  /** Quasi-identifiers and sensitive columns, for the heading. */
  readonly quasiIdentifiers: readonly string[];
  readonly sensitive: readonly string[];
  readonly plain: readonly string[];
  readonly population?: number;
}

export interface ReportOptions {
  readonly name: string;
  readonly guarantee: Guarantee;
  readonly suppression: number;
  readonly population?: number;
  /** Values of k to compare. */
  readonly compare?: readonly number[];
  /** The release itself, where another way than by `guarantee` and `suppression` alone led to it. */
  readonly chosen?: Anonymized;
  readonly onStep?: () => void;
}

/** Values of k that a report compares, beside the one asked for. */
export const COMPARED_K: readonly number[] = [2, 5, 10, 25, 50, 100];

/** Values of k that a table of so many rows can be compared at, with the one asked for among them. */
export function comparedK(rows: number, k: number, compare: readonly number[] = COMPARED_K): number[] {
  return [...new Set([...compare, k])]
    .filter((value) => 2 * value <= rows || value === k)
    .sort((a, b) => a - b);
}

/**
 * Measures a table at several k.
 * @throws MedcloudletError as `anonymize`
 */
export function gatherReport(table: Table, options: ReportOptions): ReportData {
  const { name, guarantee, suppression, population, compare, chosen, onStep } = options;
  const costsOf = (k: number): Costs => {
    const release =
      chosen !== undefined && k === guarantee.k
        ? chosen
        : anonymize(table, { guarantee: { ...guarantee, k }, suppression });
    const costs = { k, measures: measure(release, population), queryError: queryError(release) };
    onStep?.();
    return costs;
  };
  const byK = comparedK(table.rows, guarantee.k, compare).map(costsOf);
  return {
    name,
    guarantee,
    incomplete: table.incomplete,
    chosen: byK.find(({ k }) => k === guarantee.k) as Costs,
    byK,
    quasiIdentifiers: table.quasiIdentifiers.map((attribute) => attribute.name),
    sensitive: table.sensitive.map((attribute) => attribute.name),
    plain: table.plain.map((column) => column.name),
    ...(population === undefined ? {} : { population }),
  };
}

const percent = (share: number) => `${Number((100 * share).toPrecision(3))} %`;

/** The report as a page: one file, no scripts, nothing from elsewhere. */
export function reportPage(data: ReportData): string {
  const { chosen, guarantee, byK, name } = data;
  const { measures } = chosen;
  const over = (title: string, value: (costs: Costs) => number, format: (value: number) => string) =>
    lineChart({
      title,
      xLabel: "k",
      points: byK.map((costs) => [costs.k, value(costs)]),
      format,
      chosen: guarantee.k,
    });
  const charts: Chart[] = [
    barChart({
      title: "Loss by quasi-identifier (NCP)",
      bars: Object.entries(measures.ncpByAttribute),
      format: percent,
      full: 1,
    }),
    barChart({
      title: "Risk of being re-identified",
      bars: [
        ["prosecutor", measures.risk.prosecutor],
        ["journalist", measures.risk.journalist],
        ["marketer", measures.risk.marketer],
      ],
      format: percent,
      full: 1,
    }),
    histogramChart({
      title: "Sizes of classes",
      xLabel: "rows in a class",
      yLabel: "classes",
      counts: measures.sizes,
    }),
    over("Loss (NCP) against k", ({ measures: { ncp } }) => ncp, percent),
    over("Error of counting queries against k, median", ({ queryError: { median } }) => median, percent),
    over("Discernibility against k", ({ measures: { discernibility } }) => discernibility, short),
    over("Average class size, in units of k", ({ measures: { averageClass } }) => averageClass, short),
    over("Risk of the one worst off against k", ({ measures: { risk } }) => risk.prosecutor, percent),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Release report: ${escapeXml(name)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<p class="kind">Release report</p>
<h1>${escapeXml(name)}</h1>
<p>${promise(guarantee, data.sensitive)}</p>
</header>
<section class="cards" aria-label="In short">
${[
  ["rows released", measures.rows.toLocaleString("en")],
  ["classes", measures.classes.toLocaleString("en")],
  ["lost (NCP)", percent(measures.ncp)],
  ["worst risk", percent(measures.risk.prosecutor)],
  ["median query error", percent(chosen.queryError.median)],
]
  .map(([label, value]) => `<div><strong>${value}</strong><span>${label}</span></div>`)
  .join("\n")}
</section>
${warnings(data)}
<section class="charts">
${charts.map(({ title, svg }) => `<figure><figcaption>${escapeXml(title)}</figcaption>\n${svg}</figure>`).join("\n")}
</section>
<section>
<h2>In numbers</h2>
<div class="scroll">
${numbers(byK, guarantee.k)}
</div>
</section>
<section class="notes">
<h2>How to read this</h2>
<dl>
<dt>NCP</dt><dd>How much of the quasi-identifiers was lost, from 0 % (exact) to 100 % (nothing left): the mean over rows and columns. A row left out counts as 100 %.</dd>
<dt>Discernibility</dt><dd>The sum of squared class sizes: how many rows each row can be mistaken for, added up.</dd>
<dt>Prosecutor, journalist, marketer</dt><dd>The risk of the row worst off, to somebody who knows that the person is in the release; the same to somebody who does not${data.population === undefined ? " (no population was given, so it is taken to be as high)" : ` (of a population of ${data.population.toLocaleString("en")})`}; and the share that somebody gets right who guesses everybody.</dd>
<dt>Query error</dt><dd>${chosen.queryError.queries} random counts over two quasi-identifiers, estimated from the release as if each class were spread evenly: |estimate - truth| / truth.</dd>
</dl>
<h2>What this does not promise</h2>
<ul>
<li>Somebody who knows more of a person than the quasi-identifiers can find them. Plain and sensitive columns are published as they are.</li>
<li>What a class has in common is told of everybody in it: l and t bound that, and do not end it.</li>
<li>Two releases about the same people can undo each other. Give out one, or enter each into a ledger.</li>
<li>It is not differential privacy: nothing here was made random but the order of the rows and their ids.</li>
</ul>
</section>
</main>
</body>
</html>
`;
}

function promise({ k, l, t, diversity }: Guarantee, sensitive: readonly string[]): string {
  const columns = escapeXml(sensitive.join(", "));
  return [
    `Everybody is one of at least <b>${k}</b> whose quasi-identifiers are published alike`,
    ...(l > 1
      ? [`with at least <b>${l}</b> ${diversity === "entropy" ? "(by entropy) " : ""}values of ${columns}`]
      : []),
    ...(t < 1 ? [`whose distribution is within <b>${t}</b> of that of all`] : []),
  ]
    .join(", ")
    .concat(".");
}

function warnings({ chosen: { measures }, plain, incomplete }: ReportData): string {
  const told = [
    ...(measures.uniqueByPlainColumns > 0
      ? [
          `${measures.uniqueByPlainColumns.toLocaleString("en")} rows are alone in their plain columns (${escapeXml(plain.join(", "))}): no class hides somebody who is known by those.`,
        ]
      : []),
    ...(measures.suppressed > 0
      ? [`${measures.suppressed.toLocaleString("en")} rows were left out to spare the others.`]
      : []),
    ...(incomplete > 0
      ? [`${incomplete.toLocaleString("en")} rows missed something and were left out before.`]
      : []),
    ...(measures.ncp > 0.5
      ? ["More than half of what the quasi-identifiers say is lost: ask whether this is worth releasing."]
      : []),
  ];
  return told.length === 0
    ? ""
    : `<section class="warnings"><ul>${told.map((line) => `<li>${line}</li>`).join("")}</ul></section>`;
}

function numbers(byK: readonly Costs[], chosen: number): string {
  const head = [
    "k",
    "classes",
    "left out",
    "NCP",
    "discernibility",
    "average class / k",
    "prosecutor",
    "journalist",
    "marketer",
    "query error, median",
    "mean",
  ];
  const rows = byK.map(({ k, measures, queryError: error }) => [
    String(k),
    measures.classes.toLocaleString("en"),
    String(measures.suppressed),
    percent(measures.ncp),
    measures.discernibility.toLocaleString("en"),
    measures.averageClass.toFixed(2),
    percent(measures.risk.prosecutor),
    percent(measures.risk.journalist),
    percent(measures.risk.marketer),
    percent(error.median),
    percent(error.mean),
  ]);
  return `<table>
<thead><tr>${head.map((cell) => `<th scope="col">${cell}</th>`).join("")}</tr></thead>
<tbody>
${rows.map((cells) => `<tr${cells[0] === String(chosen) ? ' class="chosen"' : ""}>${cells.map((cell, i) => (i === 0 ? `<th scope="row">${cell}</th>` : `<td>${cell}</td>`)).join("")}</tr>`).join("\n")}
</tbody>
</table>`;
}

const STYLE = `
:root { color-scheme: light dark; --paper: #fff; --card: #f5f6f8; --ink: #1c2430; --faint: #566173; --line: #d5dae2; --mark: #0b6bcb; --warn: #fff4df; --warn-ink: #6b4300; }
@media (prefers-color-scheme: dark) { :root { --paper: #12161c; --card: #1b212a; --ink: #e8ecf2; --faint: #a3afbf; --line: #343e4c; --mark: #62aeff; --warn: #33270f; --warn-ink: #ffd996; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1060px; margin: 0 auto; padding: 32px 20px 64px; }
.kind { margin: 0; color: var(--faint); }
h1 { margin: 0 0 4px; font-size: 1.9rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 40px 0 8px; font-size: 1.2rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 24px 0; }
.cards div { background: var(--card); border-radius: 10px; padding: 14px 16px; }
.cards strong { display: block; font-size: 1.5rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
.cards span { color: var(--faint); font-size: .9rem; }
.warnings { background: var(--warn); color: var(--warn-ink); border-radius: 10px; padding: 10px 16px; }
.warnings ul { margin: 0; padding-left: 18px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 20px; margin-top: 24px; }
figure { margin: 0; border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; }
figcaption { font-weight: 600; margin-bottom: 6px; }
svg { display: block; width: 100%; height: auto; }
.grid { stroke: var(--line); }
.line { fill: none; stroke: var(--mark); stroke-width: 2; }
.dot { fill: var(--mark); }
.dot.chosen { fill: var(--paper); stroke: var(--mark); stroke-width: 2.5; }
.bar { fill: var(--mark); }
.rail { fill: var(--card); }
.tick { fill: var(--ink); font-size: 13px; font-variant-numeric: tabular-nums; }
.strong { font-weight: 700; }
.label { fill: var(--faint); font-size: 13px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { padding: 6px 10px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
thead th { color: var(--faint); font-weight: 500; white-space: normal; vertical-align: bottom; }
.chosen th, .chosen td { font-weight: 700; }
dt { font-weight: 600; margin-top: 8px; }
dd { margin: 0; color: var(--faint); }
.notes li { margin: 4px 0; }
`;
