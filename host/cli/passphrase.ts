import type { Command } from "commander";
import { isMedcloudletError, MedcloudletError } from "../base/index.ts";
import { fetchBackup, type KdcSession, requirePassphrase } from "../client/index.ts";
import { newCommand, outputOf, type PersonOptions, withPerson } from "./command.ts";
import { asOwner } from "./home-lock.ts";
import { readSecret } from "./secret-input.ts";

/** True where another machine of the same person keeps a backup. */
async function backedUpElsewhere(session: KdcSession): Promise<boolean> {
  try {
    await fetchBackup(session);
    return true;
  } catch (error) {
    if (isMedcloudletError(error, "BACKUP_MISSING")) {
      return false;
    }
    throw error;
  }
}

/** `medcloudlet account passphrase`: the keystore's, which has nothing to do with the account's password. */
export function passphraseCommand(): Command {
  return withPerson(newCommand("passphrase", "change the passphrase of the keys, here and in their backup"))
    .option(
      "--new-passphrase-file <file>",
      "the new passphrase (or MEDCLOUDLET_NEW_PASSPHRASE_FILE, or asked for)",
    )
    .action((options: PersonOptions & { newPassphraseFile?: string }) =>
      asOwner(options, async (person) => {
        const next = await readSecret({
          isNew: true,
          what: "new passphrase of the keys",
          flag: "new-passphrase-file",
          file: options.newPassphraseFile,
          variable: "MEDCLOUDLET_NEW_PASSPHRASE_FILE",
        });
        requirePassphrase(next);
        if (person.hasPassphrase(next)) {
          throw new MedcloudletError(
            "CLI_PASSPHRASE_SAME",
            "This is the passphrase in force: choose another.",
          );
        }
        const version = await person.changePassphrase(next);
        const elsewhere = version === null && (await backedUpElsewhere(person.session));
        outputOf(options).result(
          { backup: version, backedUpElsewhere: elsewhere },
          [
            `The keys in ${options.home} have the new passphrase${version === null ? "" : `, and so has backup ${version} at the KDC`}.`,
            ...(elsewhere
              ? ["A backup that another machine made still has the old one: run `account backup` there."]
              : []),
            "Copies of the file that were made before still open with the old passphrase.",
          ].join("\n"),
        );
      }),
    );
}
