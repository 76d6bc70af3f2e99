import { Command, InvalidArgumentError, Option } from "commander";
import { MedcloudletError, systemClock } from "../base/index.ts";
import { createAuditClient, type Reauthentication } from "../client/index.ts";
import { REGION, type Region } from "../sealing/index.ts";
import { openHomeWitness } from "./audit-home.ts";
import {
  type Addresses,
  createToolkit,
  DEFAULT_HOME,
  type PersonAtWork,
  readAddresses,
  requireHome,
  startWork,
  type Toolkit,
} from "./home.ts";
import { createOutput, type Output } from "./output.ts";
import { readSecret } from "./secret-input.ts";

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

export const regionOption = () =>
  new Option("--region <region>", "which part of the record")
    .choices(Object.keys(REGION))
    .default("medical" as Region);

export function outputOf(options: { readonly json?: true }): Output {
  return createOutput({ json: options.json === true });
}

/** Addresses as given, else as kept in the home. */
export function addressesOf(
  options: Pick<PersonOptions, "home" | "kdc" | "cloud" | "cloudlet">,
): Promise<Addresses> {
  const { kdc, cloud, cloudlet } = options;
  return readAddresses(options.home, {
    ...(kdc === undefined ? {} : { kdc }),
    ...(cloud === undefined ? {} : { cloud }),
    ...(cloudlet === undefined ? {} : { cloudlet }),
  });
}

export function readPassword(options: PersonOptions, isNew = false): Promise<string> {
  return readSecret({
    isNew,
    what: "password of the account",
    flag: "password-file",
    file: options.passwordFile,
    variable: "MEDCLOUDLET_PASSWORD_FILE",
  });
}

export function readPassphrase(options: PersonOptions, isNew = false): Promise<string> {
  return readSecret({
    isNew,
    what: "passphrase of the keys",
    flag: "passphrase-file",
    file: options.passphraseFile,
    variable: "MEDCLOUDLET_PASSPHRASE_FILE",
  });
}

/** A code of the second factor. It is worth nothing once used, so it may stand on a command line. */
export async function readCode(options: Pick<PersonOptions, "code">): Promise<string> {
  const given = options.code ?? process.env.MEDCLOUDLET_CODE;
  if (given !== undefined && given !== "") {
    return given;
  }
  if (process.stdin.isTTY !== true) {
    throw new MedcloudletError(
      "CLI_SECRET_MISSING",
      "A code of the second factor is needed: give --code CODE or set MEDCLOUDLET_CODE=CODE.",
    );
  }
  return readSecret({
    what: "code of the second factor",
    flag: "code",
    file: undefined,
    variable: "",
  });
}

/** Asks for password and code once more, before what a session alone may not do. */
export type AskAgain = () => Promise<Reauthentication>;

/**
 * Unlocks the person's keys, goes on with the kept session or logs in, works. The session stays for the next command.
 * In between the KDC has to show that its audit log did not go back behind what was seen from this home.
 */
export async function asPerson<T>(
  options: PersonOptions,
  work: (person: PersonAtWork, toolkit: Toolkit, again: AskAgain) => Promise<T>,
  { witness = true }: { readonly witness?: boolean } = {},
): Promise<T> {
  const toolkit = await createToolkit(systemClock);
  await requireHome(options.home);
  let password: Promise<string> | undefined;
  const readPasswordOnce = () => {
    password ??= readPassword(options);
    return password;
  };
  const person = await startWork(toolkit, {
    home: options.home,
    addresses: await addressesOf(options),
    passphrase: await readPassphrase(options),
    password: readPasswordOnce,
    code: () => readCode(options),
  });
  // Staff without a second factor may do nothing but enrol one.
  if (witness && person.session.secondFactor !== "missing") {
    const said = await createAuditClient(person.session).head();
    await (await openHomeWitness(options.home)).observe(said);
  }
  return work(person, toolkit, async () => ({
    password: await readPasswordOnce(),
    ...(person.session.secondFactor === "active" ? { code: await readCode(options) } : {}),
  }));
}
