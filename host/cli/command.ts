import { homedir } from "node:os";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { createOutput, type Output } from "./output.ts";

/*
 * What commands are made of. Nothing here loads the client or a store: that takes a third of a second, and many commands
 * need neither.
 */

/** Where a person's keys are unless they say otherwise. */
export const DEFAULT_HOME = join(homedir(), ".medcloudlet");

/** Options of every command that acts for a person. */
export interface PersonOptions {
  readonly home: string;
  readonly kdc?: string;
  readonly cloud?: string;
  readonly cloudlet?: string;
  readonly passwordFile?: string;
  readonly passphraseFile?: string;
  readonly code?: string;
  readonly json?: true;
}

/** A whole number in a range, as an option's value. */
export function wholeNumber(minimum: number, maximum = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < minimum || value > maximum) {
      throw new InvalidArgumentError(`Expected a whole number from ${minimum} to ${maximum}.`);
    }
    return value;
  };
}

/** An id of 16 bytes, as an option's value or an argument. `shownBy` is what shows people such ids. */
export function hexId(shownBy: string): (text: string) => string {
  return (text) => {
    if (!/^[0-9a-f]{32}$/.test(text)) {
      throw new InvalidArgumentError(`Expected 32 hex digits, as ${shownBy} shows them.`);
    }
    return text;
  };
}

/** A moment as ISO 8601, as an option's value in milliseconds; without a zone it is UTC. */
export function moment(text: string): number {
  const [, date, time = "T00:00:00", zone = "Z"] =
    /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(Z|[+-]\d\d:\d\d)?$/.exec(text) ?? [];
  const value = Date.parse(`${date}${time}${zone}`);
  if (Number.isNaN(value)) {
    throw new InvalidArgumentError("Expected a time such as 2026-01-31T08:00:00Z.");
  }
  return value;
}

/** A command that only groups others. */
export function newGroup(name: string, description: string): Command {
  return new Command(name).description(description).showHelpAfterError("(see --help)").exitOverride();
}

/** A command with `--json`. */
export function newCommand(name: string, description: string): Command {
  return newGroup(name, description).option("--json", "machine-readable output");
}

/** Adds the addresses of the services. `keeper` is what keeps them where they are not given. */
export function withAddresses(command: Command, keeper = "home"): Command {
  return command
    .option("--kdc <url>", `where the KDC is (default: as kept in the ${keeper})`)
    .option("--cloud <url>", `where the cloud is (default: as kept in the ${keeper})`)
    .option("--cloudlet <url>", `where the cloudlet is (default: as kept in the ${keeper})`);
}

/** Adds what is needed to act for a person. */
export function withPerson(command: Command): Command {
  return withAddresses(command)
    .option("--home <folder>", "folder with the person's keys", DEFAULT_HOME)
    .option("--password-file <file>", "password of the account (or MEDCLOUDLET_PASSWORD_FILE, or asked for)")
    .option(
      "--passphrase-file <file>",
      "passphrase of the keys (or MEDCLOUDLET_PASSPHRASE_FILE, or asked for)",
    )
    .option("--code <code>", "code of the second factor (or MEDCLOUDLET_CODE, or asked for)");
}

export function outputOf(options: { readonly json?: true }): Output {
  return createOutput({ json: options.json === true });
}
