import { readFile, writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { MedcloudletError } from "../base/index.ts";
import { createTrainer, decodeTold, encodeTold, mergeTold, modelHash, type Told } from "../ids/index.ts";
import { newCommand, outputOf, wholeNumber } from "./command.ts";
import { type InputOptions, readRequests } from "./ids-input.ts";
import { size } from "./output.ts";

/** Different contents that must have a thing in common before it is told. */
const AT_LEAST = 5;

/** @throws MedcloudletError `CLI_FILE` | `IDS_TOLD_INVALID` */
export async function readTold(file: string): Promise<Told> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new MedcloudletError("CLI_FILE", `Cannot read the counts ${file}: make them with \`ids tell\`.`, {
      status: 400,
      cause,
    });
  }
  return decodeTold(bytes);
}

/** `medcloudlet ids tell`: what other members may learn from. */
export function tellCommand(withInput: (command: Command) => Command): Command {
  return withInput(
    newCommand("tell", "count how benign requests look, for others to train with: no request, no value"),
  )
    .argument("<file>", "JSON lines of requests (those labelled y=1 are left out)")
    .requiredOption("--out <counts>", "where the counts go")
    .option(
      "--at-least <number>",
      "tell only what so many different requests have in common",
      wholeNumber(2, 1000),
      AT_LEAST,
    )
    .action(async (file: string, options: InputOptions & { out: string; atLeast: number; json?: true }) => {
      const output = outputOf(options);
      const trainer = createTrainer();
      let benign = 0;
      for await (const { y, ...request } of readRequests(file, options, output)) {
        if (y !== 1) {
          trainer.add(request);
          benign++;
        }
      }
      const told = trainer.tell(options.atLeast);
      const bytes = encodeTold(told);
      await writeFile(options.out, bytes);
      output.result(
        {
          counts: options.out,
          hash: modelHash(bytes),
          bytes: bytes.length,
          benign,
          routes: told.known.length,
        },
        `${options.out}: counts of ${benign} benign requests on ${told.known.length} routes, ${size(bytes.length)}.`,
      );
    });
}

/** `medcloudlet ids merge`. */
export function mergeCommand(): Command {
  return newCommand("merge", "add up what several members told, for `ids train --with`")
    .argument("<counts...>", "what `ids tell` made")
    .requiredOption("--out <counts>", "where the sum goes")
    .option("--liars <number>", "so many of them may tell anything without harm", wholeNumber(0, 64), 0)
    .action(async (files: string[], options: { out: string; liars: number; json?: true }) => {
      const output = outputOf(options);
      const told = mergeTold(await Promise.all(files.map(readTold)), options.liars);
      const bytes = encodeTold(told);
      await writeFile(options.out, bytes);
      output.result(
        { counts: options.out, hash: modelHash(bytes), bytes: bytes.length, members: files.length },
        `${options.out}: what ${files.length} members told, ${size(bytes.length)}.`,
      );
    });
}
