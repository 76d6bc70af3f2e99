import { basename } from "node:path";
import type { Command } from "commander";
import { type ReleaseFormat, readTable } from "../research/index.ts";
import { newCommand, newGroup, outputOf } from "./command.ts";
import { table as alignedTable } from "./output.ts";
import { consentedCommand } from "./research-consented.ts";
import {
  formatOption,
  type GuaranteeOptions,
  guaranteeOf,
  overBytes,
  type ReleaseOptions,
  readSchema,
  withCosts,
  withGuarantee,
  withRelease,
} from "./research-options.ts";
import { makeRelease, percent, requireHolds, verify, writeReport } from "./research-release.ts";
import { serviceCommands } from "./research-service.ts";

interface ReportOptions extends GuaranteeOptions {
  readonly input: string;
  readonly suppress: number;
  readonly population?: number;
  readonly out: string;
}

interface VerifyOptions extends GuaranteeOptions {
  readonly format: ReleaseFormat;
}

function release(options: ReleaseOptions & { readonly input: string }): Promise<void> {
  return makeRelease(options, {
    name: basename(options.input),
    async read(schema, digestRow, output) {
      const reading = await overBytes(output, "reading   ", options.input);
      const table = await readTable(options.input, schema, {
        onBytes: reading.step,
        ...(digestRow === undefined ? {} : { digestRow }),
      });
      reading.end();
      return table;
    },
  });
}

async function report(options: ReportOptions): Promise<void> {
  const output = outputOf(options);
  const schema = await readSchema(options.schema);
  const reading = await overBytes(output, "reading    ", options.input);
  const table = await readTable(options.input, schema, { onBytes: reading.step });
  reading.end();
  const data = await writeReport(basename(options.input), options, table, options.out, output);
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

async function check(file: string, options: VerifyOptions): Promise<void> {
  const output = outputOf(options);
  const schema = await readSchema(options.schema);
  const verification = await verify(file, schema, guaranteeOf(options), options.format, output);
  requireHolds(verification, file);
  const { rows, classes, reached } = verification;
  output.result(
    verification,
    `${file}: ${rows} rows in ${classes} classes of at least ${reached.k}; the guarantee holds.`,
  );
}

/** `medcloudlet research …`. */
export function researchCommand(): Command {
  const group = newGroup("research", "releases for researchers in which nobody stands alone")
    .addCommand(
      withRelease(newCommand("release", "generalise microdata until every class keeps the guarantee"))
        .requiredOption("--input <file>", "CSV file of microdata")
        .action(release),
    )
    .addCommand(consentedCommand())
    .addCommand(
      withCosts(newCommand("report", "what a release would cost at several k, as a page; releases nothing"))
        .requiredOption("--input <file>", "CSV file of microdata")
        .requiredOption("--out <file>", "where the page goes")
        .action(report),
    )
    .addCommand(
      withGuarantee(newCommand("verify", "check a release by the definitions, without trusting what made it"))
        .argument("<file>", "the release")
        .addOption(formatOption())
        .action(check),
    );
  for (const command of serviceCommands()) {
    group.addCommand(command);
  }
  return group;
}
