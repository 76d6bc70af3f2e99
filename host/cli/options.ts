import { Option } from "commander";
import { MedcloudletError, systemClock } from "../base/index.ts";
import { createAuditClient, type Reauthentication } from "../client/index.ts";
import { REGIONS, type Region } from "../sealing/index.ts";
import { openHomeWitness } from "./audit-home.ts";
import type { PersonOptions } from "./command.ts";
import {
  type Addresses,
  createToolkit,
  type PersonAtWork,
  readAddresses,
  requireHome,
  startWork,
  type Toolkit,
} from "./home.ts";
import { readSecret } from "./secret-input.ts";

export {
  hexId,
  moment,
  newCommand,
  newGroup,
  outputOf,
  type PersonOptions,
  wholeNumber,
  withAddresses,
  withPerson,
} from "./command.ts";

export const regionOption = () =>
  new Option("--region <region>", "which part of the record").choices(REGIONS).default("medical" as Region);

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
