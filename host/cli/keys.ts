import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { fromBase64Url, MedcloudletError, systemClock } from "../base/index.ts";
import { type Owner, openIdentity, personFingerprint } from "../client/index.ts";
import { ROLES } from "../identity/index.ts";
import { type Consent, REGION, type Region } from "../sealing/index.ts";
import { pairDevice } from "./device-folder.ts";
import { emergencyOf } from "./emergency.ts";
import { createToolkit, openHome, ownerOf, registerPerson, requireHome } from "./home.ts";
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
import { confirm, readSecret } from "./secret-input.ts";
import { rotateTicketsCommand } from "./ticket-keys.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const PURPOSES: readonly Consent["purpose"][] = ["treatment", "research", "self-care"];

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
  return withPerson(newCommand("invite", "as an operator, make an invitation for one new account"))
    .addOption(new Option("--role <role>", "role of the account").choices([...ROLES]).makeOptionMandatory())
    .action((options: PersonOptions & { role: string }) =>
      asPerson(options, async ({ session }) => {
        const { code, expiresAt } = await session.invite(options.role);
        outputOf(options).result({ role: options.role, code, expiresAt }, code);
      }),
    );
}

function epoch(): Command {
  return withPerson(newCommand("epoch", "start the first or next epoch of a region of your record"))
    .addOption(regionOption())
    .action((options: PersonOptions & { region: Region }) =>
      asPerson(options, async (person, toolkit) => {
        const owner = ownerOf(toolkit, person);
        const { number, epochId, streamId } = await owner.startEpoch(options.region);
        outputOf(options).result(
          { region: options.region, number, epochId, streamId },
          `Epoch ${number} of ${options.region} has begun: readings are sealed to it from now on.`,
        );
        // Readers and trustees of before can open the new epoch as well.
        await owner.catchUp();
        await emergencyOf(toolkit, person, owner).catchUp();
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

/** The first time somebody is shared with, a person has to compare: the KDC alone is not believed. */
async function compareFingerprint(owner: Owner, handle: string): Promise<string> {
  const { fingerprint: shown } = await owner.lookUp(handle);
  const compared = await confirm(
    `You share with ${handle} for the first time. Ask ${handle} in person or by telephone for their fingerprint\n` +
      `(medcloudlet keys show). Is it\n\n  ${groups(shown)}\n\nthe same?`,
  );
  if (!compared) {
    throw new MedcloudletError(
      "CLI_FINGERPRINT_UNKNOWN",
      `Nothing was shared. Give the fingerprint that ${handle} told you: --fingerprint HEX.`,
    );
  }
  return shown;
}

function share(): Command {
  return withPerson(newCommand("share", "let a doctor read regions of your record for a time"))
    .requiredOption("--with <handle>", "handle of the doctor")
    .addOption(
      new Option("--region <region...>", "which parts").choices(Object.keys(REGION)).default(["medical"]),
    )
    .addOption(new Option("--purpose <purpose>", "what for").choices(PURPOSES).default("treatment"))
    .option("--days <days>", "for how long", wholeNumber(1, 3650), 30)
    .option("--fingerprint <hex>", "the doctor's fingerprint as the doctor told you; another is refused")
    .action(
      (
        options: PersonOptions & {
          with: string;
          region: Region[];
          purpose: Consent["purpose"];
          days: number;
          fingerprint?: string;
        },
      ) =>
        asPerson(options, async (person, toolkit) => {
          const output = outputOf(options);
          const owner = ownerOf(toolkit, person);
          const known =
            options.fingerprint?.replace(/\s+/g, "").toLowerCase() ?? person.contents.known[options.with];
          const from = systemClock.now();
          const consent = await owner.share({
            reader: options.with,
            regions: options.region,
            purpose: options.purpose,
            from,
            until: from + options.days * DAY_MS,
            expectedFingerprint: known ?? (await compareFingerprint(owner, options.with)),
          });
          await person.save({
            known: { ...person.contents.known, [options.with]: consent.readerFingerprint },
          });
          output.result(
            { consentId: consent.consentId, reader: options.with, until: consent.until },
            `${options.with} can read ${options.region.join(", ")} until ${new Date(consent.until).toISOString()}.`,
          );
        }),
    );
}

/** `medcloudlet keys …`: identity, epochs, devices, consent. */
export function keysCommand(): Command {
  const command = newGroup("keys", "identity, epochs, devices and consent");
  for (const subcommand of [register(), show(), invite(), epoch(), pair(), share(), rotateTicketsCommand()]) {
    command.addCommand(subcommand);
  }
  return command;
}
