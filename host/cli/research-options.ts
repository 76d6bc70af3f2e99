import { readFile, stat } from "node:fs/promises";
import { type Command, InvalidArgumentError, Option } from "commander";
import { MedcloudletError } from "../base/index.ts";
import { type Guarantee, parseSchema, type ReleaseFormat, type ReleaseSchema } from "../research/index.ts";
import { wholeNumber } from "./command.ts";
import type { Output } from "./output.ts";

/** What every command of research asks for. */
export interface GuaranteeOptions {
  readonly schema: string;
  readonly k: number;
  readonly l: number;
  readonly t: number;
  readonly entropyL?: true;
  readonly json?: true;
}

/** Options of every command that makes a release. */
export interface ReleaseOptions extends GuaranteeOptions {
  readonly out?: string;
  readonly format: ReleaseFormat;
  readonly suppress: number;
  readonly population?: number;
  readonly ledger?: string;
  readonly holdBack?: true;
  readonly report?: string;
  readonly seed?: string;
}

/** A number in a range, as an option's value. */
export function numberBetween(minimum: number, maximum: number): (text: string) => number {
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
    .option("-l <number>", "least diversity of each sensitive column in a class", numberBetween(1, 1e6), 1)
    .option(
      "-t <number>",
      "greatest distance of a class's distribution from the whole one",
      numberBetween(0, 1),
      1,
    )
    .option("--entropy-l", "diversity by entropy, instead of by different values");
}

export const formatOption = () =>
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

/** Adds what is common to measuring and making releases. */
export function withCosts(command: Command): Command {
  return withGuarantee(command)
    .option("--suppress <share>", "most rows to leave out to spare the others", numberBetween(0, 0.5), 0)
    .option("--population <people>", "how many the rows were drawn from, for the risks", wholeNumber(1));
}

/** Adds what makes a release. */
export function withRelease(command: Command): Command {
  return withCosts(command)
    .option("--out <file>", "where the release goes (default: standard output)")
    .addOption(formatOption())
    .option("--ledger <folder>", "refuse what, beside earlier releases, would single people out; enter it")
    .option("--hold-back", "keep rows back where that makes the release agree with the ledger's")
    .option("--report <file>", "write a page with charts of what is lost, there")
    .option("--seed <text>", "make row ids and order again; whoever knows it can undo the order");
}
