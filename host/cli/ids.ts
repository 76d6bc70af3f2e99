import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { MedcloudletError } from "../base/index.ts";
import {
  ALARM_AT,
  createDetector,
  createTrainer,
  decodeModel,
  encodeModel,
  fuseScores,
  modelHash,
  RULES,
  ruleHash,
  ruleSetHash,
  SCENARIOS,
  scenarioHash,
} from "../ids/index.ts";
import { newCommand, newGroup, outputOf } from "./command.ts";
import { benchIdsCommand } from "./ids-bench.ts";
import { idsDemoCommand } from "./ids-demo.ts";
import { evaluateCommand } from "./ids-evaluate.ts";
import { type InputOptions, readRequests } from "./ids-input.ts";
import { kddCommand } from "./ids-kdd.ts";
import { meshCommand } from "./ids-mesh.ts";
import { officerCommands } from "./ids-officer.ts";
import { replayCommand } from "./ids-replay.ts";
import { mergeCommand, readTold, tellCommand } from "./ids-tell.ts";
import { size, table } from "./output.ts";

interface JsonOption {
  readonly json?: true;
}

/** Adds how the file of requests is to be read. */
export function withInput(command: Command): Command {
  return command
    .option("--column <name>", "the file is CSV: judge the values of this column")
    .option("--label-column <name>", "column of the label in a CSV file")
    .option("--as-query", "values of a CSV column go into the query, not into a JSON body")
    .option("--skip-invalid", "leave out lines that are no requests");
}

/** Gathers an option that may be given again. */
export const gatherOption = (file: string, before: string[] = []): string[] => [...before, file];

/** @throws MedcloudletError `CLI_FILE` | `IDS_MODEL_INVALID` */
export async function readModel(file: string) {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new MedcloudletError("CLI_FILE", `Cannot read the model ${file}: make one with \`ids train\`.`, {
      status: 400,
      cause,
    });
  }
  return { model: decodeModel(bytes), hash: modelHash(bytes) };
}

function train(): Command {
  return withInput(
    newCommand("train", "learn what benign requests look like (requests labelled y=1 are left out)"),
  )
    .argument("<file>", "JSON lines of requests")
    .requiredOption("--out <model>", "where the model goes")
    .option("--with <counts>", "learn also from what others told (`ids tell`, `ids merge`)")
    .action(async (file: string, options: InputOptions & JsonOption & { out: string; with?: string }) => {
      const output = outputOf(options);
      const others = options.with === undefined ? undefined : await readTold(options.with);
      const startedAt = performance.now();
      const trainer = createTrainer();
      let benign = 0;
      let leftOut = 0;
      for await (const { y, ...request } of readRequests(file, options, output)) {
        if (y === 1) {
          leftOut++;
        } else {
          trainer.add(request);
          benign++;
        }
      }
      output.note("  learning …");
      const bytes = encodeModel(trainer.finish(others));
      await writeFile(options.out, bytes);
      const seconds = (performance.now() - startedAt) / 1000;
      output.result(
        { model: options.out, hash: modelHash(bytes), bytes: bytes.length, benign, leftOut, seconds },
        `${options.out}: learned from ${benign} benign requests (${leftOut} attacks left out) in ${seconds.toFixed(1)} s, ${size(bytes.length)}.`,
      );
    });
}

function score(): Command {
  return withInput(
    newCommand("score", "judge requests: one JSON line each with id, score and the rules that fired"),
  )
    .argument("<file>", "JSON lines of requests; a label in them is not looked at")
    .option(
      "--model <model>",
      "what `ids train` made (without it, rules alone); several are fused",
      gatherOption,
    )
    .option("--explain", "say also where each rule fired and what was strange")
    .action(
      async (file: string, options: InputOptions & JsonOption & { model?: string[]; explain?: true }) => {
        // Results are JSON lines in any case; notes go to stderr as always.
        const output = outputOf(options);
        const models = await Promise.all((options.model ?? []).map(readModel));
        const detectors =
          models.length === 0 ? [createDetector()] : models.map(({ model }) => createDetector({ model }));
        for await (const { y: _label, ...request } of readRequests(file, options, output)) {
          const verdicts = detectors.map((detector) => detector.judge(request));
          const belief = fuseScores(verdicts.map((verdict) => verdict.score));
          // Rules are the same for all; what is strange is told by each.
          const hits = verdicts[0]?.hits ?? [];
          const line = {
            id: request.id,
            score: belief,
            alarm: belief >= ALARM_AT,
            rules: hits.map(({ rule }) => rule),
          };
          const full = { ...line, hits, anomalies: verdicts.map(({ anomaly }) => anomaly) };
          await writeLine(JSON.stringify(options.explain ? full : line));
        }
      },
    );
}

/** A line to stdout, no faster than its reader takes it. */
async function writeLine(text: string): Promise<void> {
  if (!process.stdout.write(`${text}\n`)) {
    await once(process.stdout, "drain");
  }
}

function rules(): Command {
  return newCommand("rules", "the rules and scenarios, with the hashes that name them").action(
    (options: JsonOption) => {
      const output = outputOf(options);
      const listed = RULES.map((rule) => ({
        id: rule.id,
        attack: rule.attack,
        version: rule.version,
        confidence: rule.confidence,
        hash: ruleHash(rule),
      }));
      const scenarios = SCENARIOS.map((scenario) => ({
        id: scenario.id,
        about: scenario.about,
        version: scenario.version,
        confidence: scenario.confidence,
        hash: scenarioHash(scenario),
      }));
      const rows = [...listed, ...scenarios].map(({ id, version, confidence, hash }) => [
        id,
        String(version),
        confidence.toFixed(2),
        hash.slice(0, 16),
      ]);
      output.result(
        { hash: ruleSetHash(), rules: listed, scenarios },
        table([["rule or scenario", "version", "confidence", "hash"], ...rows], output.colours),
      );
    },
  );
}

/** `medcloudlet ids …`. */
export function idsCommand(): Command {
  const group = newGroup("ids", "find attacks: train, score, evaluate; and watch the running services")
    .addCommand(train())
    .addCommand(tellCommand(withInput))
    .addCommand(mergeCommand())
    .addCommand(score())
    .addCommand(evaluateCommand())
    .addCommand(kddCommand())
    .addCommand(benchIdsCommand())
    .addCommand(replayCommand())
    .addCommand(idsDemoCommand())
    .addCommand(meshCommand())
    .addCommand(rules());
  for (const command of officerCommands()) {
    group.addCommand(command);
  }
  return group;
}
