import { readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { MedcloudletError } from "../base/index.ts";
import {
  anonymize,
  comparedK,
  type Guarantee,
  gatherReport,
  type Ledger,
  type Measures,
  measure,
  parseSchema,
  type ReleaseFormat,
  type ReleaseSchema,
  type ReportData,
  randomSeed,
  readTable,
  releaseText,
  reportPage,
  type Table,
  type Verification,
  verifyRelease,
  writePieces,
} from "../research/index.ts";
import { newCommand, newGroup, outputOf, wholeNumber } from "./options.ts";
import { table as alignedTable, type Output } from "./output.ts";
import { withLedger } from "./research-ledger.ts";

/** What every command of research asks for. */
export interface GuaranteeOptions {
  readonly schema: string;
  readonly k: number;
  readonly l: number;
  readonly t: number;
  readonly entropyL?: true;
  readonly json?: true;
}

interface ReleaseOptions extends GuaranteeOptions {
  readonly input: string;
  readonly out?: string;
  readonly format: ReleaseFormat;
  readonly suppress: number;
  readonly population?: number;
  readonly ledger?: string;
  readonly holdBack?: true;
  readonly report?: string;
  readonly seed?: string;
}

interface VerifyOptions extends GuaranteeOptions {
  readonly format: ReleaseFormat;
}

/** A number in a range, as an option's value. */
function number(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !(value >= minimum && value <= maximum)) {
      throw new InvalidArgumentError(`Expected a number from ${minimum} to ${maximum}.`);
    }
    return value;
  };
}

/** Adds schema and guarantee. */
export function withGuarantee(command: Command): Command {
  return command
    .requiredOption("--schema <file>", "JSON file that gives every column a role")
    .requiredOption("-k <number>", "least people in a class", wholeNumber(2))
    .option("-l <number>", "least diversity of each sensitive column in a class", number(1, 1e6), 1)
    .option("-t <number>", "greatest distance of a class's distribution from the whole one", number(0, 1), 1)
    .option("--entropy-l", "diversity by entropy, instead of by different values");
}

const formatOption = () =>
  new Option("--format <format>", "form of the release").choices(["csv", "ndjson"]).default("csv");

export function guaranteeOf({ k, l, t, entropyL }: GuaranteeOptions): Guarantee {
  return { k, l, t, diversity: entropyL === true ? "entropy" : "distinct" };
}

/** @throws MedcloudletError `CLI_FILE`, `RESEARCH_SCHEMA_INVALID` */
export async function readSchema(file: string): Promise<ReleaseSchema> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new MedcloudletError("CLI_FILE", `Cannot read the schema ${file}: check the path.`, {
      status: 400,
      cause,
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new MedcloudletError(
      "RESEARCH_SCHEMA_INVALID",
      `The schema ${file} is not JSON: ${(cause as Error).message}.`,
      { status: 400, cause },
    );
  }
  return parseSchema(value);
}

/** A bar over the bytes of a file. */
export async function overBytes(output: Output, label: string, file: string) {
  let size: number;
  try {
    ({ size } = await stat(file));
  } catch (cause) {
    throw new MedcloudletError("CLI_FILE", `Cannot read ${file}: check the path.`, { status: 400, cause });
  }
  return output.progress(label, size);
}

/** Milliseconds since the process began its work, and of each part of it. */
function createStopwatch() {
  const laps: Record<string, number> = {};
  let last = performance.now();
  const startedAt = last;
  return {
    laps,
    lap(name: string): void {
      const now = performance.now();
      laps[name] = Math.round(now - last);
      last = now;
    },
    total: () => performance.now() - startedAt,
  };
}

/** In per cent, for people. */
const percent = (share: number, digits = 1) => `${(100 * share).toFixed(digits)} %`;

async function release(options: ReleaseOptions): Promise<void> {
  if (options.out === undefined && (options.json === true || options.ledger !== undefined)) {
    throw new MedcloudletError(
      "CLI_OPTIONS",
      "With --json or --ledger the release needs a file of its own: give --out FILE.",
    );
  }
  const { ledger: folder, holdBack } = options;
  if (holdBack === true && (folder === undefined || options.suppress > 0)) {
    throw new MedcloudletError(
      "CLI_OPTIONS",
      "--hold-back needs --ledger FOLDER, and takes the place of --suppress.",
    );
  }
  await (folder === undefined
    ? releaseWith(options, null)
    : withLedger(folder, (ledger) => releaseWith(options, ledger)));
}

