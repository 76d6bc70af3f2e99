import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import {
  type AlarmComparison,
  compareAlarms,
  drawLines,
  FEATURES,
  type Forecast,
  forecast,
  judgeMonitor,
  type MonitorResult,
  patientsOf,
  readRecordings,
  readStays,
  rocPoints,
} from "../analytics/index.ts";
import { MedcloudletError } from "../base/index.ts";
import { readCsv } from "../csv/index.ts";
import type { Interval } from "../statistics/index.ts";
import { newCommand, newGroup, outputOf, wholeNumber } from "./command.ts";
import { type Output, table } from "./output.ts";

const FILES = {
  vitals: "cinc2012_vitals.csv",
  descriptors: "cinc2012_descriptors.csv",
  monitor: "bidmc_numerics.csv",
} as const;

interface EvaluateOptions {
  readonly data: string;
  readonly svg?: string;
  readonly rounds: number;
  readonly json?: true;
}

interface Stays {
  readonly forecast: Forecast;
  readonly alarms: AlarmComparison;
}

async function isThere(folder: string, name: string, output: Output): Promise<boolean> {
  const there = await stat(join(folder, name)).then(
    (entry) => entry.isFile(),
    () => false,
  );
  if (!there) {
    output.trouble(`SKIPPED: ${name} is not in ${folder}; what needs it was not evaluated.`);
  }
  return there;
}

/** Head line and rows. The columns that are needed must be there, in any order. */
async function readRows(
  file: string,
  needed: readonly string[],
): Promise<{ head: string[]; rows: string[][] }> {
  const codes = { syntax: "ANALYTICS_FILE", file: "ANALYTICS_FILE" };
  const rows: (readonly string[])[] = [];
  for await (const piece of readCsv(file, { codes, trim: true, ragged: true })) {
    rows.push(...piece.map(({ fields }) => fields));
  }
  const [head = [], ...rest] = rows;
  const places = needed.map((name) => head.indexOf(name));
  const missing = needed.filter((_, i) => places[i] === -1);
  if (missing.length > 0) {
    throw new MedcloudletError("ANALYTICS_FILE", `${file} has no column ${missing.join(", ")}.`, {
      status: 422,
    });
  }
  return { head: [...needed], rows: rest.map((row) => places.map((place) => row[place] ?? "")) };
}

async function evaluateStays(folder: string, rounds: number): Promise<Stays> {
  const described = await readRows(join(folder, FILES.descriptors), ["RecordID", "Age"]);
  const vitals = await readRows(join(folder, FILES.vitals), ["RecordID", "Time", "Parameter", "Value"]);
  const ages = new Map(described.rows.map(([id = "", age]) => [id, Number(age)]));
  const patients = patientsOf(readStays(vitals.rows, ages));
  const judged = forecast(patients, rounds);
  return { forecast: judged, alarms: compareAlarms(patients, judged.model, rounds) };
}

async function evaluateMonitor(folder: string, rounds: number): Promise<MonitorResult> {
  const { head, rows } = await readRows(join(folder, FILES.monitor), [
    "rec",
    "t_s",
    "HR",
    "PULSE",
    "RESP",
    "SpO2",
  ]);
  return judgeMonitor(readRecordings(rows, head), rounds);
}

function spoken({ value, low, high }: Interval, digits = 3, factor = 1): string {
  const [a, b, c] = [value, low, high].map((one) => (factor * one).toFixed(digits));
  return `${a} (${b}–${c})`;
}

function staysText({ forecast: { training, test, results }, alarms }: Stays, output: Output): string {
  const { bold, colours } = { ...output.colours, colours: output.colours };
  return [
    bold("NEWS2 ≥ 7 within six hours (CinC 2012, intensive care; NEWS2 from what is charted)"),
    `  fitted on ${training.patients} patients (${training.events} of ${training.cases} hours before an event), judged on ${test.patients} others (${test.events} of ${test.cases})`,
    table(
      [
        ["forecast", "AUROC (95% over patients)", "against NEWS2 now"],
        ...results.map(({ name, area, difference }) => [
          name,
          spoken(area),
          difference === null ? "–" : spoken(difference),
        ]),
      ],
      colours,
    ),
    "",
    bold(
      `Alarms before ${alarms.events} events in ${alarms.days.toFixed(0)} patient-days of ${alarms.patients} patients`,
    ),
    table(
      [
        [
          "alarm",
          "starts a day",
          "sounding %",
          "events warned of %",
          "starts that came true %",
          "lead, minutes",
        ],
        ...alarms.results.map(({ name, perDay, sounding, warned, useful, leadMinutes }) => [
          name,
          spoken(perDay, 2),
          spoken(sounding, 1, 100),
          spoken(warned, 1, 100),
          spoken(useful, 1, 100),
          `${spoken(leadMinutes.median, 0)}, quartiles ${leadMinutes.lower.toFixed(0)} and ${leadMinutes.upper.toFixed(0)}`,
        ]),
      ],
      colours,
    ),
  ].join("\n");
}

