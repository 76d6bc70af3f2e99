import { type Command, Option } from "commander";
import { newCommand, type PersonOptions, wholeNumber, withPerson } from "./command.ts";
import { formatOption, numberBetween } from "./research-options.ts";

export const DEFAULT_URL = "http://127.0.0.1:4704";

function serviceCommand(name: string, description: string): Command {
  return withPerson(newCommand(name, description)).addOption(
    new Option("--at <url>", "where the research service is")
      .env("MEDCLOUDLET_RESEARCH_URL")
      .default(DEFAULT_URL),
  );
}

export interface ServiceOptions extends PersonOptions {
  readonly at: string;
}

export interface RequestOptions extends ServiceOptions {
  readonly k?: number;
  readonly l?: number;
  readonly t?: number;
  readonly entropyL?: true;
  readonly wait: boolean;
}

export interface DownloadOptions extends ServiceOptions {
  readonly out: string;
  readonly format: "csv" | "ndjson";
  readonly report?: string;
  readonly fingerprint?: string;
}

export interface SignedOptions {
  readonly sheet?: string;
  readonly fingerprint?: string;
  readonly json?: true;
}

/** Whoever releases a file needs no client, and should not wait for it. */
const desk = () => import("./research-desk.ts");

/** What a researcher does at a running service. */
export function serviceCommands(): Command[] {
  return [
    serviceCommand("studies", "what a research service may give out, and how carefully").action(
      async (options: ServiceOptions) => (await desk()).studies(options),
    ),
    serviceCommand("request", "ask a research service for a release of a study")
      .argument("<study>", "its id")
      .option("-k <number>", "least people in a class, where more than the study asks", wholeNumber(2))
      .option("-l <number>", "least diversity of sensitive columns, likewise", numberBetween(1, 1e6))
      .option(
        "-t <number>",
        "greatest distance from the whole, where less than the study asks",
        numberBetween(0, 1),
      )
      .option("--entropy-l", "diversity by entropy, instead of by different values")
      .option("--no-wait", "do not wait for it: the same command asks again later")
      .action(async (study: string, options: RequestOptions) => (await desk()).request(study, options)),
    serviceCommand("releases", "what a research service gave out")
      .option("--study <id>", "of one study only")
      .action(async (options: ServiceOptions & { readonly study?: string }) =>
        (await desk()).releases(options),
      ),
    serviceCommand("download", "fetch a release, and check that it is what the service signed")
      .argument("<release>", "its id")
      .requiredOption("--out <file>", "where it goes; the signed sheet goes to FILE.release.json")
      .addOption(formatOption())
      .option("--report <file>", "fetch the page with charts of what is lost, too")
      .option("--fingerprint <hex>", "of the service's account, at the first time")
      .action(async (release: string, options: DownloadOptions) => (await desk()).download(release, options)),
    newCommand("signed", "check a file of a release against its sheet: needs no account")
      .argument("<file>", "CSV, NDJSON or report")
      .option("--sheet <file>", "the sheet (default: FILE.release.json)")
      .option("--fingerprint <hex>", "of the service's account, as you know it")
      .action(async (file: string, options: SignedOptions) => (await desk()).signed(file, options)),
  ];
}
