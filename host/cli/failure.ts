import { CommanderError } from "commander";
import pc from "picocolors";
import { isMedcloudletError } from "../base/index.ts";
import { tame } from "./output.ts";

/** Exit codes, the same for every command. */
export const EXIT = { ok: 0, failed: 1, usage: 2, refused: 3, unavailable: 4, invalid: 5 } as const;

/** Errors that another command line, file or environment cures. */
const USAGE_CODES = ["CONFIG_INVALID", "CLOUDLET_NOT_REGISTERED"];

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  if (!isMedcloudletError(error)) {
    return EXIT.failed;
  }
  if (USAGE_CODES.includes(error.code) || error.code.startsWith("CLI_")) {
    return EXIT.usage;
  }
  if (error.status === 401 || error.status === 403) {
    return EXIT.refused;
  }
  if (error.status === 503 || error.status === 429) {
    return EXIT.unavailable;
  }
  return error.status < 500 ? EXIT.invalid : EXIT.failed;
}

/** A file or folder that the system would not give: its words say enough, and a stack says nothing more. */
function fileFault(error: unknown): string | undefined {
  const { path, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  return error instanceof Error && path !== undefined && syscall !== undefined
    ? `${error.message}: check the path, its permissions and the room on the disk.`
    : undefined;
}

/** Tells a person or a program what went wrong and gives the exit code. */
export function reportFailure(error: unknown, json: boolean): number {
  const code = exitCodeOf(error);
  if (error instanceof CommanderError) {
    return code;
  }
  const { red, dim } = pc.createColors(process.stderr.isTTY === true && process.env.NO_COLOR === undefined);
  if (json) {
    const known = isMedcloudletError(error);
    const problem = {
      code: known ? error.code : "INTERNAL",
      detail: error instanceof Error ? error.message : String(error),
      ...(known ? error.details : {}),
    };
    process.stderr.write(`${JSON.stringify(problem)}\n`);
  } else if (isMedcloudletError(error)) {
    const faults = Array.isArray(error.details.errors)
      ? error.details.errors.map(({ path, message }) => `\n  - ${path}: ${message}`).join("")
      : "";
    process.stderr.write(`${red(`✗ ${tame(error.message)}`)}${tame(faults)} ${dim(`[${error.code}]`)}\n`);
  } else {
    const text = fileFault(error) ?? (error instanceof Error ? error.stack : String(error));
    process.stderr.write(`${red("✗")} ${text}\n`);
  }
  return code;
}
