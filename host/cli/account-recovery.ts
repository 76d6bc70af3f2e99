import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import {
  type Bytes,
  fromBase64Url,
  isMedcloudletError,
  MedcloudletError,
  systemClock,
  toBase64Url,
} from "../base/index.ts";
import {
  armRecovery,
  collectCode,
  createIdentity,
  createKdcClient,
  fetchBackup,
  type KdcClient,
  type KeystoreContents,
  lockKeystore,
  newestContents,
  newRecoveryCode,
  openIdentity,
  personFingerprint,
  printRecoveryCode,
  readRecoveryCode,
  recoverAccount,
  requestRecovery,
  requirePassphrase,
  unlockKeystore,
} from "../client/index.ts";
import { readBackupState, writeBackupState } from "./backup-file.ts";
import {
  type Addresses,
  createToolkit,
  keepAddresses,
  keepContents,
  readText,
  requireEmptyHome,
  type Toolkit,
  writePrivateFile,
} from "./home.ts";
import { keepSession } from "./kept-session.ts";
import {
  addressesOf,
  asPerson,
  newCommand,
  outputOf,
  type PersonOptions,
  readCode,
  readPassphrase,
  readPassword,
  withPerson,
} from "./options.ts";
import { groups, type Output } from "./output.ts";
import { readSecret } from "./secret-input.ts";

/** `medcloudlet account backup` */
export function backupCommand(): Command {
  return withPerson(newCommand("backup", "keep a copy of the locked keystore at the KDC"))
    .option("--automatic", "and again after every change of it from now on")
    .option("--no-automatic", "this one time, and no more by itself")
    .action((options: PersonOptions & { automatic?: boolean }) =>
      asPerson(options, async (person) => {
        const version = await person.backUp();
        const state = await readBackupState(options.home);
        const automatic = options.automatic ?? state.automatic;
        await writeBackupState(options.home, { automatic, version });
        outputOf(options).result(
          { version, automatic },
          `Backup ${version} is at the KDC, which cannot open it. ` +
            (automatic
              ? "Every change of the keystore is backed up from now on."
              : "Changes are not backed up by themselves: --automatic does that."),
        );
      }),
    );
}

/** `medcloudlet account restore` */
export function restoreCommand(): Command {
  return withPerson(newCommand("restore", "bring the keystore back from the KDC onto this machine"))
    .requiredOption("--handle <handle>", "the account's handle")
    .action(async (options: PersonOptions & { handle: string }) => {
      const toolkit = await createToolkit(systemClock);
      const addresses = await addressesOf(options);
      await requireEmptyHome(options.home);
      const passphrase = await readPassphrase(options);
      const kdc = createKdcClient({ http: toolkit.http, url: addresses.kdc });
      const password = await readPassword(options);
      const session = await kdc.login(options.handle, password).catch(async (error) => {
        if (!isMedcloudletError(error, "SECOND_FACTOR_REQUIRED")) {
          throw error;
        }
        return kdc.login(options.handle, password, { code: await readCode(options) });
      });
      const { keystore, version } = await fetchBackup(session);
      const contents = await unlockKeystore(keystore, passphrase);
      await settle({ home: options.home, addresses, contents, passphrase, version });
      const place = {
        home: options.home,
        kdcUrl: addresses.kdc,
        signingSeed: fromBase64Url(contents.signingSeed),
      };
      await keepSession(place, session, null);
      outputOf(options).result(
        { handle: contents.handle, version, epochs: contents.epochs.length },
        `The keys of ${contents.handle} are back in ${options.home} (backup ${version}).`,
      );
    });
}

/** Writes recovered contents into a home as if it had been there always. */
async function settle(input: {
  readonly home: string;
  readonly addresses: Addresses;
  readonly contents: KeystoreContents;
  readonly passphrase: string;
  readonly version: number;
}): Promise<void> {
  const { home, addresses, contents, passphrase, version } = input;
  await keepContents(home, contents, passphrase);
  await keepAddresses(home, addresses);
  await writeBackupState(home, { automatic: version > 0, version });
}

/** `medcloudlet account recovery-code` */
export function recoveryCodeCommand(): Command {
  return withPerson(
    newCommand(
      "recovery-code",
      "make a code for paper that brings account and keys back; ends an earlier one",
    ),
  ).action((options: PersonOptions) =>
    asPerson(options, async ({ session, contents }, _toolkit, again) => {
      const code = newRecoveryCode();
      await armRecovery(session, code, contents, await again());
      const printed = printRecoveryCode(code);
      outputOf(options).result(
        { recoveryCode: printed },
        `Print this or write it down, and keep it away from this machine. Whoever has it has the account and the ` +
          `keys:\n\n  ${printed}\n\nNew epochs come back with it where backups are on (medcloudlet account backup ` +
          "--automatic).",
      );
    }),
  );
}

