import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import {
  ABLATIONS,
  ATTACKS,
  type Attack,
  type ChartOptions,
  chartTrust,
  type Estimate,
  MODELS,
  type SimulationRow,
  simulateTrust,
} from "../trust/index.ts";
import { newCommand, newGroup, outputOf, wholeNumber } from "./command.ts";
import { table } from "./output.ts";

interface SimulateOptions {
  readonly runs: number;
  readonly seed: number;
  readonly patients: number;
  readonly exchanges: number;
  readonly sybils: number;
  readonly honest: readonly number[];
  readonly attack?: readonly Attack[];
  readonly parts?: true;
  readonly charts?: string;
  readonly json?: true;
}

const SHARES = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3];

const CHARTS: Readonly<Record<string, ChartOptions>> = {
  "trust-auc.svg": {
    title: "Telling honest from malicious (AUC) over the share of liars",
    measure: "auc",
    low: 0,
    high: 1,
    ticks: [0, 0.25, 0.5, 0.75, 1],
  },
  "trust-wrong-shares.svg": {
    title: "Wrong shares per 1,000 decisions over the share of liars",
    measure: "wrongShares",
    low: 0,
    high: 700,
    ticks: [0, 200, 400, 600],
  },
  "trust-refused.svg": {
    title: "Honest partners refused over the share of liars",
    measure: "refused",
    low: 0,
    high: 1,
    ticks: [0, 0.25, 0.5, 0.75, 1],
  },
};

/** Shares as numbers between 0 and 1, both excluded: with one kind of patient there is nothing to tell apart. */
function shares(value: string): readonly number[] {
  const list = value.split(",").map(Number);
  if (!list.every((share) => share > 0 && share < 1)) {
    throw new InvalidArgumentError("Expected shares between 0 and 1, such as 0.9,0.7,0.5.");
  }
  return list;
}

function spoken({ mean, margin }: Estimate, digits: number): string {
  return Number.isFinite(margin)
    ? `${mean.toFixed(digits)} ±${margin.toFixed(digits)}`
    : mean.toFixed(digits);
}

function cells(row: SimulationRow): string[] {
  return [
    row.attack,
    `${Math.round(100 * (1 - row.honest))}%`,
    row.model,
    spoken(row.auc, 3),
    spoken(row.wrongShares, 1),
    spoken(row.refused, 3),
  ];
}

/** `medcloudlet trust`: what the trust model is worth. */
export function trustCommand(): Command {
  const command = newGroup("trust", "measure the trust model");
  command.addCommand(
    newCommand("simulate", "let patients lie in every known way and compare trust models")
      .option("--runs <number>", "worlds of each kind", wholeNumber(1), 6)
      .option("--seed <number>", "seed of the first world", wholeNumber(0), 1)
      .option("--patients <number>", "patients in a world", wholeNumber(50), 1000)
      .option("--exchanges <number>", "exchanges that each patient begins in a week", wholeNumber(1), 2)
      .option("--sybils <number>", "more identities of each attacker, under that attack", wholeNumber(1), 5)
      .option("--honest <shares>", "shares of honest patients", shares, SHARES)
      .addOption(new Option("--attack <name...>", "only these attacks").choices(ATTACKS))
      .option("--parts", "leave out the gate's parts one by one, instead of comparing it with others")
      .option("--charts <folder>", "write charts there")
      .action((options: SimulateOptions) => {
        const output = outputOf(options);
        const { runs, seed, patients, exchanges, sybils, honest, attack, parts, charts } = options;
        const attacks = attack ?? ATTACKS;
        const bar = output.progress("worlds", runs * honest.length * attacks.length);
        const rows = simulateTrust({
          runs,
          seed,
          attacks,
          honestShares: honest,
          models: parts === true ? ABLATIONS : MODELS,
          world: { patients, exchanges, sybils },
          onWorld: () => bar.step(),
        });
        bar.end();
        if (charts !== undefined) {
          mkdirSync(charts, { recursive: true });
          for (const [name, chart] of Object.entries(CHARTS)) {
            writeFileSync(join(charts, name), chartTrust(rows, chart));
          }
        }
        const head = ["attack", "liars", "model", "AUC", "wrong shares / 1,000", "honest refused"];
        output.result(
          { runs, seed, patients, exchanges, sybils, rows },
          table([head, ...rows.map(cells)], output.colours),
        );
      }),
  );
  return command;
}
