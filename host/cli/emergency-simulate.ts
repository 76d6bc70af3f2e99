import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { drawLines } from "../analytics/index.ts";
import { type SweepRow, sweepThresholds } from "../emergency/index.ts";
import type { Interval } from "../statistics/index.ts";
import { newCommand, outputOf, wholeNumber } from "./command.ts";
import { table } from "./output.ts";

interface SimulateOptions {
  readonly runs: number;
  readonly seed: number;
  readonly people: readonly number[];
  readonly svg?: string;
  readonly json?: true;
}

const THRESHOLDS = [0, 1, 2, 3, 4, 5, 6, 7, 8];

function crowds(text: string): readonly number[] {
  const list = text.split(",").map(Number);
  if (!list.every((people) => Number.isSafeInteger(people) && people > 0 && people <= 10_000)) {
    throw new InvalidArgumentError("Expected numbers of people such as 50,100,200.");
  }
  return list;
}

function spoken({ value, low, high }: Interval, digits: number): string {
  return `${value.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
}

async function writeCharts(
  folder: string,
  rows: readonly SweepRow[],
  people: readonly number[],
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const most = Math.max(...rows.map(({ qualified }) => qualified.value));
  const round = 10 ** Math.floor(Math.log10(Math.max(1, most)));
  const top = Math.ceil(most / round) * round;
  const line = (of: (row: SweepRow) => number) =>
    people.map((crowd) => ({
      label: `${crowd} people`,
      points: rows.filter((row) => row.people === crowd).map((row) => [row.threshold, of(row)] as const),
    }));
  const x = { label: "symptoms that a helper must share (of the patient's 8)", most: 8, ticks: THRESHOLDS };
  await writeFile(
    join(folder, "emergency-helpers.svg"),
    drawLines({
      title: "Qualified helpers in half an hour",
      x,
      y: {
        label: "qualified helpers (NQH)",
        most: top,
        ticks: [0, 0.25, 0.5, 0.75, 1].map((share) => share * top),
      },
      lines: line(({ qualified }) => qualified.value),
      legend: "top right",
      percent: { x: false, y: false },
    }),
  );
  await writeFile(
    join(folder, "emergency-consumption.svg"),
    drawLines({
      title: "The patient's part of all work done",
      x,
      y: { label: "resource consumption ratio (RCR)", most: 1, ticks: [0, 0.2, 0.4, 0.6, 0.8, 1] },
      lines: line(({ consumption }) => consumption.value),
      legend: "bottom right",
      percent: { x: false },
    }),
  );
}

/** `medcloudlet emergency simulate`: who helps, and what it costs the patient, as the bar is raised. */
export function simulateEmergencyCommand(): Command {
  return newCommand(
    "simulate",
    "let people walk past an emergency and count who may help, threshold by threshold",
  )
    .option("--runs <number>", "emergencies of each crowd", wholeNumber(1, 10_000), 100)
    .option("--seed <number>", "seed of the first", wholeNumber(0), 1)
    .option("--people <numbers>", "crowds", crowds, [50, 100, 200])
    .option("--svg <folder>", "write charts there")
    .action(async (options: SimulateOptions) => {
      const output = outputOf(options);
      const { runs, seed, people, svg } = options;
      const bar = output.progress("emergencies", runs * people.length);
      const rows = sweepThresholds({
        runs,
        seed,
        crowds: people,
        thresholds: THRESHOLDS,
        onRun: () => bar.step(),
      });
      bar.end();
      if (svg !== undefined) {
        await writeCharts(svg, rows, people);
      }
      const head = [
        "people",
        "symptoms in common",
        "qualified helpers",
        "patient's part of the work",
        "reports helped",
      ];
      output.result(
        { runs, seed, rows },
        table(
          [
            head,
            ...rows.map((row) => [
              String(row.people),
              `≥ ${row.threshold}`,
              spoken(row.qualified, 1),
              spoken(row.consumption, 3),
              spoken(row.helped, 3),
            ]),
          ],
          output.colours,
        ),
      );
    });
}
