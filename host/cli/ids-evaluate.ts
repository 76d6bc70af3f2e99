import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { MedcloudletError } from "../base/index.ts";
import {
  areaUnderCurve,
  bootstrap,
  type Curve,
  createDetector,
  createSplit,
  createTrainer,
  type Detector,
  drawRoc,
  falsePositiveRate,
  fuseScores,
  type InspectedRequest,
  type Judged,
  type Measured,
  mergeTold,
  type RequestRecord,
  rocCurve,
  type Told,
  type Trainer,
  thresholdAt,
  truePositiveRate,
} from "../ids/index.ts";
import { newCommand, outputOf, wholeNumber } from "./command.ts";
import { gatherOption, readModel, withInput } from "./ids.ts";
import { type InputOptions, readRequests } from "./ids-input.ts";
import { type Output, table } from "./output.ts";

interface EvaluateOptions extends InputOptions {
  readonly model?: string[];
  readonly seen?: string[];
  readonly benign?: string;
  readonly benignColumn?: string;
  readonly holdout?: number;
  readonly members?: number[];
  readonly sharing?: number;
  readonly liars: number;
  readonly svg?: string;
  readonly title?: string;
  readonly rounds: number;
  readonly json?: true;
}

interface Result {
  readonly label: string;
  readonly attacks: number;
  readonly benign: number;
  readonly auc: Measured;
  readonly tpr: Readonly<Record<string, Measured>>;
  /** At the threshold that a verdict uses. */
  readonly atAlarm: { readonly tpr: number; readonly fpr: number };
}

const RATES = [0.001, 0.005, 0.01, 0.05];
const ALARM_THRESHOLD = 0.499_999_999;

function shares(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1)) {
    throw new MedcloudletError("CLI_OPTION", "--holdout is a share between 0 and 1.", { status: 400 });
  }
  return value;
}

const keyOf = ({ m, u, b }: InspectedRequest): string => `${m} ${u}\n${b ?? ""}`;

function summarise(label: string, judged: readonly Judged[], rounds: number): Result {
  const tpr: Record<string, Measured> = {};
  for (const rate of RATES) {
    tpr[String(rate)] = bootstrap(
      judged,
      (sample) => truePositiveRate(sample, thresholdAt(sample, rate)),
      rounds,
    );
  }
  return {
    label,
    attacks: judged.filter(({ attack }) => attack).length,
    benign: judged.filter(({ attack }) => !attack).length,
    auc: bootstrap(judged, areaUnderCurve, rounds),
    tpr,
    atAlarm: {
      tpr: truePositiveRate(judged, ALARM_THRESHOLD),
      fpr: falsePositiveRate(judged, ALARM_THRESHOLD),
    },
  };
}

function trainerOf(requests: Iterable<InspectedRequest>): Trainer {
  const trainer = createTrainer();
  for (const request of requests) {
    trainer.add(request);
  }
  return trainer;
}

/** A detector for each member; each learns from its own traffic and, where they share, from the others' counts. */
function detectorsOf(trainers: readonly Trainer[], told: readonly Told[], liars: number, step: () => void) {
  return trainers.map((trainer, own) => {
    const others = told.filter((_, member) => member !== own);
    const detector = createDetector({
      model: trainer.finish(others.length === 0 ? undefined : mergeTold(others, liars)),
    });
    step();
    return detector;
  });
}

/** Each member's score of each request, judged once. */
function scoreAll(detectors: readonly Detector[], requests: readonly RequestRecord[], output: Output) {
  const progress = output.progress("judging", requests.length);
  const scores = requests.map(({ y: _label, ...request }) => {
    progress.step();
    return detectors.map((detector) => detector.judge(request).score);
  });
  progress.end();
  return scores;
}

const percent = ({ value, low, high }: Measured): string =>
  `${(100 * value).toFixed(2)} (${(100 * low).toFixed(2)}–${(100 * high).toFixed(2)})`;

function report(output: Output, results: readonly Result[]): void {
  output.result(
    { rates: RATES, results },
    table(
      [
        [
          "",
          "attacks",
          "benign",
          "AUC (95% interval)",
          ...RATES.map((rate) => `TPR at ${100 * rate}% FPR`),
          "alarms TPR / FPR",
        ],
        ...results.map(({ label, attacks, benign, auc, tpr, atAlarm }) => [
          label,
          String(attacks),
          String(benign),
          `${auc.value.toFixed(4)} (${auc.low.toFixed(4)}–${auc.high.toFixed(4)})`,
          ...RATES.map((rate) => percent(tpr[String(rate)] as Measured)),
          `${(100 * atAlarm.tpr).toFixed(2)} / ${(100 * atAlarm.fpr).toFixed(2)}`,
        ]),
      ],
      output.colours,
    ),
  );
}

async function readAll(file: string, options: InputOptions, output: Output): Promise<RequestRecord[]> {
  const requests: RequestRecord[] = [];
  for await (const request of readRequests(file, options, output)) {
    requests.push(request);
  }
  return requests;
}

