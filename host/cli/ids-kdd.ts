import type { Command } from "commander";
import { MedcloudletError } from "../base/index.ts";
import { readCsv } from "../csv/index.ts";
import {
  areaUnderCurve,
  bootstrap,
  createDraw,
  falsePositiveRate,
  type Judged,
  thresholdAt,
  trainTabular,
  truePositiveRate,
} from "../ids/index.ts";
import { newCommand, outputOf } from "./command.ts";
import { table } from "./output.ts";

/** Columns of NSL-KDD before its label (Tavallaee et al., CISDA 2009). */
const FEATURES = 41;

interface Connection {
  readonly features: readonly string[];
  readonly kind: string;
}

/** @throws MedcloudletError `CLI_FILE` | `IDS_LINE_INVALID` */
async function readConnections(file: string): Promise<Connection[]> {
  const connections: Connection[] = [];
  const codes = { syntax: "IDS_LINE_INVALID", file: "CLI_FILE" };
  for await (const piece of readCsv(file, { codes, ragged: true })) {
    for (const { fields, line } of piece) {
      const kind = fields[FEATURES];
      if (kind === undefined || kind === "") {
        throw new MedcloudletError(
          "IDS_LINE_INVALID",
          `Line ${line} of ${file} has fewer than ${FEATURES + 1} columns.`,
          { status: 400, details: { line } },
        );
      }
      connections.push({ features: fields.slice(0, FEATURES), kind });
    }
  }
  return connections;
}

/** `medcloudlet ids kdd`: the tabular detector on NSL-KDD's connection records. */
export function kddCommand(): Command {
  return newCommand("kdd", "train and measure the tabular detector on NSL-KDD connection records")
    .argument("<file>", "KDDTrain+_20Percent.txt or another part")
    .option("--test <file>", "measure on this file instead of a held-out third")
    .option("--withhold <kinds...>", "kinds of attack that training must not see")
    .action(async (file: string, options: { test?: string; withhold?: string[]; json?: true }) => {
      const output = outputOf(options);
      const all = await readConnections(file);
      const draw = createDraw(2009);
      const drawn = all.map((connection) => ({
        connection,
        held: options.test === undefined && draw() < 1 / 3,
      }));
      const withheld = new Set(options.withhold ?? []);
      const training = drawn
        .filter(({ held, connection }) => !held && !withheld.has(connection.kind))
        .map(({ connection }) => connection);
      const test =
        options.test === undefined
          ? drawn.filter(({ held }) => held).map(({ connection }) => connection)
          : await readConnections(options.test);
      const startedAt = performance.now();
      const detector = trainTabular(
        training.map(({ features }) => features),
        training.map(({ kind }) => kind !== "normal"),
      );
      const seconds = (performance.now() - startedAt) / 1000;
      const known = new Set(training.map(({ kind }) => kind));
      const scored = test.map(({ features, kind }) => ({
        score: detector.score(features),
        attack: kind !== "normal",
        kind,
      }));
      const at = 0.5;
      const right = scored.filter(({ score, attack }) => score > at === attack).length;
      const novel = scored.filter(({ kind }) => !known.has(kind));
      const judged: Judged[] = scored;
      const auc = bootstrap(judged, areaUnderCurve, 50);
      const result = {
        training: training.length,
        test: test.length,
        seconds,
        accuracy: right / test.length,
        auc,
        tpr: truePositiveRate(judged, at),
        fpr: falsePositiveRate(judged, at),
        tprAt1: truePositiveRate(judged, thresholdAt(judged, 0.01)),
        novel: { attacks: novel.length, found: novel.filter(({ score }) => score > at).length },
      };
      output.result(
        result,
        table(
          [
            [
              "trained on",
              "tested on",
              "accuracy",
              "AUC (95% interval)",
              "TPR",
              "FPR",
              "TPR at 1% FPR",
              "of kinds never seen",
            ],
            [
              String(result.training),
              String(result.test),
              `${(100 * result.accuracy).toFixed(2)}%`,
              `${auc.value.toFixed(4)} (${auc.low.toFixed(4)}–${auc.high.toFixed(4)})`,
              `${(100 * result.tpr).toFixed(2)}%`,
              `${(100 * result.fpr).toFixed(2)}%`,
              `${(100 * result.tprAt1).toFixed(2)}%`,
              `${result.novel.found} of ${result.novel.attacks}`,
            ],
          ],
          output.colours,
        ),
      );
    });
}