async function releaseWith(options: ReleaseOptions, ledger: Ledger | null): Promise<void> {
  const output = outputOf(options);
  const clock = createStopwatch();
  const schema = await readSchema(options.schema);
  const guarantee = guaranteeOf(options);

  const reading = await overBytes(output, "reading   ", options.input);
  const table = await readTable(options.input, schema, {
    onBytes: reading.step,
    ...(ledger === null ? {} : { digestRow: ledger.digestRow(schema) }),
  });
  reading.end();
  clock.lap("read");

  const splitting = output.progress("anonymising", table.rows);
  const anonymized = anonymize(table, {
    guarantee,
    suppression: options.suppress,
    onSettled: splitting.step,
    ...(options.holdBack === true && ledger !== null
      ? { beside: await ledger.beside(table, guarantee) }
      : {}),
  });
  splitting.end();
  clock.lap("anonymise");
  const measures = measure(anonymized, options.population);
  clock.lap("measure");

  const writing = output.progress("writing   ", measures.rows);
  const pieces = releaseText(anonymized, {
    schema,
    format: options.format,
    seed: options.seed ?? randomSeed(),
    onRows: writing.step,
  });
  if (options.out === undefined) {
    await writePieces(pieces, process.stdout);
    writing.end();
    output.note(told(measures, guarantee, clock.total()));
    output.note(
      "  A release on standard output is not verified: write it with --out, or use `research verify`.",
    );
    return;
  }

  // The name that was asked for stands for a release that was verified and entered, at any moment.
  const draft = `${options.out}.${process.pid}.draft`;
  try {
    await writePieces(pieces, draft);
    writing.end();
    clock.lap("write");
    const verification = await verify(draft, schema, guarantee, options.format, output);
    requireHolds(verification, options.out);
    clock.lap("verify");
    const entry = ledger === null ? null : await ledger.enter(anonymized);
    await rename(draft, options.out);
    if (options.report !== undefined) {
      await writeReport(options, table, options.report, output);
    }
    const ledgerPart = entry === null ? {} : { ledger: { release: entry._id, population: entry.population } };
    output.result(
      {
        release: options.out,
        ...measures,
        guarantee,
        verification,
        incomplete: table.incomplete,
        ...ledgerPart,
        milliseconds: clock.laps,
        peakMemoryBytes: 1024 * process.resourceUsage().maxRSS,
      },
      `${options.out}: ${told(measures, guarantee, clock.total())}${entry === null ? "" : `\n  entered into the ledger as release ${entry._id}`}`,
    );
  } finally {
    await rm(draft, { force: true });
  }
}

interface ReportOptions extends GuaranteeOptions {
  readonly input: string;
  readonly suppress: number;
  readonly population?: number;
}

/** Measures the table at several k and writes the page. */
async function writeReport(
  options: ReportOptions,
  table: Table,
  file: string,
  output: Output,
): Promise<ReportData> {
  const { input, suppress, population } = options;
  const guarantee = guaranteeOf(options);
  const comparing = output.progress("comparing k", comparedK(table.rows, guarantee.k).length);
  const data = gatherReport(table, {
    name: basename(input),
    guarantee,
    suppression: suppress,
    ...(population === undefined ? {} : { population }),
    onStep: () => comparing.step(),
  });
  comparing.end();
  await writeFile(file, reportPage(data));
  return data;
}

async function report(options: ReportOptions & { readonly out: string }): Promise<void> {
  const output = outputOf(options);
  const schema = await readSchema(options.schema);
  const reading = await overBytes(output, "reading    ", options.input);
  const table = await readTable(options.input, schema, { onBytes: reading.step });
  reading.end();
  const data = await writeReport(options, table, options.out, output);
  const head = [
    "k",
    "classes",
    "left out",
    "NCP",
    "discernibility",
    "average class / k",
    "worst risk",
    "query error",
  ];
  const rows = data.byK.map(({ k, measures, queryError }) => [
    String(k),
    String(measures.classes),
    String(measures.suppressed),
    percent(measures.ncp, 2),
    String(measures.discernibility),
    measures.averageClass.toFixed(2),
    percent(measures.risk.prosecutor),
    percent(queryError.median, 2),
  ]);
  output.result(
    { report: options.out, ...data },
    `${alignedTable([head, ...rows], output.colours)}\n${options.out}`,
  );
}

