import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { MedcloudletError } from "../base/index.ts";

/** Asks on the terminal without showing what is typed. */
function ask(question: string): Promise<string> {
  process.stderr.write(`${question}: `);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true });
  return new Promise((resolve, reject) => {
    // Ctrl-C and Ctrl-D close the terminal without an answer.
    terminal.once("close", () => {
      process.stderr.write("\n");
      reject(new MedcloudletError("CLI_SECRET_MISSING", "Nothing was entered, so nothing was done."));
    });
    terminal.question("", (answer) => {
      resolve(answer);
      terminal.close();
    });
  });
}

/** Asks on the terminal for a yes; anything else is a no, and so is a terminal that is none. */
export async function confirm(question: string): Promise<boolean> {
  if (process.stdin.isTTY !== true) {
    return false;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await new Promise<string>((resolve) => {
    terminal.once("close", () => resolve(""));
    terminal.question(`${question} [y/N] `, resolve);
  });
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

/**
 * A secret from the file that a flag names, from the file that an environment variable names, or asked for. Never
 * from a flag itself: the whole machine can read command lines.
 * @throws MedcloudletError `CLI_SECRET_MISSING`
 */
export async function readSecret(input: {
  readonly what: string;
  readonly flag: string;
  readonly file: string | undefined;
  readonly variable: string;
  /** Ask twice on a terminal: nobody could undo a mistyped new secret. */
  readonly isNew?: boolean;
}): Promise<string> {
  const file = input.file ?? process.env[input.variable];
  if (file !== undefined && file !== "") {
    try {
      return (await readFile(file, "utf8")).replace(/\r?\n$/, "");
    } catch (cause) {
      throw new MedcloudletError("CLI_SECRET_MISSING", `Cannot read the ${input.what} from ${file}.`, {
        cause,
      });
    }
  }
  if (process.stdin.isTTY !== true) {
    throw new MedcloudletError(
      "CLI_SECRET_MISSING",
      `The ${input.what} is needed: give --${input.flag} FILE or set ${input.variable}=FILE.`,
    );
  }
  const what = input.what.charAt(0).toUpperCase() + input.what.slice(1);
  const secret = await ask(what);
  if (input.isNew && (await ask(`${what}, once more`)) !== secret) {
    throw new MedcloudletError("CLI_SECRET_MISMATCH", `The two differ: nothing was done. Try again.`);
  }
  return secret;
}