/** Members that each learn from another part of the benign requests of one file; the held-out rest is judged. */
async function evaluateSplit(requests: readonly RequestRecord[], options: EvaluateOptions, output: Output) {
  const sizes = options.members ?? [1];
  const most = Math.max(...sizes);
  const benign = requests.filter(({ y }) => y === 0);
  const split = createSplit(benign, { holdout: options.holdout as number, members: most });
  const parts: InspectedRequest[][] = Array.from({ length: most }, () => []);
  const seen = new Set<string>();
  const test: RequestRecord[] = [];
  for (const { y: _label, ...request } of benign) {
    const place = split.place(request);
    if (place === "test") {
      continue;
    }
    seen.add(keyOf(request));
    for (const part of place === "all" ? parts : [parts[place] as InspectedRequest[]]) {
      part.push(request);
    }
  }
  for (const request of requests) {
    const key = keyOf(request);
    if ((request.y === 0 || request.y === 1) && !seen.has(key)) {
      seen.add(key);
      test.push(request);
    }
  }
  const trainers = parts.map(trainerOf);
  const alone = (members: number): string =>
    most === 1 ? "one IDS" : members === 1 ? `one IDS, 1/${most} of the traffic` : `${members} collaborating`;
  const judge = (members: number, told: readonly Told[]): number[][] => {
    const progress = output.progress("learning", members);
    const detectors = detectorsOf(trainers.slice(0, members), told, options.liars, () => progress.step());
    progress.end();
    return scoreAll(detectors, test, output);
  };
  const { sharing } = options;
  if (sharing !== undefined) {
    const told = trainers.map((trainer) => trainer.tell(sharing));
    return sizes.map((members) => ({
      label: members === 1 ? alone(1) : `${members} collaborating, counts shared`,
      judged: fused(test, judge(members, told.slice(0, members)), members),
    }));
  }
  const scores = judge(most, []);
  return sizes.map((members) => ({ label: alone(members), judged: fused(test, scores, members) }));
}

/** What the first so many members say together. */
function fused(test: readonly RequestRecord[], scores: readonly number[][], members: number): Judged[] {
  return test.map(({ y }, i) => ({
    attack: y === 1,
    score: fuseScores((scores[i] as number[]).slice(0, members)),
  }));
}

async function evaluateModels(requests: readonly RequestRecord[], options: EvaluateOptions, output: Output) {
  const models = await Promise.all((options.model ?? []).map(readModel));
  const detectors =
    models.length === 0 ? [createDetector()] : models.map(({ model }) => createDetector({ model }));
  const seen = new Set<string>();
  for (const file of options.seen ?? []) {
    for await (const request of readRequests(file, {}, output)) {
      seen.add(keyOf(request));
    }
  }
  const test = requests.filter((request) => {
    const key = keyOf(request);
    const isNew = (request.y === 0 || request.y === 1) && !seen.has(key);
    seen.add(key);
    return isNew;
  });
  const scores = scoreAll(detectors, test, output);
  const label =
    models.length > 1
      ? `${models.length} models together`
      : models.length === 1
        ? "rules and model"
        : "rules alone";
  return [
    {
      label,
      judged: test.map(({ y }, i) => ({ attack: y === 1, score: fuseScores(scores[i] as number[]) })),
    },
  ];
}

/** `medcloudlet ids evaluate`. */
export function evaluateCommand(): Command {
  const list = (text: string): number[] => text.split(",").map((one) => wholeNumber(1, 64)(one));
  return withInput(
    newCommand("evaluate", "measure on labelled requests: AUC, TPR at FPR with 95% intervals, ROC as SVG"),
  )
    .argument("<file>", "JSON lines of requests with y (1 attack, 0 benign)")
    .option("--model <model>", "what `ids train` made; several are fused", gatherOption)
    .option("--seen <file>", "requests of the training: they are not tested again", gatherOption)
    .option("--benign <file>", "further benign requests")
    .option("--benign-column <name>", "the further benign file is CSV: this column")
    .option(
      "--holdout <share>",
      "train on the rest of the file's benign requests, test on this share",
      shares,
    )
    .option("--members <numbers>", "with --holdout: how many collaborate, e.g. 1,2,3,5,8", list)
    .option(
      "--sharing <number>",
      "members tell each other counts of what at least so many requests have in common",
      wholeNumber(1, 1000),
    )
    .option("--liars <number>", "with --sharing: lies of so many are cut off", wholeNumber(0, 64), 0)
    .option("--svg <file>", "draw the ROC curves")
    .option("--title <text>", "title of the drawing", "Attacks found against false alarms")
    .option("--rounds <number>", "rounds of the bootstrap", wholeNumber(1, 10_000), 200)
    .action(async (file: string, options: EvaluateOptions) => {
      const output = outputOf(options);
      const requests = await readAll(file, options, output);
      if (options.benign !== undefined) {
        const column = options.benignColumn === undefined ? {} : { column: options.benignColumn };
        requests.push(
          ...(await readAll(options.benign, column, output)).map((request) => ({
            ...request,
            y: 0 as const,
          })),
        );
      }
      const runs =
        options.holdout === undefined
          ? await evaluateModels(requests, options, output)
          : await evaluateSplit(requests, options, output);
      const results = runs.map(({ label, judged }) => summarise(label, judged, options.rounds));
      if (results.some(({ attacks, benign }) => attacks === 0 || benign === 0)) {
        throw new MedcloudletError(
          "IDS_LABELS_MISSING",
          "Evaluating needs attacks (y=1) and benign requests (y=0) that were not seen before.",
          { status: 400 },
        );
      }
      if (options.svg !== undefined) {
        const curves: Curve[] = runs.map(({ label, judged }, i) => ({
          label: `${label}, AUC ${results[i]?.auc.value.toFixed(4)}`,
          points: rocCurve(judged),
        }));
        await writeFile(options.svg, drawRoc(options.title as string, curves));
      }
      report(output, results);
    });
}