function told(measures: Measures, { k, l, t, diversity }: Guarantee, ms: number): string {
  const { rows, classes, suppressed, ncp, classSizes, risk, uniqueByPlainColumns } = measures;
  const promised = [`k=${k}`, ...(l > 1 ? [`${diversity} l=${l}`] : []), ...(t < 1 ? [`t=${t}`] : [])];
  return [
    `${rows} rows in ${classes} classes of ${classSizes.least} to ${classSizes.greatest} (${promised.join(", ")}), ${(ms / 1000).toFixed(1)} s`,
    `  lost (NCP) ${percent(ncp, 2)}, left out ${suppressed} rows`,
    `  risk of being found: at most ${percent(risk.prosecutor)}, on average ${percent(risk.marketer)}`,
    ...(uniqueByPlainColumns > 0
      ? [
          `  ${uniqueByPlainColumns} rows are alone in their plain columns: no class hides who is known by those; make them quasi-identifiers`,
        ]
      : []),
  ].join("\n");
}

async function verify(
  file: string,
  schema: ReleaseSchema,
  guarantee: Guarantee,
  format: ReleaseFormat,
  output: Output,
): Promise<Verification> {
  const progress = await overBytes(output, "verifying ", file);
  const verification = await verifyRelease(file, { schema, guarantee, format, onBytes: progress.step });
  progress.end();
  return verification;
}

function requireHolds({ holds, faults, reached }: Verification, file: string): void {
  if (!holds) {
    throw new MedcloudletError(
      "RESEARCH_VERIFICATION_FAILED",
      `${file} does not keep the guarantee: do not give it out.`,
      {
        status: 409,
        details: { errors: faults.map((message) => ({ path: file, message })), reached },
      },
    );
  }
}

/** `medcloudlet research …`. */
export function researchCommand(): Command {
  return newGroup("research", "releases for researchers in which nobody stands alone")
    .addCommand(
      withGuarantee(newCommand("release", "generalise microdata until every class keeps the guarantee"))
        .requiredOption("--input <file>", "CSV file of microdata")
        .option("--out <file>", "where the release goes (default: standard output)")
        .addOption(formatOption())
        .option("--suppress <share>", "most rows to leave out to spare the others", number(0, 0.5), 0)
        .option("--population <people>", "how many the rows were drawn from, for the risks", wholeNumber(1))
        .option(
          "--ledger <folder>",
          "refuse what, beside earlier releases, would single people out; enter it",
        )
        .option("--hold-back", "keep rows back where that makes the release agree with the ledger's")
        .option("--report <file>", "write a page with charts of what is lost, there")
        .option("--seed <text>", "make row ids and order again; whoever knows it can undo the order")
        .action(release),
    )
    .addCommand(
      withGuarantee(
        newCommand("report", "what a release would cost at several k, as a page; releases nothing"),
      )
        .requiredOption("--input <file>", "CSV file of microdata")
        .requiredOption("--out <file>", "where the page goes")
        .option("--suppress <share>", "most rows to leave out to spare the others", number(0, 0.5), 0)
        .option("--population <people>", "how many the rows were drawn from, for the risks", wholeNumber(1))
        .action(report),
    )
    .addCommand(
      withGuarantee(newCommand("verify", "check a release by the definitions, without trusting what made it"))
        .argument("<file>", "the release")
        .addOption(formatOption())
        .action(async (file: string, options: VerifyOptions) => {
          const output = outputOf(options);
          const schema = await readSchema(options.schema);
          const guarantee = guaranteeOf(options);
          const verification = await verify(file, schema, guarantee, options.format, output);
          requireHolds(verification, file);
          const { rows, classes, reached } = verification;
          output.result(
            verification,
            `${file}: ${rows} rows in ${classes} classes of at least ${reached.k}; the guarantee holds.`,
          );
        }),
    );
}