function monitorText(
  { patients, hours, quality, disagreement, alarmsPerHour }: MonitorResult,
  output: Output,
): string {
  const percent = (share: number) => (100 * share).toFixed(2);
  return [
    output.colours.bold(`Signal quality (BIDMC, ${patients} patients, ${hours.toFixed(1)} hours at 1 Hz)`),
    table(
      [
        ["quantity", "samples", "believed %", "missing %", "range %", "jump %", "flat %"],
        ...quality.map((one) => [
          one.quantity,
          String(one.samples),
          ...[one.believed, one.missing, one.range, one.jump, one.flat].map(percent),
        ]),
      ],
      output.colours,
    ),
    `  pulse that disagrees with the heart rate in ${disagreement.bad} of ${disagreement.windows} half minutes: AUROC of its quality ${spoken(disagreement.byQuality)}, of its mean step ${spoken(disagreement.byStep)}`,
    `  alarms a patient-hour: single limits ${spoken(alarmsPerHour.singleLimits, 2)}, behind the gate ${spoken(alarmsPerHour.singleLimitsGated, 2)}, watch (urgent and graver) ${spoken(alarmsPerHour.watch, 2)}`,
  ].join("\n");
}

async function writeCharts(folder: string, { forecast: judged, alarms }: Stays): Promise<void> {
  await mkdir(folder, { recursive: true });
  const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1];
  await writeFile(
    join(folder, "analytics-roc.svg"),
    drawLines({
      title: "NEWS2 ≥ 7 within six hours: patients that were not learnt from",
      x: { label: "hours without an event that are called", most: 1, ticks },
      y: { label: "hours before an event that are called", most: 1, ticks },
      legend: "bottom right",
      lines: [...judged.results].reverse().map(({ name, area }) => ({
        label: `${name}, AUROC ${area.value.toFixed(3)}`,
        points: rocPoints(judged.judged[name] ?? []),
      })),
    }),
  );
  const single = alarms.results.find(({ name }) => name === "single limits");
  await writeFile(
    join(folder, "analytics-alarms.svg"),
    drawLines({
      title: "Events warned of, over the time that an alarm sounds",
      x: { label: "charted moments at which it sounds", most: 1, ticks },
      y: { label: "events warned of in the six hours before", most: 1, ticks },
      legend: "bottom right",
      lines: [
        ...Object.entries(alarms.trade)
          .reverse()
          .map(([label, points]) => ({
            label,
            points: points.map(({ sounding, warned }) => [sounding, warned] as const),
          })),
        ...(single === undefined
          ? []
          : [
              {
                label: "single limits",
                marks: true as const,
                points: [[single.sounding.value, single.warned.value] as const],
              },
            ]),
      ],
    }),
  );
}

function evaluate(): Command {
  return newCommand("evaluate", "judge forecasts, alarms and the signal gate on recorded vital signs")
    .requiredOption("--data <folder>", `folder with ${Object.values(FILES).join(", ")}`)
    .option("--svg <folder>", "write charts there")
    .option("--rounds <number>", "rounds of the bootstrap", wholeNumber(1, 10_000), 500)
    .action(async ({ data, svg, rounds, ...options }: EvaluateOptions) => {
      const output = outputOf(options);
      const hasStays =
        (await isThere(data, FILES.vitals, output)) && (await isThere(data, FILES.descriptors, output));
      const hasMonitor = await isThere(data, FILES.monitor, output);
      if (!hasStays && !hasMonitor) {
        throw new MedcloudletError(
          "CLI_DATA",
          `There is nothing to evaluate in ${data}: name another --data.`,
        );
      }
      const stays = hasStays ? await evaluateStays(data, rounds) : null;
      const monitor = hasMonitor ? await evaluateMonitor(data, rounds) : null;
      if (svg !== undefined && stays !== null) {
        await writeCharts(svg, stays);
      }
      output.result(
        {
          stays: stays === null ? null : present(stays),
          monitor,
        },
        [
          ...(stays === null ? [] : [staysText(stays, output)]),
          ...(monitor === null ? [] : [monitorText(monitor, output)]),
          output.colours.dim(
            "  This says how numbers foretell numbers in two data sets. It is no clinical claim.",
          ),
        ].join("\n\n"),
      );
    });
}

/** Without the thousands of judged cases. */
function present({ forecast: { training, test, results, model }, alarms }: Stays) {
  const weights = Object.fromEntries(FEATURES.map((name, i) => [name, model.weights[i + 1]]));
  return { training, test, results, weights, alarms };
}

/** `medcloudlet analytics`: what the analysis of readings is worth. */
export function analyticsCommand(): Command {
  return newGroup("analytics", "measure the analysis of readings").addCommand(evaluate());
}
