import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { fromBase64Url, systemClock } from "../base/index.ts";
import { openIdentity, personFingerprint } from "../client/index.ts";
import type { Role } from "../identity/index.ts";
import type { Region } from "../sealing/index.ts";
import { requestsCommand } from "./access-requests.ts";
import { catchUp, catchUpCommand, consents, revoke, share } from "./consents.ts";
import { pairDevice } from "./device-folder.ts";
import { createToolkit, openHome, ownerOf, registerPerson, requireHome } from "./home.ts";
import { asOwner } from "./home-lock.ts";
import { invitationsCommand } from "./invitations.ts";
import { ownNoteCommands } from "./notes.ts";
import {
  addressesOf,
  asPerson,
  newCommand,
  newGroup,
  outputOf,
  type PersonOptions,
  readPassphrase,
  readPassword,
  regionOption,
  wholeNumber,
  withPerson,
} from "./options.ts";
import { groups } from "./output.ts";
import { devices, unpair } from "./own-devices.ts";
import { readSecret } from "./secret-input.ts";
import { rotateTicketsCommand } from "./ticket-keys.ts";

/** Every role; spelt out, for the room that knows them loads the whole KDC. The type sees to it that none is missing. */
const INVITED: Readonly<Record<Role, true>> = {
  patient: true,
  doctor: true,
  researcher: true,
  operator: true,
  "security-officer": true,
  moderator: true,
  cloudlet: true,
};

const DAY_MS = 24 * 60 * 60 * 1000;

function register(): Command {
  return withPerson(newCommand("register", "make an identity here and an account at the KDC"))
    .requiredOption("--handle <handle>", "what the account is called; not your name: the KDC can read it")
    .option("--name <name>", "your name for those you share with; it travels sealed only", "")
    .option(
      "--invitation-file <file>",
      "file with the invitation (or MEDCLOUDLET_INVITATION_FILE, or asked for)",
    )
    .action(async (options: PersonOptions & { handle: string; name: string; invitationFile?: string }) => {
      const output = outputOf(options);
      const toolkit = await createToolkit(systemClock);
      const invitation = await readSecret({
        what: "invitation",
        flag: "invitation-file",
        file: options.invitationFile,
        variable: "MEDCLOUDLET_INVITATION_FILE",
      });
      const { accountId, role } = await registerPerson(toolkit, {
        home: options.home,
        addresses: await addressesOf(options),
        invitation,
        handle: options.handle,
        name: options.name,
        password: await readPassword(options, true),
        passphrase: await readPassphrase(options, true),
      });
      output.result(
        { accountId, handle: options.handle, role, home: options.home },
        `${options.handle} is registered as ${role}. The keys are in ${options.home}. Who loses them or their ` +
          "passphrase can never read the data again, and nobody can help: make a backup and a recovery code " +
          "(medcloudlet account backup --automatic; medcloudlet account recovery-code)." +
          (role === "patient" ? "" : "\nFirst enrol a second factor: medcloudlet account second-factor."),
      );
    });
}

function show(): Command {
  return withPerson(newCommand("show", "show whose keys these are and the fingerprint to compare")).action(
    async (options: PersonOptions) => {
      const output = outputOf(options);
      await requireHome(options.home);
      const contents = await openHome(options.home, await readPassphrase(options));
      const { suite } = await createToolkit(systemClock);
      const keys = await openIdentity(suite, {
        signingSeed: fromBase64Url(contents.signingSeed),
        receivingKey: fromBase64Url(contents.receivingKey),
      });
      const print = personFingerprint(keys);
      const epochs = contents.epochs.map(({ region, number, streamId }) => ({ region, number, streamId }));
      const { bold, dim } = output.colours;
      output.result(
        {
          accountId: contents.accountId,
          handle: contents.handle,
          role: contents.role,
          fingerprint: print,
          epochs,
        },
        [
          `${bold(contents.handle)} (${contents.role})`,
          `  fingerprint  ${groups(print)}`,
          ...epochs.map(
            ({ region, number, streamId }) => `  epoch        ${region} ${number} ${dim(streamId)}`,
          ),
        ].join("\n"),
      );
    },
  );
}

function invite(): Command {
  return withPerson(
    newCommand(
      "invite",
      "make an invitation for one new account: as an operator, or as a security officer for another one",
    ),
  )
    .addOption(
      new Option("--role <role>", "role of the account").choices(Object.keys(INVITED)).makeOptionMandatory(),
    )
    .action((options: PersonOptions & { role: string }) =>
      asPerson(options, async ({ session }) => {
        const { invitationId, code, expiresAt } = await session.invite(options.role);
        outputOf(options).result({ role: options.role, invitationId, code, expiresAt }, code);
      }),
    );
}

function epoch(): Command {
  return withPerson(newCommand("epoch", "start the first or next epoch of a region of your record"))
    .addOption(regionOption())
    .action((options: PersonOptions & { region: Region }) =>
      asOwner(options, async (person, toolkit) => {
        const owner = ownerOf(toolkit, person);
        const output = outputOf(options);
        const { number, epochId, streamId } = await owner.startEpoch(options.region);
        const { wrapped } = await catchUp(toolkit, person, owner, output);
        output.result(
          { region: options.region, number, epochId, streamId, wrapped },
          `Epoch ${number} of ${options.region} has begun: readings are sealed to it from now on.`,
        );
      }),
    );
}

function pair(): Command {
  return withPerson(
    newCommand("pair", "pair a wearable: enrol its key and write what it needs into a folder"),
  )
    .requiredOption("--device <folder>", "folder for the device")
    .addOption(regionOption())
    .option("--days <days>", "how long the enrolment lasts", wholeNumber(1, 3650), 365)
    .action((options: PersonOptions & { device: string; region: Region; days: number }) =>
      asPerson(options, async (person, toolkit) => {
        const folder = resolve(options.device);
        const { deviceId, streamId } = await pairDevice({
          folder,
          owner: ownerOf(toolkit, person),
          ownerId: person.contents.accountId,
          ownerKeys: person.keys,
          region: options.region,
          until: systemClock.now() + options.days * DAY_MS,
          addresses: person.addresses,
        });
        outputOf(options).result(
          { deviceId, streamId, folder },
          `Device ${deviceId} is paired in ${folder}. Try: medcloudlet simulate --device ${folder}`,
        );
      }),
    );
}

/** `medcloudlet keys …`: identity, epochs, devices, consent. */
export function keysCommand(): Command {
  const command = newGroup("keys", "identity, epochs, devices and consent");
  for (const subcommand of [
    register(),
    show(),
    invite(),
    invitationsCommand(),
    epoch(),
    pair(),
    share(),
    consents(),
    revoke(),
    catchUpCommand(),
    devices(),
    unpair(),
    rotateTicketsCommand(),
    ...ownNoteCommands(),
    requestsCommand(),
  ]) {
    command.addCommand(subcommand);
  }
  return command;
}
