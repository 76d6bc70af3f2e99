import { once } from "node:events";
import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import type { Command } from "commander";
import { type News2LineParameter, type News2LineResult, scoreNews2Line } from "../analytics/index.ts";
import { MedcloudletError } from "../base/index.ts";
import { newCommand, outputOf } from "./command.ts";
import type { Colours } from "./output.ts";

/** Nobody's observations are longer; what is, is not kept in memory. */
const MAX_LINE = 64 * 1024;

const COLUMNS: readonly (readonly [News2LineParameter, string])[] = [
  ["respiratoryRate", "RR"],
  ["spo2", "SpO₂"],
  ["oxygen", "O₂"],
  ["systolic", "SBP"],
  ["pulse", "HR"],
  ["consciousness", "ACVPU"],
  ["temperature", "T"],
];

/** Lines with their numbers; null stands for a line that is too long. */
async function* linesOf(input: Readable): AsyncGenerator<readonly [line: number, text: string | null]> {
  const decoder = new TextDecoder();
  let number = 0;
  let rest = "";
  let tooLong = false;
  const finish = (text: string): readonly [number, string | null] => {
    number++;
    const whole = tooLong || text.length > MAX_LINE ? null : text;
    tooLong = false;
    return [number, whole];
  };
  for await (const chunk of input) {
    const parts = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) {
      yield finish(part);
    }
    if (rest.length > MAX_LINE) {
      tooLong = true;
      rest = "";
    }
  }
  rest += decoder.decode();
  if (rest !== "" || tooLong) {
    yield finish(rest);
  }
}

function headOf({ dim }: Colours): string {
  return dim(
    `  ${"line".padStart(7)}  NEWS2  ${"level".padEnd(10)}  ${COLUMNS.map(([, name]) => name).join("  ")}`,
  );
}

/** One row of the table. */
function rowOf(line: number, result: News2LineResult, { bold, dim, green, red, yellow }: Colours): string {
  const start = `  ${dim(String(line).padStart(7))}  `;
  if ("error" in result) {
    return `${start}${red(`    ✗  ${result.error} [${result.code}]`)}`;
  }
  if ("refused" in result) {
    return `${start}${yellow(`    –  refused: ${result.refused}`)}`;
  }
  if ("incomplete" in result) {
    const text = `${`≥ ${result.atLeast}`.padStart(5)}  incomplete: ${result.incomplete.join(", ")}`;
    return `${start}${result.atLeast >= 7 ? bold(red(text)) : yellow(text)}`;
  }
  const { score, level, parts } = result;
  const colour = {
    low: green,
    "low-medium": yellow,
    medium: yellow,
    high: (text: string) => bold(red(text)),
  }[level];
  const points = COLUMNS.map(([name, head]) => {
    const cell = String(parts[name]).padStart(head.length);
    return parts[name] === 3 ? red(cell) : parts[name] === 0 ? dim(cell) : yellow(cell);
  });
  return `${start}${colour(`${String(score).padStart(5)}  ${level.padEnd(10)}`)}  ${points.join("  ")}`;
}

/** `medcloudlet news2`: scores observations, a JSON object a line. */
export function news2Command(): Command {
  return newCommand(
    "news2",
    "score observations (NEWS2), one JSON object a line, from a file or standard input",
  )
    .argument("[file]", "JSON lines; - or nothing for standard input", "-")
    .addHelpText(
      "after",
      "\nA line: {respiratoryRate, spo2, scale?, oxygen, systolic, pulse, consciousness, temperature, age, pregnant?}\n" +
        "Units: breaths/min, %, mmHg, beats/min, degrees Celsius, years. consciousness: A, C, V, P or U.\n" +
        "With --json each line is answered by {score, level, parts}, {incomplete, atLeast}, {refused} or\n" +
        "{error, code, line}. Empty lines are passed over. Exits with 5 when a line could not be read.",
    )
    .action(async (file: string, options: { readonly json?: true }) => {
      const output = outputOf(options);
      if (file === "-" && process.stdin.isTTY === true) {
        output.note("  reading observations from the terminal, one JSON object a line; Ctrl-D ends");
      }
      const input = file === "-" ? process.stdin : createReadStream(file);
      let bad = 0;
      let pending = "";
      const flush = async () => {
        const text = pending;
        pending = "";
        if (text !== "" && !process.stdout.write(text)) {
          await once(process.stdout, "drain");
        }
      };
      output.heading(headOf(output.colours));
      for await (const [line, text] of linesOf(input)) {
        const content = line === 1 ? text?.replace(/^\uFEFF/, "") : text;
        if (content?.trim() === "") {
          continue;
        }
        const result: News2LineResult =
          content == null
            ? { error: `The line is longer than ${MAX_LINE} characters.`, code: "NEWS2_LINE", line }
            : scoreNews2Line(content, line);
        bad += "error" in result ? 1 : 0;
        pending += `${output.json ? JSON.stringify(result) : rowOf(line, result, output.colours)}\n`;
        // In portions: a write a line would cost more than the scoring.
        if (pending.length > 16_384 || input.readableLength === 0) {
          await flush();
        }
      }
      await flush();
      if (bad > 0) {
        throw new MedcloudletError("NEWS2_LINES", `${bad} lines could not be read; the others were scored.`, {
          status: 422,
        });
      }
    });
}
