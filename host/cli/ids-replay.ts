import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Command } from "commander";
import { MedcloudletError } from "../base/index.ts";
import { type Decision, inWords, type Measure, type Replay, replayLog } from "../ids/index.ts";
import { newCommand, outputOf } from "./command.ts";
import { type Colours, table } from "./output.ts";

interface ReplayOptions {
  readonly json?: true;
  readonly explain?: true;
}

/** Lines of several files, one after the other. */
async function* linesOf(files: readonly string[]): AsyncGenerator<string> {
  for (const file of files) {
    const lines = createInterface({
      input: createReadStream(file, "utf8"),
      crlfDelay: Number.POSITIVE_INFINITY,
    });
    try {
      yield* lines;
    } catch (cause) {
      throw new MedcloudletError("CLI_FILE", `Cannot read ${file}: check the path.`, { status: 400, cause });
    } finally {
      lines.close();
    }
  }
}

/** The colour of a measure: the stricter, the redder. */
export function paintMeasure(measure: Measure, colours: Colours): string {
  return { throttle: colours.yellow, challenge: colours.magenta, ban: colours.red }[measure](measure);
}

/** Rows of decisions as people read them. */
function decisionTable(decisions: readonly Decision[], colours: Colours): string {
  const rows = decisions.map(
    ({ at, until, subject, measure, origin, simulated, rules, logRatio, threshold }) => [
      new Date(at).toISOString().slice(0, 19),
      `${subject.kind} ${subject.local.slice(0, 10).replace(/[^\x21-\x7e]/g, "?")}`,
      simulated ? `(${measure})` : measure,
      origin,
      inWords(until - at),
      `${logRatio.toFixed(2)} of ${threshold.toFixed(2)}`,
      rules.join(", "),
    ],
  );
  const text = table([["at", "about", "measure", "by", "for", "weight", "because of"], ...rows], colours);
  // Colours go in last, since they would count as columns.
  return text.replace(/(?<= {2}\(?)(throttle|challenge|ban)(?=\)? {2})/g, (measure) =>
    paintMeasure(measure as Measure, colours),
  );
}

const plural = (count: number) => (count === 1 ? "" : "s");

function summary(replay: Replay, files: readonly string[], colours: Colours): string {
  const { observations, decisions, differences, alerts, lines, cutOff } = replay;
  const said = Object.entries(observations)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(", ");
  const parts = [
    `${files.join(", ")}: ${lines} lines (${said}), ${alerts} alert${plural(alerts)}, ${decisions.length} decision${plural(decisions.length)}.`,
  ];
  if (decisions.length > 0) {
    parts.push(decisionTable(decisions, colours));
  }
  if (cutOff) {
    parts.push("The last line was cut off, as after a crash; it is left out.");
  }
  if (differences.length === 0) {
    parts.push(colours.green("The replay came to the same, each time."));
  } else {
    parts.push(
      colours.red(`The replay differs ${differences.length} time${plural(differences.length)}:`),
      ...differences
        .slice(0, 10)
        .flatMap(({ line, at, what, written, replayed }) => [
          `  line ${line} (${new Date(at).toISOString()}), ${what}:`,
          `    written:  ${written ?? "nothing"}`,
          `    replayed: ${replayed ?? "nothing"}`,
        ]),
    );
  }
  return parts.join("\n");
}

/** `medcloudlet ids replay FILE…`. */
export function replayCommand(): Command {
  return newCommand("replay", "feed a service's log through a fresh engine and compare every decision")
    .argument("<file...>", "the engine's log; several parts of one log in their order")
    .option("--explain", "say why each decision was made")
    .addHelpText("after", "\nExits with 1 where a decision differs from the one that was written.")
    .action(async (files: string[], options: ReplayOptions) => {
      const output = outputOf(options);
      const replay = await replayLog(linesOf(files));
      const why = options.explain
        ? replay.decisions.map(({ id, text }) => `  ${output.colours.dim(id)}  ${text}`)
        : [];
      output.result(replay, [summary(replay, files, output.colours), ...why].join("\n"));
      if (replay.differences.length > 0) {
        const [first] = replay.differences;
        throw new MedcloudletError(
          "IDS_REPLAY_DIFFERS",
          `The replay differs from what was written, first in line ${first?.line}.`,
          { details: { differences: replay.differences.length, line: first?.line } },
        );
      }
    });
}