const requestFile = (home: string) => join(home, "recovery-request.json");

/** The temporary identity of a request, locked like a keystore: under the passphrase the new home will have. */
async function askGuardians(
  toolkit: Toolkit,
  kdc: KdcClient,
  input: { home: string; handle: string; passphrase: string },
  output: Output,
): Promise<void> {
  const { secrets, keys, statement } = await createIdentity(toolkit.suite, toolkit.clock);
  const { requestId, expiresAt } = await requestRecovery(kdc, input.handle, statement);
  const contents: KeystoreContents = {
    accountId: requestId,
    handle: input.handle,
    role: "requester",
    name: "",
    signingSeed: toBase64Url(secrets.signingSeed),
    receivingKey: toBase64Url(secrets.receivingKey),
    epochs: [],
    known: {},
  };
  await writePrivateFile(requestFile(input.home), await lockKeystore(contents, input.passphrase));
  const fingerprint = personFingerprint(keys);
  output.result(
    { requestId, fingerprint, expiresAt },
    `Your guardians are asked until ${new Date(expiresAt).toISOString()}. Call each and read this to them:\n\n` +
      `  ${groups(fingerprint)}\n\nThen run this command again.`,
  );
}

/** The code from the guardians' shares. */
async function codeOfGuardians(
  toolkit: Toolkit,
  kdc: KdcClient,
  kept: string,
  passphrase: string,
): Promise<Bytes> {
  const { accountId, signingSeed, receivingKey } = await unlockKeystore(kept, passphrase);
  const keys = await openIdentity(toolkit.suite, {
    signingSeed: fromBase64Url(signingSeed),
    receivingKey: fromBase64Url(receivingKey),
  });
  return collectCode(kdc, accountId, keys);
}

interface RecoverOptions extends PersonOptions {
  readonly handle: string;
  readonly guardians?: true;
  readonly recoveryCodeFile?: string;
}

/** `medcloudlet account recover` */
export function recoverCommand(): Command {
  return withPerson(
    newCommand(
      "recover",
      "with a recovery code or guardians: a new password, and the keys back on this machine",
    ),
  )
    .requiredOption("--handle <handle>", "the account's handle")
    .option("--guardians", "by your guardians' shares: first asks them, then, run again, collects")
    .option(
      "--recovery-code-file <file>",
      "file with the printed code (or MEDCLOUDLET_RECOVERY_CODE_FILE, or asked for)",
    )
    .action(async (options: RecoverOptions) => {
      const { home, handle } = options;
      const output = outputOf(options);
      const toolkit = await createToolkit(systemClock);
      const addresses = await addressesOf(options);
      await requireEmptyHome(home);
      const kdc = createKdcClient({ http: toolkit.http, url: addresses.kdc });
      const asked = options.guardians === true ? await readText(requestFile(home)) : undefined;
      // For what was asked before the passphrase is known already.
      const passphrase = await readPassphrase(options, asked === undefined);
      requirePassphrase(passphrase);
      if (options.guardians === true && asked === undefined) {
        await askGuardians(toolkit, kdc, { home, handle, passphrase }, output);
        return;
      }
      const code =
        asked === undefined
          ? readRecoveryCode(
              await readSecret({
                what: "recovery code",
                flag: "recovery-code-file",
                file: options.recoveryCodeFile,
                variable: "MEDCLOUDLET_RECOVERY_CODE_FILE",
              }),
            )
          : await codeOfGuardians(toolkit, kdc, asked, passphrase);
      const newPassword = await readPassword(options, true);
      const recovered = await recoverAccount(kdc, { handle, code, newPassword });
      const session = await kdc.login(handle, newPassword);
      const keys = await openIdentity(toolkit.suite, {
        signingSeed: fromBase64Url(recovered.contents.signingSeed),
        receivingKey: fromBase64Url(recovered.contents.receivingKey),
      });
      const { contents, version } = await newestContents(session, recovered.contents, keys.receiving);
      await settle({ home, addresses, contents, passphrase, version });
      await keepSession(
        { home, kdcUrl: addresses.kdc, signingSeed: fromBase64Url(contents.signingSeed) },
        session,
        null,
      );
      await rm(requestFile(home), { force: true });
      if (contents.handle !== handle) {
        throw new MedcloudletError("RECOVERY_DAMAGED", "The keys that came back are of another handle.");
      }
      output.result(
        { handle, home, epochs: contents.epochs.length, secondFactor: session.secondFactor },
        `${handle} is back in ${home}: new password, all earlier sessions over, the second factor taken away. ` +
          "Make a new recovery code now (medcloudlet account recovery-code), and where the old machine may be in " +
          "others' hands, start new epochs.",
      );
    });
}
