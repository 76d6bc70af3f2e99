import type { Command } from "commander";
import { MedcloudletError, systemClock } from "../base/index.ts";
import { createAccountClient } from "../client/index.ts";
import { deleteCommand } from "./account-delete.ts";
import { backupCommand, recoverCommand, recoveryCodeCommand, restoreCommand } from "./account-recovery.ts";
import { cardCommand, guardCommand, guardiansCommand } from "./guardians.ts";
import { asPerson, newCommand, newGroup, outputOf, type PersonOptions, withPerson } from "./options.ts";
import { minuteText, table } from "./output.ts";
import { passphraseCommand } from "./passphrase.ts";
import { readSecret } from "./secret-input.ts";

function secondFactor(): Command {
  return withPerson(
    newCommand("second-factor", "enrol an authenticator app, or another in place of the one in force"),
  ).action((options: PersonOptions) =>
    asPerson(options, async ({ session }, _toolkit, again) => {
      const output = outputOf(options);
      const account = createAccountClient(session);
      if (process.stdin.isTTY !== true) {
        throw new MedcloudletError(
          "CLI_TERMINAL_NEEDED",
          "A new secret is shown and its code asked for, so this needs a terminal: run it in one.",
        );
      }
      const { secret, uri } = await account.proposeSecondFactor(await again());
      output.result(
        { secret, uri },
        `Put this into an authenticator app (as a QR code: echo the URI to qrencode -t ansiutf8):\n\n  ${uri}\n\n` +
          `  secret  ${secret.replace(/(.{4})(?=.)/g, "$1 ")}\n`,
      );
      const backupCodes = await account.confirmSecondFactor(
        await readSecret({
          what: "code that the app shows for the new secret",
          flag: "code",
          file: undefined,
          variable: "",
        }),
      );
      output.result(
        { backupCodes },
        `The second factor is in force. Print these codes; each opens the account once in place of the app:\n\n${backupCodes
          .map((code) => `  ${code}`)
          .join("\n")}`,
      );
    }),
  );
}

function resetFactor(): Command {
  return withPerson(
    newCommand(
      "reset-factor",
      "take away a second factor that somebody lost: an operator asks, a security officer confirms",
    ),
  )
    .option("--handle <handle>", "as an operator: whose")
    .option("--confirm <id>", "as a security officer: which")
    .action((options: PersonOptions & { handle?: string; confirm?: string }) =>
      asPerson(options, async ({ session }) => {
        const output = outputOf(options);
        const account = createAccountClient(session);
        if (options.handle !== undefined) {
          const reset = await account.requestFactorReset(options.handle);
          output.result(
            reset,
            `Asked. Within a day a security officer has to confirm it: medcloudlet account reset-factor --confirm ${reset.resetId}`,
          );
          return;
        }
        if (options.confirm !== undefined) {
          const reset = await account.confirmFactorReset(options.confirm);
          output.result(
            reset,
            `${reset.handle} has no second factor any more and enrols a new one at the next login.`,
          );
          return;
        }
        const resets = await account.factorResets();
        output.result(
          { resets },
          table(
            [
              ["id", "handle", "asked by", "until"],
              ...resets.map(({ resetId, handle, requestedBy, expiresAt }) => [
                resetId,
                handle,
                requestedBy,
                minuteText(expiresAt),
              ]),
            ],
            output.colours,
          ),
        );
      }),
    );
}

function suspend(): Command {
  return withPerson(
    newCommand("suspend", "as a security officer, close somebody's account, or open it again"),
  )
    .requiredOption("--handle <handle>", "whose")
    .option("--lift", "open it again")
    .action((options: PersonOptions & { handle: string; lift?: true }) =>
      asPerson(options, async ({ session }) => {
        const suspended = options.lift !== true;
        await createAccountClient(session).suspend(options.handle, suspended);
        outputOf(options).result(
          { handle: options.handle, suspended },
          suspended
            ? `The account of ${options.handle} is closed: its sessions are over, its wearables get no ticket, nobody reads by its consents.`
            : `The account of ${options.handle} is open again.`,
        );
      }),
    );
}

function sessions(): Command {
  return withPerson(newCommand("sessions", "list where the account is logged in, and end sessions"))
    .option("--end <id>", "end this one")
    .option("--end-others", "end all but this one")
    .action((options: PersonOptions & { end?: string; endOthers?: true }) =>
      asPerson(options, async ({ session }) => {
        const output = outputOf(options);
        const account = createAccountClient(session);
        if (options.end !== undefined) {
          await account.endSession(options.end);
        }
        if (options.endOthers === true) {
          await account.endOtherSessions();
        }
        const list = await account.sessions();
        output.result(
          { sessions: list },
          table(
            [
              ["id", "since", "last used", "with", ""],
              ...list.map(({ sessionId, createdAt, lastUsedAt, agent, current }) => [
                sessionId,
                minuteText(createdAt),
                minuteText(lastUsedAt),
                agent,
                current ? "this one" : "",
              ]),
            ],
            output.colours,
          ),
        );
      }),
    );
}

function events(): Command {
  return withPerson(
    newCommand("events", "show what happened to the account's password, codes and recoveries"),
  ).action((options: PersonOptions) =>
    asPerson(options, async ({ session }) => {
      const output = outputOf(options);
      const list = await createAccountClient(session).events();
      output.result(
        { events: list },
        table(
          [
            ["last", "what", "times that day"],
            ...list.map(({ lastAt, kind, count }) => [minuteText(lastAt), kind, String(count)]),
          ],
          output.colours,
        ),
      );
    }),
  );
}

function password(): Command {
  return withPerson(newCommand("password", "change the account's password and end all other sessions"))
    .option("--new-password-file <file>", "the new password (or MEDCLOUDLET_NEW_PASSWORD_FILE, or asked for)")
    .action((options: PersonOptions & { newPasswordFile?: string }) =>
      asPerson(options, async ({ session }, _toolkit, again) => {
        const given = await again();
        const newPassword = await readSecret({
          isNew: true,
          what: "new password of the account",
          flag: "new-password-file",
          file: options.newPasswordFile,
          variable: "MEDCLOUDLET_NEW_PASSWORD_FILE",
        });
        await createAccountClient(session).changePassword({ ...given, newPassword });
        outputOf(options).result(
          { changedAt: systemClock.now() },
          "The password is changed; all other sessions are over.",
        );
      }),
    );
}

function logout(): Command {
  return withPerson(newCommand("logout", "end the session that is kept in the home")).action(
    (options: PersonOptions) =>
      asPerson(options, async (person) => {
        await person.logout();
        outputOf(options).result({ loggedOut: true }, "Logged out.");
      }),
  );
}

/** `medcloudlet account …`: what people do with their own accounts. */
export function accountCommand(): Command {
  const command = newGroup("account", "second factor, sessions, password, backup and recovery");
  for (const subcommand of [
    secondFactor(),
    resetFactor(),
    suspend(),
    sessions(),
    events(),
    password(),
    passphraseCommand(),
    logout(),
    backupCommand(),
    restoreCommand(),
    recoveryCodeCommand(),
    recoverCommand(),
    cardCommand(),
    guardiansCommand(),
    guardCommand(),
    deleteCommand(),
  ]) {
    command.addCommand(subcommand);
  }
  return command;
}
